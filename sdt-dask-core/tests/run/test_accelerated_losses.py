"""The fast Monte Carlo rounds: the reduced problem, and the stopping rule that decides as on exact rates."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdt_dask_core.accelerations import loss_rounds, reduced_losses
from sdt_dask_core.accelerations.reduced_losses import ReducedLosses, UnsolvedError
from sdt_dask_core.accelerations.stopping_rule import CLOSE, MARGIN, Rates, UnsafeError, statistics_of

TOLERANCES = [5e-3, 1e-2, 1e-2]


def rule_of_the_original(rates: list[float]) -> bool:
    running = [statistics_of(np.array(rates[: end + 1])) for end in range(len(rates))]
    changes = np.abs(np.diff(running, axis=0))
    return bool(np.all(changes[-1] <= TOLERANCES) and np.all(np.average(changes[-10:], axis=0) <= TOLERANCES))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.005, 0.02, 0.1]))
def test_the_rule_decides_as_on_exact_rates(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    exact = list(rng.normal(-1, spread, 60))
    rates = Rates(lambda number: exact[number])
    for number, rate in enumerate(exact):
        rates.append(rate + rng.uniform(-MARGIN, MARGIN))
        if number >= 19:
            assert rates.are_settled(TOLERANCES, number + 1) == rule_of_the_original(exact[: number + 1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 41))
def test_the_median_is_exact(seed: int, n_rounds: int) -> None:
    rng = np.random.default_rng(seed)
    exact = list(rng.normal(-1, 0.002, n_rounds))
    rates = Rates(lambda number: exact[number])
    for rate in exact:
        rates.append(rate + rng.uniform(-MARGIN, MARGIN))
    rates.refine(n_rounds)
    assert np.median(rates.values) == np.median(exact)


def test_few_rounds_are_asked_for_exactly() -> None:
    exact = list(np.random.default_rng(1).normal(-1, 0.1, 40))
    asked: list[int] = []
    rates = Rates(lambda number: asked.append(number) or exact[number])  # type: ignore[func-returns-value]
    for number, rate in enumerate(exact):
        rates.append(rate)
        if number >= 19:
            rates.are_settled(TOLERANCES, number + 1)
    rates.refine(40)
    assert len(asked) < 20


def test_a_rate_that_is_farther_away_widens_the_margin() -> None:
    exact = list(np.random.default_rng(1).normal(-1, 0.002, 21))
    rates = Rates(lambda number: exact[number])
    for rate in exact:
        rates.append(rate + 4 * MARGIN)
    rates.refine(21)
    assert rates.margin == 10 * MARGIN
    assert np.median(rates.values) == np.median(exact)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_rule_decides_on_rates_of_any_size_as_on_exact_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = list(-np.exp(rng.normal(3, 4, 40)))
    rates = Rates(lambda number: exact[number])
    for number, rate in enumerate(exact):
        rates.append(rate * (1 + rng.uniform(-MARGIN, MARGIN) / 2))
        if number >= 19:
            assert rates.are_settled(TOLERANCES, number + 1) == rule_of_the_original(exact[: number + 1])
    rates.refine(40)
    assert statistics_of(rates.values) == pytest.approx(statistics_of(np.array(exact)), rel=0, abs=CLOSE)


def test_a_bound_that_is_known_well_enough_is_not_asked_for() -> None:
    exact = list(np.random.default_rng(1).normal(-1, 0.1, 41))
    asked: list[int] = []
    rates = Rates(lambda number: asked.append(number) or exact[number])  # type: ignore[func-returns-value]
    for rate in exact:
        rates.append(rate)
    rates.refine(41)
    assert len(asked) == 1


def test_a_rate_far_away_is_unsafe() -> None:
    rates = Rates(lambda _number: -1.0)
    rates.append(-1.1)
    with pytest.raises(UnsafeError, match=r"0\.1 %/yr away"):
        rates.refine(1)


def original_rate(series: Any, **weights: Any) -> float:
    """Solve SDT's own problem to a tighter tolerance than its own."""
    from solardatatools.algorithms.loss_factor_analysis import LossFactorAnalysis

    analysis = LossFactorAnalysis(np.exp(series.log_energy), list(series.capacity_change_labels))
    problem = analysis.make_problem(**series.user_settings, **weights)
    problem.decompose(solver="CLARABEL", tol_gap_rel=1e-11, tol_gap_abs=1e-11, tol_feas=1e-11)
    line = problem.decomposition[::-1][1]
    return float(100 * (1 - np.exp(-365 * (line[-1] - line[0]) / (len(line) - 1))))


