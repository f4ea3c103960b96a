"""One thing that is not as it was."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.keys import key_label

__all__ = ["Change", "Kind"]


class Kind(str, enum.Enum):
    """What can change of a system, what needs a look first."""

    BROKEN = "broken"
    GONE = "gone"
    GRADE = "grade"
    MOVED = "moved"
    FIXED = "fixed"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of one system that is not as it was.

    Attributes
    ----------
    key : str
        Canonical text of its key.
    kind : Kind
        "broken" (done before, failed now), "gone", "grade", "moved", "fixed" (failed before, done now) or "new".
    column : str
        The result column of a number that moved, else empty.
    before, after : object
        The number, or the grade, "failed" with its cause, or None where the system was not there.
    lower, upper : float or None
        The interval that the number left, where it has one.
    note : str
        Why it counts, or the message of the failure.
    is_worse : bool
        Whether it is one that a strict look objects to.
    """

    key: str
    kind: Kind
    column: str = ""
    before: Any = None
    after: Any = None
    lower: float | None = None
    upper: float | None = None
    note: str = ""
    is_worse: bool = False

    @property
    def label(self) -> str:
        """The key as a user types it."""
        return key_label(self.key)

    def as_dict(self) -> dict[str, Any]:
        """Return the change as JSON holds it."""
        names = ("column", "before", "after", "lower", "upper", "note", "is_worse")
        values = {name: getattr(self, name) for name in names}
        return {"key": json.loads(self.key), "change": self.kind.value, **values}
