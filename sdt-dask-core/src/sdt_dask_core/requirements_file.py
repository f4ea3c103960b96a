"""The lines of a ``requirements.txt``: what is joined, commented out or said to pip alone is sorted here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sdt_dask_core.errors import RequirementError

__all__ = ["Line", "read_lines"]

_COMMENT = re.compile(r"(^|\s+)#.*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement or option of a file.

    Attributes
    ----------
    text : str
        Without comment and hashes.
    number : int
        Where it begins, counted from 1.
    """

    text: str
    number: int

    @property
    def is_option(self) -> bool:
        """Whether it speaks to pip, such as ``-r more.txt`` or ``--index-url``."""
        return self.text.startswith("-")


def read_lines(path: Path) -> list[Line]:
    """Read a file; empty lines and comments are left out.

    Raises
    ------
    RequirementError
        The file cannot be opened or is not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a byte order mark first
    except UnicodeDecodeError as error:
        raise RequirementError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise RequirementError(f"{path} cannot be read: {error.strerror}") from error
    return [line for number, joined in _joined(text.splitlines()) if (line := Line(_bare(joined), number)).text]


def _joined(lines: list[str]) -> list[tuple[int, str]]:
    """Join what ends in a backslash with the next; pip-compile writes ``name==1.0 --hash=…`` over several lines."""
    joined: list[tuple[int, str]] = []
    is_open = False
    for number, line in enumerate(lines, 1):
        part = line[:-1] + " " if line.endswith("\\") and not line.lstrip().startswith("#") else line
        if is_open:
            joined[-1] = (joined[-1][0], joined[-1][1] + part)
        else:
            joined.append((number, part))
        is_open = part != line
    return joined


def _bare(text: str) -> str:
    text = _COMMENT.sub("", text).strip()
    return text if text.startswith("-") else text.partition(" --")[0].strip()
