"""Text of others and numbers of ours as a page shows them."""

from __future__ import annotations

import hashlib
import re
import shlex
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdt_dask_core.keys import key_label
from sdt_dask_core.registry import YOURS
from sdt_dask_core.secret import redact

if TYPE_CHECKING:
    from sdt_dask_core.settings import RunSettings

__all__ = ["command_for", "file_name", "number", "one_line", "pattern", "shortened", "shown_key", "text"]

# Control characters, those that reverse the direction of writing, and lone surrogates.
_HIDDEN = ("Cc", "Cf", "Cs")
_NUMBER = re.compile(r"[-+−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", re.IGNORECASE)
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_NAME = 40


def text(value: object) -> str:
    """Return a text without secrets, with every character that one cannot see written out; line ends and tabs stay."""
    known = redact(str(value))
    if known.isprintable():  # most are, and ten thousand systems have a lot of them
        return known
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else _escaped(c) for c in known)


def one_line(value: object, longest: int = 10_000) -> str:
    """Return such a text in one line, cut where it is too long."""
    return shortened(" ".join(text(value).split()), longest)


def shortened(line: str, longest: int) -> str:
    """Return a line cut where it is too long."""
    return line if len(line) <= longest else f"{line[: longest - 2]} …"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shown_key(canonical: str, longest: int = 200) -> str:
    """Return a key, given as its canonical text, as people read it."""
    return one_line(key_label(canonical), longest)


def number(value: Any, digits: int = 3) -> str:
    """Return a number with so many digits, a dash where there is none; a yes or no as a word."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return one_line(value, 200)
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"  # noqa: PLR2004
    return shown.replace("-", "−")


def pattern(reason: str) -> str:
    """Return a reason, in one line, with its numbers left out, so that the same reason of many systems is one."""
    return _NUMBER.sub("#", reason[:200])


def file_name(canonical: str) -> str:
    """Return the name of a system's page: readable where the key is, and never anything but a name in the folder."""
    readable = _NOT_IN_FILES.sub("-", key_label(canonical))[:_LONGEST_NAME].strip("-")
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:12]
    return f"{readable}-{digest}" if readable else digest


def command_for(settings: RunSettings, output: object, *keys: str, force: bool = False) -> str:
    """Return the command line that runs these keys, or all, again; secrets stand in it as references.

    A plug that is a class of the user's own has no name on a command line, but its folder, which the ledger does not
    know.
    """
    job = settings.job
    is_yours = job.plug.distribution == YOURS
    parts = ["sdt-dask", "run", *(["FOLDER"] if is_yours else ["--plug", job.plug.name])]
    parts += _options("-p", job.plug.options)
    if settings.client.name != "local":
        parts += ["--client", settings.client.name]
    parts += [*_options("-c", settings.client.options), "-o", str(output)]
    if settings.keys_from.startswith("manifest "):
        parts += ["--manifest", settings.keys_from.partition(" ")[2]]
    names = ",".join(analysis.name for analysis in job.analyses)
    if names != "quality,losses":
        parts += ["--analyses", names or "none"]
    if any(analysis.options.get("all_losses") for analysis in job.analyses):
        parts.append("--all-losses")
    if not job.accelerate:
        parts.append("--no-accelerate")
    for name, flag in (("since", "--since"), ("until", "--until"), ("look_back", "--look-back")):
        value = getattr(job.window, name, None)
        if value:
            parts += [flag, str(value)]
    parts += [part for key in keys for part in ("-k", key_label(key))]
    command = " ".join(shlex.quote(part) for part in [*parts, *(["--force"] if force else [])])
    return text(f"{command}  # FOLDER holds the class {job.plug.name}" if is_yours else command)


def _options(flag: str, options: Mapping[str, Any]) -> list[str]:
    return [part for name, value in options.items() if value is not None for part in (flag, f"{name}={_plain(value)}")]


def _plain(value: Any) -> str:
    return ",".join(map(_plain, value)) if isinstance(value, (list, tuple)) else str(value)
