"""The degradation rate of one Monte Carlo round of SDT's loss analysis, from a smaller problem with the same solution.

Re-derived from ``solardatatools.algorithms.loss_factor_analysis`` (BSD 2-clause), whose model of the logarithm of the
daily energy is: residual + level of capacity + soiling + degradation + season. The problem there has 12,000 variables
for two years of days; this one has a third, in a third of the entries, because

- soiling and capacity are never positive, so the absolute values that weigh them are linear;
- only days in use have a residual, and its two sides are one variable and one inequality;
- the line of degradation is one variable, the season its nine coefficients;
- soiling is made of ramps, and the second difference of a ramp is zero but at its ends. Written with second
  differences, each ramp touches 4 rows in place of up to half of all days, and so the factors of the solver's matrix
  stay thin. The differences start anew every few weeks, lest rounding adds up along the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ReducedLosses", "UnsolvedError", "solver_settings"]

_YEAR = 365  # as SDT counts it; also scales the line of degradation, so that its variable is of the size of the others
_STRETCH = 64  # days in which second differences follow one another
_CAPACITY_WEIGHT = 1e-6
_ORDER = 2  # of the differences
_NOTHING = 1e-12  # what rounding leaves of a second difference inside a ramp
# Tighter than the default of 1e-8, which leaves the rate of the original itself uncertain by up to 1e-4 %/yr.
_TOLERANCE = 1e-9


class UnsolvedError(Exception):
    """The solver did not reach the tolerance."""


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
        Weight of the square of each coefficient.
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
        import scipy.sparse as sp

        self._log_energy = log_energy
        self._sparsity = sparsity
        self._n_days, self._n_ramps = ramps.shape
        self._n_levels = levels.shape[1]
        line = np.arange(self._n_days)[:, np.newaxis] / _YEAR
        self._free = np.hstack([levels, line, season])  # dense columns: all that is neither soiling nor residual
        self._slope_at = 2 * self._n_ramps + self._n_levels
        self._squares = np.concatenate([np.zeros(self._slope_at + 1), season_weights])
        self._definition = self._definition_rows(sp.csc_array(ramps))
        self._inequalities = self._inequality_rows()

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
            The solver did not reach its tolerance.
        """
        days = in_use & ~np.isnan(self._log_energy)
        slope = self._solve(tau, weight, days)[self._slope_at]
        return float(100 * (1 - np.exp(-slope)))

    def _solve(self, tau: float, weight: float, days: NDArray[np.bool_]) -> NDArray[np.float64]:
        import clarabel
        import scipy.sparse as sp

        rows = self._rows(days)
        n_equal, n_used = self._n_days, int(days.sum())
        bounds = np.zeros(rows.shape[0])
        bounds[n_equal : n_equal + n_used] = self._log_energy[days]
        cones = [clarabel.ZeroConeT(n_equal), clarabel.NonnegativeConeT(rows.shape[0] - n_equal)]
        squares = np.concatenate([self._squares, np.zeros(self._n_days + n_used)])
        quadratic = sp.csc_array(sp.diags_array(squares))
        costs = self._costs(tau, weight, days)
        solution = clarabel.DefaultSolver(quadratic, costs, rows, bounds, cones, solver_settings()).solve()
        if str(solution.status) != "Solved":
            raise UnsolvedError(str(solution.status))
        return np.array(solution.x)

    def _costs(self, tau: float, weight: float, days: NDArray[np.bool_]) -> NDArray[np.float64]:
        # tau * r for r > 0 and (tau - 1) * r below, where r = data - model: tau * r, and 1 for each unit below zero.
        free = -tau * self._free[days].sum(axis=0)
        free[: self._n_levels] -= _CAPACITY_WEIGHT * self._free[:, : self._n_levels].sum(axis=0)
        soiling = -self._sparsity - tau * days
        ramps = np.repeat([0.0, weight], self._n_ramps)
        return np.concatenate([ramps, free, soiling, np.ones(int(days.sum()))])

    def _rows(self, days: NDArray[np.bool_]) -> Any:
        """Return all rows: soiling is ramps; ``model - below <= data`` and ``below >= 0`` for days in use; the rest."""
        import scipy.sparse as sp

        n_used = int(days.sum())
        below = -sp.eye_array(n_used)
        model = sp.hstack(
            [
                sp.csr_array((n_used, 2 * self._n_ramps)),
                sp.csr_array(self._free[days]),
                sp.eye_array(self._n_days, format="csr")[days],
            ]
        )
        blocks = [[self._definition, None], [model, below], [None, below], [self._inequalities, None]]
        return sp.csc_array(sp.block_array(blocks))

    def _definition_rows(self, ramps: Any) -> Any:
        """Return the rows of ``difference of (ramps @ amplitudes) - difference of soiling = 0``."""
        import scipy.sparse as sp

        inside = (np.arange(self._n_days) % _STRETCH >= _ORDER).astype(float)
        bands = [np.ones(self._n_days), -2 * inside[1:], inside[_ORDER:]]
        difference = sp.csr_array(sp.diags_array(bands, offsets=[0, -1, -_ORDER]))
        of_ramps = sp.csc_array(difference @ ramps)
        of_ramps.data[np.abs(of_ramps.data) < _NOTHING] = 0
        of_ramps.eliminate_zeros()
        difference.eliminate_zeros()
        between = sp.csr_array((self._n_days, self._n_ramps + self._free.shape[1]))
        return sp.hstack([of_ramps, between, -difference])

    def _inequality_rows(self) -> Any:
        """Return the rows of ``|ramp| <= its bound``, ``level <= 0`` and ``soiling <= 0``."""
        import scipy.sparse as sp

        ramps, soiling = sp.eye_array(self._n_ramps), sp.eye_array(self._n_days)
        levels = sp.eye_array(self._n_levels, self._free.shape[1])
        blocks = [
            [ramps, -ramps, None, None],
            [-ramps, -ramps, None, None],
            [None, None, levels, None],
            [None, None, None, soiling],
        ]
        return sp.block_array(blocks)


def solver_settings() -> Any:
    """Return the settings that Clarabel gets."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.direct_solve_method = "qdldl"  # one thread, and the faster one for a matrix as thin as this
    settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = _TOLERANCE
    return settings
