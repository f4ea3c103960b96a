"""What came of comparing two runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.comparison.change import Change, Kind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison"]

_NAMES = ("key", "change", "column", "before", "after", "lower", "upper", "note", "is_worse")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run held against an earlier one.

    Attributes
    ----------
    before, after : str
        Ids of the two runs.
    unlike : tuple of str
        What they did not do alike, one sentence each: options, analyses, window, versions.
    changes : tuple of Change
        What is broken first, then gone, grades, numbers that moved, fixed and new.
    n_both : int
        Number of systems that both have.
    n_failed_in_both : int
        Of these, those that failed both times.
    n_open : int
        Of these, those that one of the runs has still to do.
    tolerance : float
        How far a number without an interval may move.
    """

    before: str
    after: str
    unlike: tuple[str, ...]
    changes: tuple[Change, ...]
    n_both: int
    n_failed_in_both: int
    n_open: int
    tolerance: float

    @property
    def counts(self) -> dict[str, int]:
        """Number of systems by kind of change, zeros too."""
        keys = Counter(kind for kind, _ in {(change.kind, change.key) for change in self.changes})
        return {kind.value: keys[kind] for kind in Kind}

    @property
    def table(self) -> pd.DataFrame:
        """One row for each change; ``before`` and ``after`` as text, because they are grades, causes or numbers."""
        import pandas as pd

        rows = [{**change.as_dict(), "key": change.label} for change in self.changes]
        table: pd.DataFrame = pd.DataFrame.from_records(rows, columns=list(_NAMES))
        for name in ("before", "after"):
            table[name] = [None if value is None else str(value) for value in table[name]]
        typed: pd.DataFrame = table.astype({"lower": "float64", "upper": "float64", "is_worse": "bool"})
        return typed

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 1 where a system is broken, else 0; `strict` counts all that is worse: gone, grades, numbers."""
        return int(any(change.kind is Kind.BROKEN or (strict and change.is_worse) for change in self.changes))

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON holds it."""
        numbers = ("n_both", "n_failed_in_both", "n_open", "tolerance")
        return {
            "before": self.before,
            "after": self.after,
            "unlike": list(self.unlike),
            "counts": self.counts,
            **{name: getattr(self, name) for name in numbers},
            "changes": [change.as_dict() for change in self.changes],
        }
