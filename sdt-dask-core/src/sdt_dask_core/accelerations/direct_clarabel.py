"""The problems of signal decomposition given to Clarabel directly, without cvxpy's modelling.

Re-derived from ``gfosd.problem.Problem._solve_cvx`` (sig-decomp, BSD 2-clause) and from what cvxpy makes of it: the
variables of the problem, then one bound for each absolute value, in the order of the cost; the rows of the equations,
then both sides of each absolute value, then the inequalities. With the same numbers in the same order Clarabel walks
the same path, and the answer is the same to the last bit. Whatever is not of this shape, and whatever Clarabel does
not solve to its tolerance, is left to the original, with its warnings and errors.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sdt_dask_core.accelerations.source import is_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NAME", "ConicProblem", "applies", "apply", "diagonal", "direct", "self_test"]

NAME = "gfosd-direct-clarabel"

_SOURCES = {
    "Problem._solve_cvx": "4e5ccb261c873845",
    "Problem.make_graph_form": "97c76e9ee24f0fe4",
}
_COSTS = frozenset({"abs", "quantile"})
_BOUNDS = frozenset({"is_neg", "is_pos", "is_bound"})
_SETTINGS = {"eps_rel": "tol_gap_rel", "eps_abs": "tol_gap_abs"}  # gfosd's names for Clarabel's


class ConicProblem:
    """What Clarabel is given for a problem in graph form.

    Parameters
    ----------
    form : mapping
        What ``gfosd.Problem.make_graph_form`` returns.

    Raises
    ------
    ValueError
        The form has something that is not known here.
    """

    def __init__(self, form: Mapping[str, Any]) -> None:
        import scipy.sparse as sp

        equations = sp.coo_array(form["A"])
        self.n_variables = equations.shape[1]
        self.n_equations = equations.shape[0]
        absolutes, inequalities = _terms(form["g"])
        self._costs = [np.zeros(self.n_variables)]
        self._entries = [(equations.row, equations.col, equations.data)]
        self._bounds = [np.asarray(form["b"], dtype=float)]
        self._n_rows, self._n_columns = equations.shape
        for term in absolutes:
            self._add_absolute(term)
        for term in inequalities:
            self._add_inequality(term)
        self.quadratic = diagonal(form["P"], self._n_columns)
        self.costs = np.concatenate(self._costs)
        self.bounds = np.concatenate(self._bounds)
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        self.rows = sp.csc_array((values, (rows, columns)), shape=(self._n_rows, self._n_columns))
        self.rows.eliminate_zeros()  # as cvxpy does; a stored zero would change the order of elimination
        if not np.isfinite(self.bounds).all():
            raise ValueError("a bound is not finite")

    def solve(self, settings: Mapping[str, Any]) -> Any:
        """Return Clarabel's solution, whatever its status.

        Parameters
        ----------
        settings : mapping
            Names and values of Clarabel's own settings.
        """
        import clarabel

        chosen = clarabel.DefaultSettings()
        for name, value in settings.items():
            setattr(chosen, name, value)
        cones = [clarabel.ZeroConeT(self.n_equations)] if self.n_equations else []
        if self._n_rows > self.n_equations:
            cones.append(clarabel.NonnegativeConeT(self._n_rows - self.n_equations))
        return clarabel.DefaultSolver(self.quadratic, self.costs, self.rows, self.bounds, cones, chosen).solve()

    def _add_absolute(self, term: Mapping[str, Any]) -> None:
        start, end = term["range"]
        size, weight = end - start, float(term["args"]["weight"])
        if term["g"] == "quantile":
            self._costs[0][start:end] += weight * (float(term["args"]["tau"]) - 0.5)
            weight = weight * 0.5
        self._costs.append(np.full(size, weight))
        for sign in (1.0, -1.0):
            rows = np.arange(self._n_rows, self._n_rows + size)
            self._entries.append((rows, np.arange(start, end), np.full(size, sign)))
            self._entries.append((rows, np.arange(self._n_columns, self._n_columns + size), np.full(size, -1.0)))
            self._bounds.append(np.zeros(size))
            self._n_rows += size
        self._n_columns += size

    def _add_inequality(self, term: Mapping[str, Any]) -> None:
        start, end = term["range"]
        size, args = end - start, term["args"]
        sides = {"is_neg": ((1.0, "shift"),), "is_pos": ((-1.0, "shift"),), "is_bound": ((-1.0, "lb"), (1.0, "ub"))}
        for sign, name in sides[term["g"]]:
            rows = np.arange(self._n_rows, self._n_rows + size)
            self._entries.append((rows, np.arange(start, end), np.full(size, sign)))
            self._bounds.append(np.full(size, sign * float(args[name])))
            self._n_rows += size


def _terms(terms: list[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    unknown = {term["g"] for term in terms} - _COSTS - _BOUNDS
    if unknown:
        raise ValueError(f"unknown terms: {sorted(unknown)}")
    return [term for term in terms if term["g"] in _COSTS], [term for term in terms if term["g"] in _BOUNDS]


def diagonal(quadratic: Any, size: int) -> Any:
    """Return a diagonal matrix, larger by variables without a square."""
    import scipy.sparse as sp

    entries = sp.coo_array(quadratic)
    if (entries.row != entries.col).any() or not (entries.data >= 0).all():
        raise ValueError("the quadratic cost is not diagonal, or not convex")
    return sp.csc_array((entries.data, (entries.row, entries.col)), shape=(size, size))


def applies() -> bool:
    """Tell whether gfosd and cvxpy are those that this was derived from."""
    try:
        import clarabel  # noqa: F401 - only whether it is there
        from gfosd import problem as module
    except ImportError:
        return False
    return is_source(module, _SOURCES)


def self_test() -> bool:
    """Compare what Clarabel is given for a small problem with what the installed cvxpy gives it, and the answers."""
    problem = _small_problem()
    form = problem.make_graph_form()
    values = problem._solve_cvx(form, "CLARABEL", verbose=False)  # noqa: SLF001 - what this stands in for
    given = problem._cvx_obj.get_problem_data("CLARABEL")[0]  # noqa: SLF001
    ours = ConicProblem(form)
    pairs = [(ours.costs, given["c"]), (ours.bounds, given["b"])]
    for mine, theirs in ((ours.rows, given["A"]), (ours.quadratic, given["P"])):
        pairs += [(getattr(mine, part), getattr(theirs.tocsc(), part)) for part in ("indptr", "indices", "data")]
    pairs.append((np.array(ours.solve({"verbose": False}).x)[: ours.n_variables], values))
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def _small_problem() -> Any:
    from gfosd import Problem
    from gfosd import components as parts

    size = 9
    signal = np.sin(np.arange(size) ** 2.0)
    signal[3] = np.nan
    level = parts.Aggregate(
        [
            parts.Inequality(vmax=0),
            parts.Basis(np.eye(size)[:, ::2] + 1, penalty="abs", weight=0.3),
            parts.SumAbs(weight=2.0),
        ]
    )
    bounded = parts.Aggregate([parts.Inequality(vmin=-1, vmax=0.5), parts.SumSquare(diff=2), parts.AverageEqual(0)])
    positive = parts.Aggregate([parts.Inequality(vmin=0), parts.SumAbs(weight=1.5, diff=1)])
    return Problem(signal, [parts.SumQuantile(tau=0.8, weight=2), level, bounded, positive])


def apply() -> None:
    """Let gfosd's problems go to Clarabel directly, in this process."""
    from gfosd import problem as module

    module.Problem._solve_cvx = direct(module.Problem._solve_cvx)  # noqa: SLF001 - what this stands in for


def direct(original: Any) -> Any:
    """Return a method that gives a problem to Clarabel, and to the original where it cannot."""

    @functools.wraps(original)
    def solve(self: Any, data: Mapping[str, Any], solver: str, **settings: Any) -> Any:
        answer = _try(data, solver, settings)
        if answer is None:
            return original(self, data, solver, **settings)
        self.objective_value, values = answer
        self._cvx_obj = None
        self._qss_soln = values
        return values

    return solve


def _try(data: Mapping[str, Any], solver: str, settings: Mapping[str, Any]) -> tuple[float, NDArray[np.float64]] | None:
    if solver.upper() != "CLARABEL" or settings.get("verbose") or set(settings) - {"verbose", *_SETTINGS}:
        return None
    named = {_SETTINGS.get(name, name): value for name, value in settings.items()}
    try:
        problem = ConicProblem(data)
    except (ValueError, TypeError):
        return None
    solution = problem.solve({"verbose": False, **named})
    if str(solution.status) != "Solved":
        return None
    return solution.obj_val, np.array(solution.x)[: problem.n_variables]
