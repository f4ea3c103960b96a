"""The figures of a fleet as shapes: each is drawn as SVG by the template, and has a table of the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.report.words import number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Distribution", "Factor", "distribution", "factors", "median_interval", "said", "spread"]

_BINS = 24
_MOST_SPREAD = 3.0  # how far beyond the middle half of the values the axis goes, in widths of that half
_Z = 1.96  # of a 95 % interval
_FEWEST_FOR_INTERVAL = 6  # fewer values cannot bound their median with 95 %


@dataclass(frozen=True, slots=True)
class Distribution:
    """How one number is distributed over the trusted systems.

    Attributes
    ----------
    name, title, unit : str
        The column, its words and its unit.
    n_used, n_systems : int
        How many systems have the number and are trusted, and how many there are.
    median : float
        The median.
    interval : tuple of float or None
        95 % interval of the median, from order statistics; None of fewer than six values.
    p10, p90 : float
        What the middle 80 % of the systems lie between.
    bins : list of tuple
        ``(from, to, systems)``; the outermost take in what lies beyond.
    """

    name: str
    title: str
    unit: str
    n_used: int
    n_systems: int
    median: float
    interval: tuple[float, float] | None
    p10: float
    p90: float
    bins: list[tuple[float, float, int]]

    @property
    def tallest(self) -> int:
        """Systems in the fullest bin."""
        return max(count for _, _, count in self.bins)

    @property
    def low(self) -> float:
        """Where the axis starts."""
        return self.bins[0][0]

    @property
    def high(self) -> float:
        """Where it ends."""
        return self.bins[-1][1]

    def place(self, value: float) -> float:
        """Return where a value lies on the axis [1]."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Factor:
    """What one factor takes off the baseline energy of the trusted systems [%]."""

    title: str
    n_used: int
    median: float
    p10: float
    p90: float


def distribution(values: Sequence[float], *, name: str, title: str, unit: str, n_systems: int) -> Distribution | None:
    """Return how values are distributed, None where there is none."""
    import numpy as np

    known = np.sort(np.asarray([value for value in values if math.isfinite(value)], dtype=float))
    if not len(known):
        return None
    p10, q1, median, q3, p90 = (float(x) for x in np.quantile(known, [0.1, 0.25, 0.5, 0.75, 0.9]))
    reach = _MOST_SPREAD * (q3 - q1)
    low, high = max(float(known[0]), q1 - reach), min(float(known[-1]), q3 + reach)
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    counts, edges = np.histogram(np.clip(known, low, high), bins=min(_BINS, max(5, len(known))), range=(low, high))
    bins = [(float(a), float(b), int(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    return Distribution(
        name, title, unit, len(known), n_systems, median, median_interval(known.tolist()), p10=p10, p90=p90, bins=bins
    )


def median_interval(ordered: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the median of sorted values, from order statistics: no shape is assumed."""
    n = len(ordered)
    if n < _FEWEST_FOR_INTERVAL:
        return None
    half = _Z * math.sqrt(n) / 2
    low, high = max(math.floor(n / 2 - half), 0), min(math.ceil(n / 2 + half), n - 1)
    return float(ordered[low]), float(ordered[high])


def factors(summary: pd.DataFrame, titles: Mapping[str, str]) -> list[Factor]:
    """Return what each factor takes, of those that any trusted system has."""
    found = []
    for name, title in titles.items():
        column = f"{name}_loss_pct"
        if column in summary.index and summary.loc[column, "n_used"]:
            row: Any = summary.loc[column]
            found.append(Factor(title, int(row["n_used"]), float(row["median"]), float(row["p10"]), float(row["p90"])))
    return found


def spread(found: Iterable[Factor]) -> tuple[float, float]:
    """Return the ends of an axis that holds all factors [%]."""
    ends = [end for factor in found for end in (factor.p10, factor.p90, 0.0)]
    low, high = min(ends), max(ends)
    room = 0.04 * ((high - low) or 1.0)
    return low - room, high + room


def said(value: Distribution) -> str:
    """Return a distribution in words."""
    interval = value.interval
    between = f" (95 % interval {number(interval[0])} to {number(interval[1])})" if interval else ""
    median = f"median {number(value.median)} {value.unit}".strip()
    return f"{median}{between}, {value.n_used:,} used of {value.n_systems:,}"
