"""One wheel that was found for a pinned requirement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from sdt_dask_core.resolution.target import Target

__all__ = ["Wheel", "best_for", "file_in"]

_Named = TypeVar("_Named")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel, where it is and what it must be.

    Attributes
    ----------
    name, version : str
        Of the distribution.
    address : str
        Of the wheel, as the tool says it.
    sha256 : str
        Of its content [hex]; empty where the index does not tell.
    """

    name: str
    version: str
    address: str
    sha256: str

    @property
    def key(self) -> str:
        """The name as indexes compare it."""
        return canonicalize_name(self.name)

    @property
    def file(self) -> str:
        """The name of its file."""
        return file_in(self.address)


def file_in(address: str) -> str:
    """Return the name of the file at an address."""
    return unquote(urlsplit(address).path.rpartition("/")[2])


def best_for(target: Target, named: Iterable[tuple[str, _Named]]) -> _Named | None:
    """Return, of things with the names of their wheels, the one whose wheel suits a machine best; None if none does."""
    rank = {tag: number for number, tag in enumerate(target.tags())}
    found: list[tuple[int, str, _Named]] = []
    for file, thing in named:
        try:
            tags = parse_wheel_filename(file)[3]
        except InvalidWheelFilename:
            continue
        ranks = [rank[tag] for tag in tags if tag in rank]
        if ranks:
            found.append((min(ranks), file, thing))
    return min(found, key=lambda one: one[:2])[2] if found else None
