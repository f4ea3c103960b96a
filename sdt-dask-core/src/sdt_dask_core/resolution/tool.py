"""What is asked of a tool that resolves, and which of the two is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.resolution.installed import Distribution
from sdt_dask_core.resolution.program import Program
from sdt_dask_core.resolution.target import Target
from sdt_dask_core.resolution.wheel import Wheel

__all__ = ["Place", "Tool", "find_tool", "write_requirements"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tool is asked.

    Attributes
    ----------
    folder : Path
        Empty, for what the tool reads and writes.
    python : Path
        The Python of the mirror.
    options : tuple of str
        Lines for each requirements file, such as ``--index-url …``.
    target : Target or None
        The machine that it is meant for; None for this one.
    deadline : float
        When to give up, on the clock of `time.monotonic` [s].
    """

    folder: Path
    python: Path
    options: tuple[str, ...]
    target: Target | None
    deadline: float


class Tool(Protocol):
    """uv or pip, in one place. Wheels alone are looked at; nothing is installed."""

    program: Program
    #: Whether it may be given a question with hundreds of ways to try.
    searches_fast: bool

    def plan(self, requirements: Sequence[str], constraints: Sequence[str] = ()) -> dict[str, str]:
        """Return what would be installed into the mirror: version by canonical name.

        Raises
        ------
        RefusedError
            There is no way.
        """

    def newest(self, requirements: Sequence[str]) -> dict[str, str]:
        """Return the newest version that meets each requirement, by canonical name, whatever it requires itself.

        Raises
        ------
        RefusedError
            There is none for one of them.
        """

    def metadata(self, requirements: Sequence[str]) -> list[Distribution]:
        """Return the metadata of the newest distribution that meets each requirement.

        Raises
        ------
        RefusedError
            There is none for one of them.
        """

    def versions(self, name: str) -> tuple[str, str] | None:
        """Return the oldest and the newest version that has a wheel for this Python; None where there is none."""

    def wheels(self, pins: Sequence[str], target: Target) -> list[Wheel]:
        """Return the wheel of each pinned requirement, ``name==version`` or ``name @ address``, for a machine.

        Raises
        ------
        RefusedError
            There is none for one of them.
        """

    def build(self, source: Path, *, into: Path) -> None:
        """Make the wheel of a project's folder or source archive.

        Raises
        ------
        RefusedError
            It does not build.
        """


def find_tool(place: Place, *, wanted: str | None = None) -> Tool:
    """Return uv where it runs, else pip.

    Parameters
    ----------
    place : Place
        Where it will be asked.
    wanted : str, optional
        "uv" or "pip": that one and no other.

    Raises
    ------
    ConfigurationError
        It does not run, or neither does.
    """
    from sdt_dask_core.resolution.by_pip import Pip, find_pip
    from sdt_dask_core.resolution.by_uv import Uv, find_uv

    if wanted != "pip" and (uv := find_uv()):
        return Uv(uv, place)
    if wanted != "uv" and (pip := find_pip()):
        return Pip(pip, place)
    raise ConfigurationError(
        f"{wanted or 'neither uv nor pip'} {'does not run' if wanted else 'runs'} here, and one of the two "
        "must look for what fits; install uv: see https://docs.astral.sh/uv/getting-started/installation"
    )


def write_requirements(place: Place, name: str, lines: Sequence[str], *, options: bool = True) -> str:
    """Write a requirements file into the folder of a place; return its path."""
    path = place.folder / name
    path.write_text("\n".join([*(place.options if options else ()), *lines]) + "\n", encoding="utf-8")
    return str(path)
