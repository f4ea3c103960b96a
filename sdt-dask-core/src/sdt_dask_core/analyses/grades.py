"""Grades: how far a system's numbers can be trusted, with the reasons.

The limits are this project's own, in the light of what the literature uses: two years for a year-on-year rate (RdTools
``degradation.py``; PVplr ``data_quality_check``), a fleet median near -0.75 %/yr with 90 % of systems losing less than
2 %/yr (Jordan et al. 2022 and PV Fleets 2024). They are printed with each reason, so that a reader can judge.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["TREND_YEARS", "WORTHLESS_DAYS", "WORTHLESS_QUALITY", "Grade", "Verdict", "judge_range", "worst"]

#: With that many days of data or fewer a trend is worthless [d]: SDT's own limit for its loss analysis.
WORTHLESS_DAYS = 365

#: With fewer years of data a trend is doubtful [yr]: what RdTools and PVplr ask for.
TREND_YEARS = 2.0

#: With a lower quality score a trend is worthless [1].
WORTHLESS_QUALITY = 0.50


class Grade(str, enum.Enum):
    """Trust in a system's numbers, from the best to the worst."""

    OK = "ok"
    CAUTION = "caution"
    WITHHELD = "withheld"


_ORDER = list(Grade)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One reason for a grade that is not ok."""

    grade: Grade
    reason: str


def worst(grades: Iterable[Grade]) -> Grade:
    """Return the worst of the grades; ok where there is none."""
    return max(grades, key=_ORDER.index, default=Grade.OK)


def judge_range(
    what: str, value: float | None, *, ok: tuple[float, float], caution: tuple[float, float]
) -> Verdict | None:
    """Judge a number by two ranges, bounds included.

    Parameters
    ----------
    what : str
        How the reason names it, with a ``{}`` for the value: ``"degradation rate {:.2f} %/yr"``.
    value : float or None
        None and what is not finite are withheld.
    ok, caution : tuple of float
        Lowest and highest value that is trusted, and that is shown with caution.

    Returns
    -------
    Verdict or None
        None where the value is trusted.
    """
    if value is None or not math.isfinite(value):
        return Verdict(Grade.WITHHELD, f"{what.format(math.nan)} is not a finite number")
    if _is_within(value, ok):
        return None
    if _is_within(value, caution):
        return Verdict(Grade.CAUTION, f"{what.format(value)} is {_beyond(value, ok)}")
    return Verdict(Grade.WITHHELD, f"{what.format(value)} is {_beyond(value, caution)}")


def _is_within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _beyond(value: float, bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"below {low:g}" if value < low else f"above {high:g}"
