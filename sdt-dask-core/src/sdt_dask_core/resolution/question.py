"""What is asked: requirements as a user writes them, in words or in files, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from sdt_dask_core.errors import RequirementError
from sdt_dask_core.requirements_file import Line, read_lines

__all__ = ["Question", "Source", "key_of", "read_question", "version_of", "wheel_requirement"]

_ARCHIVES = (".tar.gz", ".zip")
_WITH_EXTRAS = re.compile(r"^(?P<path>.*?)\s*(?P<extras>\[[^\]]*\])?$")
# Options of a requirements file that say where packages come from, with and without a value.
_INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host")
_INDEX_FLAGS = ("--no-index", "--pre")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")
_PASSED_OVER = ("--prefer-binary", "--require-hashes", "--no-binary", "--only-binary", "--use-feature")


@dataclass(frozen=True, slots=True)
class Source:
    """A project's folder or source archive, of which a wheel has to be made first.

    Attributes
    ----------
    path : Path
        Where it is.
    extras : str
        ``[a,b]``, or empty.
    """

    path: Path
    extras: str


@dataclass(slots=True)
class Question:
    """What should be installed together.

    Attributes
    ----------
    requirements : list of packaging.requirements.Requirement
        Those that apply to this Python.
    sources : list of Source
        To be built, then required too.
    constraints : list of str
        Ranges that hold if the package is installed at all.
    options : list of str
        Where packages come from, as lines of a requirements file.
    passed_over : list of str
        Requirements whose markers do not apply here.
    """

    requirements: list[Requirement] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_question(texts: Sequence[str], files: Iterable[Path] = ()) -> Question:
    """Read requirements and requirements files.

    Parameters
    ----------
    texts : sequence of str
        A name with range, extras and marker; the path of a wheel, of a source archive or of a project's folder; or the
        address of a wheel.
    files : iterable of Path
        In the form of pip's ``requirements.txt``.

    Raises
    ------
    RequirementError
        What cannot be read, all of it, each with its place.
    """
    question = Question()
    problems: list[str] = []
    for text in texts:
        problems += _take(question, text, Path.cwd())
    for file in files:
        problems += _take_file(question, file, seen=set())
    if problems:
        raise RequirementError("; ".join(problems))
    return question


def _take_file(question: Question, file: Path, *, seen: set[Path], is_constraint: bool = False) -> list[str]:
    if file.resolve() in seen:
        return []
    seen.add(file.resolve())
    problems = []
    for line in read_lines(file):
        if is_constraint and not line.is_option:
            question.constraints.append(line.text)
            continue
        found = _take_option(question, line, file, seen) if line.is_option else _take(question, line.text, file.parent)
        problems += [f"{file}, line {line.number}: {problem}" for problem in found]
    return problems


def _take_option(question: Question, line: Line, file: Path, seen: set[Path]) -> list[str]:
    name, value = _option(line.text)
    if name in ("-r", "--requirement", "-c", "--constraint"):
        if not (included := file.parent / value).is_file():
            return [f"there is no file {included}"]
        return _take_file(question, included, seen=seen, is_constraint=name in ("-c", "--constraint"))
    if name in ("-e", "--editable"):
        return _take(question, value, file.parent)
    if name in ("-f", "--find-links") and (file.parent / value).exists():
        value = str((file.parent / value).resolve())
    if name in _INDEX_OPTIONS or name in _INDEX_FLAGS:
        question.options.append(f"{name} {value}".strip())
        return []
    return [] if name in _PASSED_OVER else [f"there is no option {name!r} in a requirements file"]


def _option(text: str) -> tuple[str, str]:
    """Take ``--name=value``, ``--name value``, ``-rvalue`` or ``-r value`` apart."""
    name, separator, value = text.partition("=") if text.startswith("--") else ("", "", "")
    if separator and " " not in name:
        return name, value.strip()
    name, _, value = text.partition(" ")
    if not text.startswith("--") and name[:2] in (*_INCLUDES, *_INDEX_OPTIONS):
        name, value = text[:2], text[2:]
    return name, value.strip()


def _take(question: Question, text: str, folder: Path) -> list[str]:
    """Add one requirement; return what is wrong with it."""
    try:
        if _is_path(text):
            _take_path(question, text, folder)
        else:
            _take_requirement(question, _address(text))
    except (InvalidRequirement, InvalidWheelFilename, RequirementError) as error:
        return [f"{text!r} cannot be read: {str(error).splitlines()[0]}"]
    return []


def _is_path(text: str) -> bool:
    """Tell a path from a name as pip does: a folder without a slash in its path is a name."""
    path = _path_and_extras(text)[0]
    if "://" in text or " @ " in text:
        return text.startswith("file://")
    is_written_so = text.startswith((".", "/", "~")) or "\\" in path or "/" in path
    return is_written_so or path.endswith((".whl", *_ARCHIVES))


def _path_and_extras(text: str) -> tuple[str, str]:
    match = _WITH_EXTRAS.match(text)
    return (match["path"], match["extras"] or "") if match else (text, "")


def _take_path(question: Question, text: str, folder: Path) -> None:
    written, extras = _path_and_extras(text)
    written = unquote(urlsplit(written).path) if written.startswith("file://") else written
    path = (folder / Path(written).expanduser()).resolve()
    if not path.exists():
        raise RequirementError(f"there is no {path}")
    if path.suffix == ".whl":
        question.requirements.append(wheel_requirement(path, extras))
    elif path.name.endswith(_ARCHIVES) or any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
        question.sources.append(Source(path, extras))
    else:
        raise RequirementError(f"{path} is neither a wheel nor a project: it has no pyproject.toml")


def wheel_requirement(path: Path, extras: str = "") -> Requirement:
    """Return the requirement of a wheel's file."""
    name = parse_wheel_filename(path.name)[0]
    return Requirement(f"{name}{extras} @ {path.as_uri()}")


def _address(text: str) -> str:
    """Return ``name @ address`` for the bare address of a wheel."""
    if "://" not in text or " @ " in text or "@" in text.partition("://")[0]:
        return text
    address = text.partition("#")[0]
    file = unquote(urlsplit(address).path.rpartition("/")[2])
    if not file.endswith(".whl"):
        raise RequirementError("an address must be that of a wheel; clone or download it and give its folder instead")
    return f"{parse_wheel_filename(file)[0]} @ {address}"


def _take_requirement(question: Question, text: str) -> None:
    requirement = Requirement(text)
    if requirement.url and not urlsplit(requirement.url).path.endswith(".whl"):
        raise RequirementError("an address must be that of a wheel; clone or download it and give its folder instead")
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        question.passed_over.append(text)
        return
    requirement.marker = None
    question.requirements.append(requirement)


def version_of(address: str) -> str:
    """Return the version in the address of a wheel."""
    return str(parse_wheel_filename(unquote(urlsplit(address).path.rpartition("/")[2]))[1])


def key_of(requirement: Requirement) -> str:
    """Return the name of a requirement as indexes compare it."""
    return canonicalize_name(requirement.name)
