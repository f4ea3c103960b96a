"""The degradation rate of one Monte Carlo round of SDT's loss analysis, from a smaller problem with the same solution.

Re-derived from ``solardatatools.algorithms.loss_factor_analysis`` (BSD 2-clause), whose model of the logarithm of the
daily energy is: residual + level of capacity + soiling + degradation + season. Soiling is a sum of ramps, and neither
soiling nor levels are ever above zero, so all of that problem is linear but the squares of the season's coefficients.
What is solved here is its dual, by the simplex method of HiGHS:

    maximize    data @ price - sum(square_weights / 2 * bend**2)
    subject to  tau - 1 <= price <= tau on days in use, price = 0 on all others, excess >= 0,
                abs(ramps.T @ (price + sparsity - excess)) <= weight,
                line @ price = 0,  levels.T @ price >= -1e-6 * days of each level,
                season.T @ price = square_weights * bend

The slope of degradation is the multiplier of the line's row. From round to round nothing but bounds changes, so that
the basis of an earlier round is dual feasible: from there it takes a few hundred pivots, where an interior-point solver
begins anew. In place of half its square a bend has a chain of tangents, which lie the closer the nearer they are to
where the solution is expected; once it is found they are laid around it, until it does not move.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ReducedLosses", "UnsolvedError"]

_YEAR = 365  # as SDT counts it; also scales the line of degradation, so that its multiplier is of the others' size
_CAPACITY_WEIGHT = 1e-6
_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",  # it would lose the basis
    "solver": "simplex",
    "simplex_strategy": 1,  # dual
    "simplex_scale_strategy": 0,  # the rows are of one size, and the tolerances hold for them as they are
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "dual_simplex_cost_perturbation_multiplier": 0.0,  # the costs are data, no two alike, so that nothing stalls
}
#: Pivots of one solve; a thousand are many.
MOST_PIVOTS = 100_000

# Where the tangents touch, seen from where a bend is expected; the season's coefficients are logarithms of energy.
_CLOSEST = 1e-7
_STEPS = _CLOSEST * 4.0 ** np.arange(13)
_TOUCHES = np.concatenate([-_STEPS[::-1], _STEPS])
_REACH = 100.0
_KINKS = np.concatenate([[-_REACH], (_TOUCHES[1:] + _TOUCHES[:-1]) / 2, [_REACH]])
_COST = 100.0  # all costs times this, so that the tolerance of multipliers tells such close tangents apart
_MOST_PASSES = 20


class UnsolvedError(Exception):
    """The solver did not reach the solution."""


class ReducedLosses:
    """The loss problem of one system, but for what differs between rounds.

    Parameters
    ----------
    log_energy : numpy.ndarray, shape (n_days,)
        Logarithm of the daily energy; NaN where there is none.
    ramps : scipy sparse array, shape (n_days, n_ramps)
        SDT's sawtooth dictionary.
    season : numpy.ndarray, shape (n_days, n_season)
        Fourier basis of the season.
    season_weights : numpy.ndarray, shape (n_season,)
        Weight of half the square of each coefficient.
    levels : numpy.ndarray, shape (n_days, n_levels)
        Which day has which level of capacity; no column where the levels are not used.
    sparsity : float
        Weight of the soiling itself.
    """

    def __init__(
        self,
        log_energy: NDArray[np.float64],
        *,
        ramps: Any,
        season: NDArray[np.float64],
        season_weights: NDArray[np.float64],
        levels: NDArray[np.float64],
        sparsity: float,
    ) -> None:
        squared = np.flatnonzero(season_weights)
        self._log_energy = log_energy
        self._n_days, self._n_ramps = ramps.shape
        self._line_at = self._n_ramps + levels.shape[1]  # the rows are those of ramps, levels, line, season
        self._season_at = self._line_at + 1 + squared
        self._square_weights = season_weights[squared]
        self._unsoiled = sparsity * np.asarray(ramps.sum(axis=0)).ravel()
        self._model = self._new_model(ramps, levels, season)
        self._solved: list[_Solved] = []

    def rate(self, *, tau: float, weight: float, in_use: NDArray[np.bool_]) -> float:
        """Return the degradation rate, as SDT defines it, relative to the later year [%/yr].

        Parameters
        ----------
        tau : float
            Quantile that the model follows.
        weight : float
            Of each ramp of soiling.
        in_use : numpy.ndarray, shape (n_days,)
            Days that count.

        Raises
        ------
        UnsolvedError
            The solver did not reach the solution.
        """
        days = in_use & ~np.isnan(self._log_energy)
        centres = self._start_near(tau, weight)
        self._model.changeColsBounds(self._n_days, _numbers(self._n_days), (tau - 1) * days, tau * days)
        limits = -weight - self._unsoiled, weight - self._unsoiled
        self._model.changeRowsBounds(self._n_ramps, _numbers(self._n_ramps), *limits)
        for _ in range(_MOST_PASSES):
            self._lay_tangents(centres)
            _run(self._model)
            slope, coefficients, bends = self._solution(centres)
            if np.all(np.abs(coefficients - bends) <= 2 * _CLOSEST):
                self._solved.append(_Solved(tau, weight, self._model.getBasis(), centres))
                return float(100 * (1 - np.exp(-slope)))
            centres = coefficients
        raise UnsolvedError(f"the season still moves after {_MOST_PASSES} passes")

    def _start_near(self, tau: float, weight: float) -> NDArray[np.float64]:
        """Start from the basis of the round with the likest settings; return where its tangents lay."""
        if not self._solved:
            return np.zeros(len(self._season_at))
        nearest = min(self._solved, key=lambda solved: solved.distance(tau, weight))
        self._model.setBasis(nearest.basis)
        return nearest.centres

    def _lay_tangents(self, centres: NDArray[np.float64]) -> None:
        """Let the tangents of each bend lie the closer the nearer they are to its centre."""
        count, weights = len(centres) * len(_TOUCHES), self._square_weights
        columns = 2 * self._n_days + _numbers(count)
        slopes = _COST * weights[:, np.newaxis] * np.add.outer(centres, _TOUCHES)
        self._model.changeColsCost(count, columns, slopes.ravel())
        least = weights * (centres - _REACH)
        self._model.changeRowsBounds(len(centres), self._season_at.astype(np.int32), least, least)

    def _solution(self, centres: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the slope of the line, and the season's coefficients and bends, equal but for the tangents' steps."""
        solution = self._model.getSolution()
        multipliers, values = -np.array(solution.row_dual) / _COST, np.array(solution.col_value)
        along = values[2 * self._n_days :].reshape(-1, len(_TOUCHES)).sum(axis=1)
        return float(multipliers[self._line_at]), multipliers[self._season_at], centres - _REACH + along

    def _new_model(self, ramps: Any, levels: NDArray[np.float64], season: NDArray[np.float64]) -> Any:
        """Return the problem as HiGHS has it, but for what a round sets."""
        highspy = _highspy()
        n_bends, no_days, no_ramps = len(self._season_at), np.zeros(self._n_days), np.zeros(self._n_ramps)
        line = _numbers(self._n_days)[:, np.newaxis] / _YEAR
        rows = self._rows(ramps, np.hstack([levels, line, season]))
        equal, one_sided = np.zeros(1 + season.shape[1]), -_CAPACITY_WEIGHT * levels.sum(axis=0)
        problem = highspy.HighsLp()
        problem.num_row_, problem.num_col_ = rows.shape
        matrix = problem.a_matrix_
        matrix.start_, matrix.index_, matrix.value_ = rows.indptr, rows.indices, rows.data
        problem.row_lower_ = np.concatenate([no_ramps, one_sided, equal])
        problem.row_upper_ = np.concatenate([no_ramps, one_sided + np.inf, equal])
        tangents = np.tile(np.diff(_KINKS), n_bends)
        problem.col_cost_ = np.concatenate([-_COST * np.nan_to_num(self._log_energy), no_days, 0 * tangents])
        problem.col_lower_ = np.zeros(rows.shape[1])
        problem.col_upper_ = np.concatenate([no_days, no_days + np.inf, tangents])
        model = highspy.Highs()
        for name, value in {**_OPTIONS, "simplex_iteration_limit": MOST_PIVOTS}.items():
            model.setOptionValue(name, value)
        model.passModel(problem)
        return model

    def _rows(self, ramps: Any, free: NDArray[np.float64]) -> Any:
        """Return the rows; columns are prices, excesses, and the tangents of each bend."""
        import scipy.sparse as sp

        n_bends, n_rows = len(self._season_at), free.shape[1]
        bends = np.zeros((n_rows, n_bends, len(_TOUCHES)))
        bends[self._season_at - self._n_ramps, np.arange(n_bends)] = -self._square_weights[:, np.newaxis]
        of_ramps, no_excess = sp.csr_array(ramps.T), sp.csr_array((n_rows, self._n_days))
        blocks = [
            [of_ramps, -of_ramps, None],
            [sp.csr_array(free.T), no_excess, sp.csr_array(bends.reshape(n_rows, -1))],
        ]
        return sp.csc_array(sp.block_array(blocks))


@dataclass(frozen=True, slots=True)
class _Solved:
    tau: float
    weight: float
    basis: Any
    centres: NDArray[np.float64]

    def distance(self, tau: float, weight: float) -> float:
        # SDT draws tau from a range of 0.1; a weight acts by its ratio to another.
        return (10 * (tau - self.tau)) ** 2 + math.log(weight / self.weight) ** 2


@functools.cache
def _highspy() -> Any:
    """Import HiGHS; let it say its name to nobody, as it does with the first model, before it takes an option."""
    import highspy

    libc = ctypes.CDLL(None)
    libc.fflush(None)  # what others wrote there is for those who read it
    stdout, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        highspy.Highs()  # type: ignore[no-untyped-call]
        libc.fflush(None)
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(nothing)
    return highspy


def _run(model: Any) -> None:
    model.run()
    status = model.getModelStatus()
    if status != _highspy().HighsModelStatus.kOptimal:
        model.clearSolver()
        raise UnsolvedError(model.modelStatusToString(status))


def _numbers(count: int) -> NDArray[np.int32]:
    return np.arange(count, dtype=np.int32)
