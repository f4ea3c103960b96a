"""Problems given to Clarabel directly: what cvxpy would give it, and the original wherever that is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from gfosd import Problem
from gfosd import components as parts

from sdt_dask_core.accelerations import capacity_clustering, direct_clarabel, lazy_corpus, source

pytestmark = pytest.mark.filterwarnings("ignore")


class Asked:
    """The original, which notes that it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        self.times += 1
        return "original"


def small(*components: Any) -> Problem:
    signal = np.cos(np.arange(20) ** 2.0)
    signal[[3, 7]] = np.nan
    return Problem(signal, list(components))


def direct(problem: Problem, solver: str = "CLARABEL", **settings: Any) -> Any:
    solve = direct_clarabel.direct(Asked())
    return solve(problem, problem.make_graph_form(), solver, **settings)


@pytest.mark.parametrize("settings", [{}, {"verbose": False, "eps_rel": 1e-6, "eps_abs": 1e-6}])
def test_the_answer_is_that_of_cvxpy_to_the_last_bit(settings: dict[str, Any]) -> None:
    problem = small(parts.SumQuantile(tau=0.7), parts.Fourier(2, 20, 9.0, weight=0.1), parts.SumAbs(diff=1, weight=2))
    mine = direct(problem, **settings)
    theirs = Problem._solve_cvx(problem, problem.make_graph_form(), "CLARABEL", **settings)  # noqa: SLF001
    assert np.array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("solver", "settings"), [("OSQP", {}), ("CLARABEL", {"verbose": True}), ("CLARABEL", {"max_iter": 3})]
)
def test_other_solvers_and_settings_are_left_to_the_original(solver: str, settings: dict[str, Any]) -> None:
    assert direct(small(parts.SumSquare(), parts.SumAbs(diff=1)), solver, **settings) == "original"


def test_terms_that_are_not_convex_are_left_to_the_original() -> None:
    assert direct(small(parts.SumSquare(), parts.SumCard(weight=1, diff=1))) == "original"


def test_what_is_not_solved_is_left_to_the_original() -> None:
    impossible = small(parts.Inequality(vmax=-2), parts.Inequality(vmax=-2))
    assert direct(impossible) == "original"


@pytest.mark.parametrize("quadratic", [sp.eye_array(3, k=1), -sp.eye_array(3)])
def test_squares_that_are_not_convex_and_apart_are_refused(quadratic: Any) -> None:
    with pytest.raises(ValueError, match="not diagonal, or not convex"):
        direct_clarabel.diagonal(quadratic, 5)


def steps() -> np.ndarray[Any, Any]:
    days = np.arange(60)
    signal = np.where(days < 25, 1.0, 0.8) + 0.02 * np.sin(days**2.0)
    signal[[5, 40]] = np.nan
    return signal


@pytest.mark.parametrize("weight", [0.3, 7.7, 300.0])
def test_each_weight_has_the_answer_of_the_original(weight: float) -> None:
    from solardatatools._cvx_signal_decompositions import _cvx_l1_pwc_smoothper_trend as original

    used = np.arange(60) % 7 != 0
    mine = capacity_clustering.built_once(Asked())(steps(), use_ixs=used, w2=weight, solver="CLARABEL")
    theirs = original(steps(), use_ixs=used, w2=weight, solver="CLARABEL")
    assert all(map(np.array_equal, mine, theirs))


@pytest.mark.parametrize("options", [{}, {"solver": "MOSEK"}, {"solver": "CLARABEL", "return_all": True}])
def test_other_options_are_left_to_the_original(options: dict[str, Any]) -> None:
    assert capacity_clustering.built_once(Asked())(steps(), **options) == "original"


def test_a_table_is_read_when_it_is_used_and_once() -> None:
    read = Asked()
    table = lazy_corpus.LazyTable(read, "file.zip", index_col=0)
    assert read.times == 0
    assert (table.upper(), table.lower()) == ("ORIGINAL", "original")
    assert read.times == 1


def test_another_source_is_seen() -> None:
    digest = source.digest_of(source.is_source)
    assert source.is_source(source, {"is_source": digest})  # type: ignore[arg-type]
    assert not source.is_source(source, {"is_source": "0" * 16})  # type: ignore[arg-type]
    assert not source.is_source(source, {"gone": digest})  # type: ignore[arg-type]
