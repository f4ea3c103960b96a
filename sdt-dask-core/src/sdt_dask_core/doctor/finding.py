"""A finding: what is wrong, how much, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ERROR", "HERE", "THERE", "WARNING", "Finding"]

ERROR = "error"
WARNING = "warning"

HERE = "here"
THERE = "there"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an environment.

    Attributes
    ----------
    level : str
        `ERROR`: a run fails, or may fail in the middle. `WARNING`: it works here, and maybe not elsewhere.
    about : str
        "requirement", "name", "provider", "source", "path" or "cluster".
    message : str
        What is wrong, and why it matters.
    commands : tuple of str
        What mends it, for a shell; each of several does.
    place : str
        Where to type it: `HERE`, or `THERE` for the machines of the cluster.
    """

    level: str
    about: str
    message: str
    commands: tuple[str, ...]
    place: str = HERE