@pytest.mark.parametrize(("tau", "weight"), [(0.86, 0.15), (0.9, 0.5), (0.94, 0.95)])
@pytest.mark.filterwarnings("ignore")
def test_the_reduced_problem_has_the_rate_of_the_original(tau: float, weight: float) -> None:
    series = loss_rounds.short_series()
    kept = np.ones(len(series.log_energy), dtype=bool)
    rate = loss_rounds.reduced_problem(series).rate(tau=tau, weight=weight, in_use=kept)
    assert rate == pytest.approx(original_rate(series, tau=tau, weight_soiling_stiffness=weight), rel=1e-6)


def test_days_without_energy_do_not_count() -> None:
    series = loss_rounds.short_series()
    kept = np.ones(len(series.log_energy), dtype=bool)
    kept[10] = False
    expected = loss_rounds.reduced_problem(series).rate(tau=0.9, weight=0.5, in_use=kept)
    series.log_energy[10] = np.nan
    assert loss_rounds.reduced_problem(series).rate(tau=0.9, weight=0.5, in_use=kept | True) == expected


def test_a_round_does_not_depend_on_those_before_it() -> None:
    rng = np.random.default_rng(3)
    rounds = [(rng.uniform(0.85, 0.95), rng.uniform(0.1, 1), rng.random(64) < 0.8) for _ in range(20)]
    problem = loss_rounds.reduced_problem(loss_rounds.short_series())
    for tau, weight, kept in rounds:
        alone = loss_rounds.reduced_problem(loss_rounds.short_series())
        rate = problem.rate(tau=tau, weight=weight, in_use=kept)
        assert rate == pytest.approx(alone.rate(tau=tau, weight=weight, in_use=kept), rel=1e-5)


def test_what_is_not_solved_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced_losses, "MOST_PIVOTS", 2)
    with pytest.raises(UnsolvedError, match="Iteration limit"):
        loss_rounds.reduced_problem(loss_rounds.short_series()).rate(
            tau=0.9, weight=0.5, in_use=np.ones(64, dtype=bool)
        )


class Original:
    """What stands for SDT's loss analysis: it notes that it ran, and what its first random number was."""

    def __init__(self, n_days: int = 400, **settings: Any) -> None:
        chosen = {"num_harmonics": 4, "weight_seasonal": 0.1, "weight_soiling_sparsity": 0.02}
        self.user_settings = {**chosen, "use_capacity_change_labels": True, "deg_type": "linear"}
        self.user_settings |= {"include_soiling": True, **settings}
        self.MC_results: Any = None
        self.energy_data = np.ones(n_days)
        self.log_energy = np.zeros(n_days)
        self.use_ixs = np.ones(n_days, dtype=bool)
        self.capacity_change_labels: Any = None
        self.first: float | None = None

    def estimate_degradation_rate(self, **_options: Any) -> None:
        self.first = np.random.random()  # noqa: NPY002 - as SDT draws


Fast = loss_rounds.with_fast_rounds(Original)


@pytest.mark.parametrize("analysis", [Fast(deg_type="nonlinear"), Fast(include_soiling=False), Fast(n_days=365)])
def test_another_model_is_left_to_the_original(analysis: Any) -> None:
    analysis.estimate_degradation_rate(verbose=False)
    assert analysis.first is not None


def test_other_arguments_are_left_to_the_original() -> None:
    analysis = Fast()
    analysis.estimate_degradation_rate(max_samples=3)
    assert analysis.first is not None


def test_a_round_that_is_not_solved_is_exact() -> None:
    rates = Rates(lambda number: pytest.fail("it is exact already"))
    rates.append_exact(-1.0)
    rates.refine(1)
    assert list(rates.values) == [-1.0]


def test_the_memory_of_the_solver_is_free_when_the_rounds_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[weakref.ref[ReducedLosses]] = []

    def rate(self: ReducedLosses, **_round: Any) -> float:
        problems.append(weakref.ref(self))
        return -math.inf

    monkeypatch.setattr(ReducedLosses, "rate", rate)
    gc.disable()
    try:
        Fast().estimate_degradation_rate(verbose=False)
        assert [problem() for problem in problems] == [None]
    finally:
        gc.enable()


def test_the_original_draws_as_if_nothing_had_been(monkeypatch: pytest.MonkeyPatch) -> None:
    def rate(self: ReducedLosses, **_round: Any) -> float:
        return -math.inf

    monkeypatch.setattr(ReducedLosses, "rate", rate)
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    analysis = Fast()
    analysis.estimate_degradation_rate(verbose=False)
    assert analysis.first == expected
    assert analysis.use_ixs.all()
