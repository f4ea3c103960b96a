"""From what was chosen to a context on disk: resolve, lock, take what no index has, write."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import importlib_metadata
from packaging.utils import canonicalize_name

from sdt_dask_core.errors import ConfigurationError, RequirementError
from sdt_dask_core.image.chosen import Chosen, choose, refuse_secrets
from sdt_dask_core.image.context import check_output, sha256_of, write_context
from sdt_dask_core.image.dockerfile import DOCKERIGNORE, SCRIPTS, dockerfile
from sdt_dask_core.image.from_here import wheel_from_here
from sdt_dask_core.image.lock import Locked, lock_text, tag_of
from sdt_dask_core.image.user_files import read_user_files
from sdt_dask_core.image.wheel_file import WheelFile, stand_in
from sdt_dask_core.resolution.answer import Answer
from sdt_dask_core.resolution.check import LEFT_OUT, Check
from sdt_dask_core.resolution.installed import Installed, read_installed
from sdt_dask_core.resolution.program import RefusedError
from sdt_dask_core.resolution.question import key_of, read_question
from sdt_dask_core.resolution.target import Target, this_python
from sdt_dask_core.resolution.wheel import Wheel, best_for

__all__ = ["Image", "make_image"]

_SECONDS = 300.0
_CORE = "sdt-dask-core"


@dataclass(slots=True)
class Image:
    """What came of it.

    Attributes
    ----------
    answer : Answer
        What the tool found; where it does not install, all else is empty and nothing was written.
    output : pathlib.Path
        The folder of the context.
    target : Target
        The machine that it is for.
    plugs : list of str
        What it is for.
    folder : pathlib.Path or None
        The user's own.
    tag : str
        The tag of the image.
    locked : list of Locked
        All that it holds.
    wheels : list of str
        What was made from what is installed here: name and version.
    changed : list of (str, str, str)
        What has another version here: name, here, in the image.
    notes : list of str
        What else to know.
    """

    answer: Answer
    output: Path
    target: Target
    plugs: list[str]
    folder: Path | None
    tag: str = ""
    locked: list[Locked] = field(default_factory=list)
    wheels: list[str] = field(default_factory=list)
    changed: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_image(
    output: Path,
    plugs: Sequence[str] = (),
    *,
    folder: Path | None = None,
    requirements: Sequence[str] = (),
    target: Target | None = None,
    tool: str | None = None,
    seconds: float = _SECONDS,
    path: Sequence[str] | None = None,
) -> Image:
    """Write the folder that Docker builds the image of the workers from; nothing where there is a conflict.

    Parameters
    ----------
    output : pathlib.Path
        The folder to write; an older context there gives way.
    plugs : sequence of str
        Names of installed plugs or analyses, or requirements.
    folder : pathlib.Path, optional
        A user's own, with a ``dataplug.py``.
    requirements : sequence of str
        What else the image shall hold.
    target : Target, optional
        The machine that it is for; by default this Python on Linux with x86-64.
    tool : str, optional
        "uv" or "pip"; by default uv where it is, else pip.
    seconds : float
        How long the tool may take [s].
    path : sequence of str, optional
        Folders whose distributions are what is here; by default those that this process imports from.

    Raises
    ------
    ConfigurationError
        Something that was chosen is not there, no tool answers, or the folder cannot be written.
    """
    target = target or Target(this_python())
    output = output.resolve()
    check_output(output)
    chosen = choose(plugs, folder=folder, requirements=requirements)
    question = read_question(chosen.requirements, chosen.files)
    refuse_secrets(question.requirements)
    installed = read_installed(path)
    with tempfile.TemporaryDirectory(prefix="sdt-dask-image-") as place:
        check = Check(question, installed, Path(place), fresh=True, target=target, tool=tool, seconds=seconds)
        _refuse_pip(check, target)
        image = Image(check.answer(), output, target, sorted(chosen.plugs), folder)
        if image.answer.installs:
            _Making(image, check, installed, chosen, path).make()
    return image


def _refuse_pip(check: Check, target: Target) -> None:
    if check.tool.program.name == "pip" and not target.is_this_kind:
        raise ConfigurationError(
            f"pip reads the markers of requirements for this machine, and the image is for Python {target.python} on "
            f"{target.platform}; install uv, which does not: pip install uv"
        )


class _Making:
    """One image, while it is made."""

    def __init__(
        self, image: Image, check: Check, installed: Installed, chosen: Chosen, path: Sequence[str] | None
    ) -> None:
        self._image = image
        self._check = check
        self._installed = installed
        self._chosen = chosen
        self._where: dict[str, Any] = {} if path is None else {"path": list(path)}
        self._files: dict[str, bytes | Path] = {}

    def make(self) -> None:
        """Lock all that is needed, then write the context."""
        needed = self._image.answer.added
        self._from_tool({key: version for key, version in needed.items() if key not in self._check.from_here})
        for key in sorted(self._check.from_here):
            self._from_here(key)
        self._image.locked.sort(key=lambda one: canonicalize_name(one.name))
        self._tell()
        self._write()

    def _from_tool(self, versions: dict[str, str]) -> None:
        addresses = {key_of(one): str(one) for one in self._check.question.requirements if one.url}
        pins = [addresses.get(key, f"{key}=={version}") for key, version in versions.items()]
        wheels = self._check.tool.wheels(pins, self._image.target) if pins else []
        for wheel in wheels:
            self._take(wheel, has_address=wheel.key in addresses)

    def _take(self, wheel: Wheel, *, has_address: bool) -> None:
        sha256, address = wheel.sha256, wheel.address if has_address else ""
        if (parts := urlsplit(wheel.address)).scheme == "file":
            # What is on this machine alone goes along.
            path, address = Path(url2pathname(parts.path)), ""
            self._files[f"wheels/{wheel.file}"], sha256 = path, sha256_of(path)
        if not sha256:
            raise RequirementError(
                f"the index tells no SHA-256 of {wheel.name} {wheel.version}, without which the image might get "
                "another one; download its wheel and name the file with --requirement"
            )
        self._image.locked.append(Locked(wheel.key, wheel.version, sha256, address))

    def _from_here(self, key: str) -> None:
        one = self._check.mirrored[key]
        if one.version == LEFT_OUT.get(key):
            self._add(stand_in(key, one.version, summary="Left out: workers do without it."))
            self._image.notes.append(
                f"{key} is left out, because workers do without it; for the real one: --requirement {key}"
            )
            return
        if not one.is_local:
            try:
                self._from_tool({key: one.version})
            except RefusedError:
                pass  # installed from an index or a folder that is not asked any more
            else:
                return
        wheel = wheel_from_here(self._metadata(key), self._check.tool)
        self._check_platform(wheel)
        self._add(wheel)
        self._image.wheels.append(f"{key} {one.version}")

    def _metadata(self, name: str) -> Any:
        return next(iter(importlib_metadata.distributions(name=name, **self._where)))

    def _check_platform(self, wheel: WheelFile) -> None:
        target = self._image.target
        if best_for(target, [(wheel.file, wheel)]) is None:
            raise RequirementError(
                f"{wheel.name} {wheel.version} is installed here for another machine ({wheel.file}) than the image's, "
                f"Python {target.python} on {target.platform}; make its wheel on such a machine and name it with "
                "--requirement"
            )

    def _add(self, wheel: WheelFile) -> None:
        self._files[f"wheels/{wheel.file}"] = wheel.content
        self._image.locked.append(Locked(canonicalize_name(wheel.name), wheel.version, wheel.sha256))

    def _tell(self) -> None:
        image, here = self._image, self._installed
        image.changed = [
            (one.name, here[one.name].version, one.version)
            for one in image.locked
            if one.name in here and one.name not in LEFT_OUT and here[one.name].version != one.version
        ]
        if image.target.python != this_python():
            image.notes.append(
                f"a run from this environment, with Python {this_python()}, would refuse these workers with Python "
                f"{image.target.python}: both must have the same"
            )
        if self._check.question.options:
            image.notes.append(
                "the requirements name an index of their own; where it is not PyPI, let the build know of it: "
                "docker build --secret id=pip.conf,src=pip.conf"
            )
        image.notes += image.answer.notes

    def _write(self) -> None:
        image, folder = self._image, self._chosen.folder
        users: dict[str, bytes] = {}
        if folder is not None:
            users, left_out = read_user_files(folder.path, without=image.output)
            image.notes += [f"{name} in {folder.path} is not put into the image" for name in left_out]
        lock = lock_text(image.locked, image.target)
        image.tag = tag_of(lock, users)
        facts = self._facts(lock)
        text = dockerfile(image.target, has_folder=folder is not None, labels=_labels(facts))
        files: dict[str, bytes | Path] = {
            "requirements.lock": lock.encode("utf-8"),
            "Dockerfile": text.encode("utf-8"),
            ".dockerignore": DOCKERIGNORE.encode("utf-8"),
            **{f"bin/{name}": script.encode("utf-8") for name, script in SCRIPTS.items()},
            **{f"folder/{name}": content for name, content in users.items()},
            **self._files,
        }
        write_context(image.output, files, facts)

    def _facts(self, lock: str) -> dict[str, Any]:
        image = self._image
        return {
            "tag": image.tag,
            "lock": f"sha256:{sha256_of(lock.encode('utf-8'))}",
            "core": image.answer.added[_CORE],
            "plugs": image.plugs,
            "python": image.target.python,
            "platform": image.target.platform,
        }


def _labels(facts: dict[str, Any]) -> dict[str, str]:
    texts = {name: " ".join(fact) if isinstance(fact, list) else fact for name, fact in facts.items()}
    return {f"org.sdt-dask.{name}": text for name, text in texts.items()}
