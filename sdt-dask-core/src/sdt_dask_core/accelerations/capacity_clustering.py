"""SDT's clustering of capacities: its problem built once for a system, solved for each weight.

``solardatatools`` (BSD 2-clause) solves the decomposition in ``_cvx_l1_pwc_smoothper_trend`` for 14 weights, twice for
each, and has cvxpy build it anew for each weight. Only the cost of the steps depends on the weight, and only the rows
of their absolute values on the second pass' own weights. So cvxpy builds the first, and the numbers that differ are
put in their places; Clarabel gets the same numbers in the same order, and gives the same answer to the last bit.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from sdt_dask_core.accelerations.source import is_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NAME", "applies", "apply", "built_once", "self_test"]

NAME = "sdt-capacity-clustering"

_SOURCES = {
    "_cvx_l1_pwc_smoothper_trend": "7f39a2a88b5438d8",
    "make_l1_pwc_smoothper_trend_problem": "f2676480014e1913",
}
_NAMES = ("x2", "x3", "x4")  # steps, season and trend, as the original returns them
_SOFTENER = 0.1  # of the second pass' weights


class _UnsolvedError(Exception):
    """Clarabel did not reach its tolerance: the original says what that means."""


class _Problem:
    """The problem of one signal, ready for any weight of its steps.

    Parameters
    ----------
    signal : numpy.ndarray, shape (n_days,)
        NaN where a day does not count.
    season_weight, trend_weight : float
        SDT's ``w3`` and ``w4``.
    """

    def __init__(self, signal: NDArray[np.float64], season_weight: float, trend_weight: float) -> None:
        import scipy.sparse as sp
        from solardatatools._cvx_signal_decompositions import make_l1_pwc_smoothper_trend_problem as make

        problem, step_weights = make(signal, 1.0, season_weight, trend_weight)
        n_days, self._n_steps = len(signal), len(signal) - 1
        data = problem.get_problem_data("CLARABEL")[0]
        step_weights.value = np.arange(2.0, self._n_steps + 2)
        marked = problem.get_problem_data("CLARABEL")[0]["A"].data
        self._rows, self._bounds = data["A"], data["b"]
        self._quadratic = sp.csc_array(sp.triu(data["P"]))
        self._n_equations = data["dims"].zero
        self._costs = data["c"]
        # What differs from the build with weights of 1 is the place of a weight, and its size says of which.
        self._places = np.flatnonzero(marked != self._rows.data)
        self._of_step = (abs(marked[self._places]) - 2).astype(int)
        self._signs = np.sign(marked[self._places])
        self._steps_at = np.flatnonzero(self._costs)[n_days:]
        columns = data["param_prob"].var_id_to_col
        starts = {variable.name(): columns[variable.id] for variable in problem.variables()}
        self._values_at = [slice(starts[name], starts[name] + n_days) for name in _NAMES]
        if len(self._steps_at) != self._n_steps or len(self._places) != 4 * self._n_steps:
            raise ValueError("cvxpy builds this problem in another way")

    def solve(self, weight: float) -> tuple[NDArray[np.float64], ...]:
        """Return steps, season and trend for a weight of the steps.

        Raises
        ------
        _UnsolvedError
            Clarabel did not reach its tolerance.
        """
        import clarabel

        costs = self._costs.copy()
        costs[self._steps_at] *= weight
        cones = [clarabel.ZeroConeT(self._n_equations)]
        cones.append(clarabel.NonnegativeConeT(self._rows.shape[0] - self._n_equations))
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        solver = clarabel.DefaultSolver(self._quadratic, costs, self._rows, self._bounds, cones, settings)
        steps = _solved(solver)[self._values_at[0]]
        rows = self._rows.copy()
        rows.data[self._places] = self._signs * (1 / (_SOFTENER + np.abs(np.diff(steps))))[self._of_step]
        # As cvxpy does for the same problem with another parameter: the scaling of the first stays.
        solver.update(P=self._quadratic, q=costs, A=rows, b=self._bounds, settings=solver.get_settings())
        values = _solved(solver)
        return tuple(values[place] for place in self._values_at)


def _solved(solver: Any) -> NDArray[np.float64]:
    solution = solver.solve()
    if str(solution.status) != "Solved":
        raise _UnsolvedError(str(solution.status))
    return np.array(solution.x)


def applies() -> bool:
    """Tell whether the installed Solar Data Tools has the very problem that this was derived from."""
    try:
        from solardatatools import _cvx_signal_decompositions as module
        from solardatatools import signal_decompositions
    except ImportError:
        return False
    name = "_cvx_l1_pwc_smoothper_trend"
    return getattr(signal_decompositions, name, None) is getattr(module, name, ...) and is_source(module, _SOURCES)


def self_test() -> bool:
    """Compare with the original on a few days, for a weight with steps in the answer."""
    from solardatatools._cvx_signal_decompositions import _cvx_l1_pwc_smoothper_trend as original

    days = np.arange(12)
    signal = np.where(days < 5, 1.0, 0.7) + 0.01 * np.sin(days**2.0)  # noqa: PLR2004
    signal[8] = np.nan
    theirs = original(signal, w2=0.3, solver="CLARABEL")
    return all(map(np.array_equal, _Problem(signal, 1, 10.0).solve(0.3), theirs))


def apply() -> None:
    """Let SDT's capacity clustering use the problem that is built once, in this process."""
    from solardatatools import signal_decompositions as module

    module._cvx_l1_pwc_smoothper_trend = built_once(module._cvx_l1_pwc_smoothper_trend)  # noqa: SLF001


def built_once(original: Any) -> Any:
    """Return a function that builds the problem of a signal once, and asks the original where it cannot."""
    last = functools.lru_cache(maxsize=1)(_problem_of)

    @functools.wraps(original)
    def solve(signal: NDArray[np.float64], use_ixs: NDArray[np.bool_] | None = None, **options: Any) -> Any:
        weights = [options.get(name, default) for name, default in (("w2", 2e1), ("w3", 1), ("w4", 1e1))]
        known = set(options) <= {"w2", "w3", "w4", "solver", "verbose", "return_all"}
        if known and options.get("solver") == "CLARABEL" and not (options.get("verbose") or options.get("return_all")):
            masked = np.array(signal, dtype=float)
            if use_ixs is not None:
                masked[~use_ixs] = np.nan
            try:
                return last(masked.tobytes(), *weights[1:]).solve(weights[0])
            except (_UnsolvedError, ValueError):
                pass  # the original says what is wrong
        return original(signal, use_ixs=use_ixs, **options)

    return solve


def _problem_of(signal: bytes, season_weight: float, trend_weight: float) -> _Problem:
    return _Problem(np.frombuffer(signal), season_weight, trend_weight)
