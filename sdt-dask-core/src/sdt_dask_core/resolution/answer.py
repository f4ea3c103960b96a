"""The answer: what would be installed, what would change, or what stands against it and what to change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sdt_dask_core.resolution.conflict import Conflict
from sdt_dask_core.resolution.needs import ASKED, Need

__all__ = ["Answer", "Change"]


@dataclass(frozen=True, slots=True)
class Change:
    """A distribution that is here and would become another.

    Attributes
    ----------
    name : str
        Its name.
    before, after : str
        Its versions.
    is_shared : bool
        Whether driver and workers must have the same.
    """

    name: str
    before: str
    after: str
    is_shared: bool


@dataclass(slots=True)
class Answer:
    """What `check` found out.

    Attributes
    ----------
    installs : bool
        Whether all that was asked for can be installed together.
    fresh : bool
        Whether a new worker image was asked about.
    python, tool : str
        The Python that it holds for, and who answered: ``uv 0.8.0``.
    requirements : list of str
        What was asked for.
    added : dict of str to str
        What would be installed that is not here; version by name.
    changed : list of Change
        What is here and would change.
    conflict : Conflict or None
        What stands against it, where that was found.
    advice : list of str
        What to change, the best first.
    notes : list of str
        What else to know.
    tool_output : str
        The tool's own words, where it refused.
    """

    installs: bool
    fresh: bool
    python: str
    tool: str
    requirements: list[str]
    added: dict[str, str] = field(default_factory=dict)
    changed: list[Change] = field(default_factory=list)
    conflict: Conflict | None = None
    advice: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tool_output: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return all of it in plain lists and mappings, under names that stay."""
        return {
            "installs": self.installs,
            "fresh": self.fresh,
            "python": self.python,
            "tool": self.tool,
            "requirements": self.requirements,
            "added": [{"name": name, "version": version} for name, version in self.added.items()],
            "changed": [
                {"name": one.name, "from": one.before, "to": one.after, "shared": one.is_shared} for one in self.changed
            ],
            "conflict": None if self.conflict is None else _conflict(self.conflict),
            "advice": self.advice,
            "notes": self.notes,
            "tool_output": self.tool_output,
        }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    sides = [need for need in (conflict.left, conflict.right) if need is not None]
    return {
        "package": conflict.package,
        "sides": [_side(need) for need in sides],
        "left_has_wheel": conflict.is_left_served,
        "wheels": None
        if conflict.versions is None
        else dict(zip(("oldest", "newest"), conflict.versions, strict=True)),
    }


def _side(need: Need) -> dict[str, Any]:
    name, version = need.chain[-1] if need.chain else (None, None)
    return {
        "distribution": name,
        "version": version,
        "range": str(need.specifier),
        "chain": [{"name": name, "version": version} for name, version in need.chain],
        "origin": "you" if need.origin == ASKED and not need.chain else need.origin,
    }
