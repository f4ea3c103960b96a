"""SDT's rule for the end of its Monte Carlo rounds, decided on rates that are known but for a small error.

Re-derived from ``LossFactorAnalysis.estimate_degradation_rate`` (solardatatools, BSD 2-clause): after twenty rounds it
ends when the median and the outer quantiles of all rates so far move little, in this round and over the last ten.
A rate from the reduced problem is within a margin of SDT's own. Quantiles grow with each of their samples, so these
margins bound every statistic; while the bounds leave the decision open, the rounds on which it hangs are asked for
exactly. So the number of rounds is that of the original, not nearly so. Where an exact rate shows that the margin was
too narrow for this system, it becomes wider, and what was decided with the narrow one is decided again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOSE", "MARGIN", "Rates", "UnsafeError", "statistics_of"]

#: How far a rate of the reduced problem may be from SDT's own [%/yr]; a hundred times less is usual. Of a rate beyond
#: 1 %/yr so much of it: where the data say nothing of a trend, rates of millions are found, as far as digits go.
MARGIN = 1e-4

# About one round in a hundred is farther away, because SDT's own solve ends that far from the solution.
_MARGINS = (MARGIN, 1e-3, 5e-3)

#: How closely the quantiles are known that are reported as the bounds of the rate [%/yr].
CLOSE = 1e-3

METHOD: Literal["median_unbiased"] = "median_unbiased"
_QUANTILES = (0.5, 0.025, 0.975)
_WINDOW = 10  # changes that are averaged
_THIRD = 1 / 3


def statistics_of(rates: NDArray[np.float64]) -> list[float]:
    """Return the median and the 2.5 % and 97.5 % quantiles, in the very calls of the original."""
    _, low, high = _QUANTILES
    return [
        float(np.median(rates)),
        float(np.quantile(rates, low, method=METHOD)),
        float(np.quantile(rates, high, method=METHOD)),
    ]


class UnsafeError(Exception):
    """A system that is left to the original."""


class Rates:
    """The rates of all rounds so far, each from the reduced problem or exact.

    Parameters
    ----------
    exact : callable
        Given the number of a round, returns SDT's own rate of it, at the cost of a solve of the original problem.

    Attributes
    ----------
    margin : float
        How far a rate of the reduced problem is taken to be from SDT's own at most [%/yr], and of one beyond 1 %/yr
        which part of it. When it has grown, what was decided before is to be decided again.
    """

    def __init__(self, exact: Callable[[int], float]) -> None:
        self.margin = MARGIN
        self._exact = exact
        self._values: list[float] = []
        self._is_exact: list[bool] = []
        self._known: dict[int, list[list[float]]] = {}  # statistics, while no rate changes

    def append(self, rate: float) -> None:
        """Add the rate of a round, from the reduced problem."""
        self._values.append(rate)
        self._is_exact.append(False)

    def append_exact(self, rate: float) -> None:
        """Add the rate of a round, from the original's problem."""
        self._values.append(rate)
        self._is_exact.append(True)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> NDArray[np.float64]:
        """The best known rates [%/yr]."""
        return np.array(self._values)

    def are_settled(self, tolerances: list[float], n_rounds: int) -> bool:
        """Tell whether the rule held after so many rounds, as it would on exact rates.

        Parameters
        ----------
        tolerances : list of float
            Largest change of the median and of either quantile [%/yr].
        n_rounds : int
            The rounds from the first that are looked at.

        Raises
        ------
        UnsafeError
            An exact rate is beyond every margin.
        """
        limits = np.array(tolerances)
        ends = range(max(1, n_rounds - _WINDOW), n_rounds + 1)
        while True:
            least, most = self._changes(ends)
            are_small = _are_small(most, limits)
            if not _are_small(least, limits).all():
                return False
            # One quantile at a time, from the last round back: what is asked for often tells of those before, too.
            # Where no round is left to ask for, the bounds are as good as one number.
            still_open = np.array(_QUANTILES)[~are_small]
            if not any(self._refine(end, quantile) for end in reversed(ends) for quantile in still_open):
                return True

    def refine(self, n_rounds: int) -> None:
        """Ask exactly for what is reported of the first so many rounds; raises as `are_settled`.

        That is the median, and either quantile that is known less well than to `CLOSE`.
        """
        while self._refine(n_rounds, _QUANTILES[0]):
            pass
        while any(self._refine(n_rounds, quantile) for quantile in self._unsure(n_rounds)):
            pass

    def _unsure(self, n_rounds: int) -> tuple[float, ...]:
        low, high = np.array(self._statistics(n_rounds))
        return tuple(np.array(_QUANTILES)[(high - low) / 2 > CLOSE])

    def _statistics(self, end: int) -> list[list[float]]:
        """Return the least and the largest statistics of the first so many rounds."""
        if end not in self._known:
            self._known[end] = [statistics_of(bound[:end]) for bound in self._bounds()]
        return self._known[end]

    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what each of SDT's own rates is at least and at most."""
        values = self.values
        errors = np.where(self._is_exact, 0, self.margin * _size(values))
        return values - errors, values + errors

    def _changes(self, ends: range) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the largest sizes of the last changes, shape (_WINDOW, 3)."""
        low, high = np.array([self._statistics(end) for end in ends]).transpose(1, 0, 2)
        downward, upward = low[1:] - high[:-1], high[1:] - low[:-1]
        least = np.where((downward <= 0) & (upward >= 0), 0, np.minimum(abs(downward), abs(upward)))
        return least, np.maximum(abs(downward), abs(upward))

    def _refine(self, end: int, quantile: float) -> bool:
        """Ask exactly for what a quantile of the first so many rounds hangs on; tell whether there was any."""
        missing = [number for number in self._near(end, quantile) if not self._is_exact[number]]
        for number in missing:
            rate = self._exact(number)
            self._widen(rate, self._values[number])
            self._values[number] = rate
            self._is_exact[number] = True
        if missing:
            self._known.clear()
        return bool(missing)

    def _widen(self, exact: float, reduced: float) -> None:
        """Make the margin wide enough for an exact rate that is so far from the reduced problem's."""
        distance = abs(exact - reduced)
        enough = next((margin for margin in _MARGINS if distance <= margin * _size(reduced)), None)
        if enough is None:
            raise UnsafeError(f"a rate is {distance:g} %/yr away from the reduced problem's {reduced:g}")
        self.margin = max(self.margin, enough)

    def _near(self, end: int, quantile: float) -> NDArray[np.intp]:
        """Return the rounds whose rate may be one of the two between which the quantile lies."""
        low, high = (bound[:end] for bound in self._bounds())
        place = (end + _THIRD) * quantile + _THIRD - 1  # Hyndman and Fan's type 8, counted from 0; the median's too
        places = [min(max(round_(place), 0), end - 1) for round_ in (math.floor, math.ceil)]
        least, most = np.sort(low), np.sort(high)
        return np.flatnonzero(np.any([(low <= most[at]) & (high >= least[at]) for at in places], axis=0))


def _size(rates: NDArray[np.float64] | float) -> Any:
    return np.maximum(1, np.abs(rates))


def _are_small(changes: NDArray[np.float64], limits: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each statistic whether its last change and the average of its last ones are within the limit."""
    averages: NDArray[np.float64] = np.average(changes, axis=0)
    are_small: NDArray[np.bool_] = np.maximum(changes[-1], averages) <= limits
    return are_small
