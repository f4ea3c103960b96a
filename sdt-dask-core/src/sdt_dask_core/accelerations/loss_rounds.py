"""The Monte Carlo rounds of SDT's loss analysis, on a reduced problem and without what no round needs.

The original builds and solves a problem of 12,000 variables in each round, builds the same dictionary of soiling again,
and attributes the losses; only the degradation rate of a round is kept. Here a round's rate comes from
`ReducedLosses`, or, where the solver does not settle there, from the original's problem. The draws are the same, in
the same order; the stopping rule is decided as on exact rates (`stopping_rule`); and the rounds that make the median
are solved again as the original does, so that the degradation rate, and with it the final decomposition and every
energy, is the original's to the last bit. The bounds of the rate are within 1e-3 %/yr; where the reduced problem does
not tell them as closely, the rounds that make them are solved again, too.

Whenever this would not be safe, the original runs from the state of the random numbers before the first draw: another
model than the default one, a year or less, a rate that is no number, or an exact rate that is far from the reduced
problem's.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from sdt_dask_core.accelerations.reduced_losses import ReducedLosses, UnsolvedError
from sdt_dask_core.accelerations.source import is_source
from sdt_dask_core.accelerations.stopping_rule import MARGIN, Rates, UnsafeError, statistics_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Draw = tuple[float, float, NDArray[np.bool_]]  # tau, weight of the ramps, days that are not held out

__all__ = [
    "NAME",
    "applies",
    "apply",
    "reduced_problem",
    "self_test",
    "short_series",
    "with_fast_rounds",
]

NAME = "sdt-loss-rounds"

_YEAR = 365
_PERIOD = 365.2425  # of the season [d], as SDT has it
_FEWEST_ROUNDS = 20

_SOURCES = {
    "LossFactorAnalysis.__init__": "06aeac4572f6688e",
    "LossFactorAnalysis.estimate_degradation_rate": "9ebf6d1164e96c8d",
    "LossFactorAnalysis.estimate_losses": "9bd5636a90b0f9b5",
    "LossFactorAnalysis.make_problem": "d5a59ad32475b65e",
    "make_sawtooth_dictionary": "83a30bdf8f78bc38",
    "make_st": "ee48d332f3f999a9",
}

_SHORT = 64  # days of the self-test
_KNOWN_RATE = 99.954383  # what the original gives for it [%/yr]: far from any real one, but as hard to reach


def applies() -> bool:
    """Tell whether the installed Solar Data Tools has the very loss analysis that this was derived from."""
    try:
        from solardatatools import data_handler
        from solardatatools.algorithms import loss_factor_analysis as module
    except ImportError:
        return False
    return data_handler.LossFactorAnalysis is module.LossFactorAnalysis and is_source(module, _SOURCES)


def self_test() -> bool:
    """Compare the rate of a short series with that which the original gave."""
    series = short_series()
    rate = reduced_problem(series).rate(tau=0.9, weight=0.5, in_use=np.ones(_SHORT, dtype=bool))
    return abs(rate - _KNOWN_RATE) <= MARGIN


def short_series() -> Any:
    """Return the part of a loss analysis that the reduced problem is made from, for a few days with all factors."""
    days = np.arange(_SHORT)
    log_energy = 3 - days / 2000 - 0.01 * (days % 17) + 0.2 * np.sin(days**2)
    settings = {"num_harmonics": 1, "weight_seasonal": 0.1, "weight_soiling_sparsity": 0.02}
    settings["use_capacity_change_labels"] = True
    return SimpleNamespace(
        log_energy=log_energy, capacity_change_labels=(days > _SHORT / 2).astype(int), user_settings=settings
    )


def apply() -> None:
    """Let SDT's ``DataHandler`` use the fast rounds, in this process."""
    from solardatatools import data_handler
    from solardatatools.algorithms import loss_factor_analysis as module

    module.make_sawtooth_dictionary = functools.lru_cache(maxsize=1)(module.make_sawtooth_dictionary)
    data_handler.LossFactorAnalysis = with_fast_rounds(module.LossFactorAnalysis)


def with_fast_rounds(original: Any) -> Any:
    """Return a subclass of SDT's loss analysis that does its rounds fast where that is safe."""

    @functools.wraps(original, updated=())
    class Fast(original):  # type: ignore[misc]
        use_ixs: Any  # days in use; the name is SDT's

        def estimate_degradation_rate(self, *args: Any, **kwargs: Any) -> None:
            is_known = not (args or set(kwargs) - {"verbose"} or kwargs.get("verbose"))
            if not (is_known and _is_default(self) and self._is_done_fast()):
                super().estimate_degradation_rate(*args, **kwargs)

        def _is_done_fast(self) -> bool:
            state, used = np.random.get_state(), self.use_ixs  # noqa: NPY002 - SDT draws from the global generator
            try:
                _Rounds(self).run()
            except UnsafeError:
                self.use_ixs = used
                np.random.set_state(state)  # noqa: NPY002
                return False
            return True

    return Fast


def _is_default(analysis: Any) -> bool:
    settings = analysis.user_settings
    known = {"num_harmonics", "weight_seasonal", "weight_soiling_sparsity", "use_capacity_change_labels"}
    return (
        known <= set(settings)
        and settings.get("deg_type") == "linear"
        and settings.get("include_soiling") is True
        and analysis.MC_results is None
        and len(analysis.energy_data) > _YEAR
    )


class _Rounds:
    """The rounds of one system."""

    def __init__(self, analysis: Any) -> None:
        self._analysis = analysis
        self._problem = reduced_problem(analysis)
        self._draws: list[_Draw] = []
        self._states: list[Any] = []  # of the random numbers, after each draw
        # Not a method of ours: with a circle of references the solver's memory would stay until the collector comes.
        self._exact = functools.partial(_exact_rate, analysis, self._draws)
        self._rates = Rates(self._exact)

    def run(
        self, *, most: int = 500, tolerances: tuple[float, float, float] = (5e-3, 1e-2, 1e-2), held_out: float = 0.2
    ) -> None:
        """Draw and solve until the rule holds; leave on the analysis what the original does."""
        used = np.copy(self._analysis.use_ixs)
        margin = 0.0
        while margin < self._rates.margin:  # until nothing was decided on too narrow a one
            margin = self._rates.margin
            n_rounds = self._n_rounds(most, list(tolerances), held_out)
            self._rates.refine(n_rounds)
        self._analysis.use_ixs = used
        np.random.set_state(self._states[n_rounds - 1])  # noqa: NPY002 - with a wider margin fewer rounds may do
        self._keep(n_rounds)

    def _n_rounds(self, most: int, tolerances: list[float], held_out: float) -> int:
        """Return after how many rounds the rule holds; draw those that are not drawn yet."""
        for n_rounds in range(1, most + 2):
            if n_rounds > len(self._draws):
                self._draw(held_out)
            if n_rounds >= _FEWEST_ROUNDS and n_rounds <= most and self._rates.are_settled(tolerances, n_rounds):
                return n_rounds
        return most + 1

    def _draw(self, held_out: float) -> None:
        in_use = self._analysis.use_ixs
        tau = np.random.uniform(0.85, 0.95)  # noqa: NPY002 - the very calls of the original
        weight = np.random.uniform(0.1, 1)  # noqa: NPY002
        days = np.flatnonzero(in_use)
        out = np.random.choice(days, size=int(len(days) * held_out), replace=False)  # noqa: NPY002
        kept = np.copy(in_use)
        kept[out] = False
        self._draws.append((tau, weight, kept))
        self._states.append(np.random.get_state())  # noqa: NPY002
        try:
            rate = self._problem.rate(tau=tau, weight=weight, in_use=kept)
        except UnsolvedError:
            self._rates.append_exact(self._exact(len(self._rates)))
            return
        if not np.isfinite(rate):
            raise UnsafeError(f"{rate:g} %/yr")
        self._rates.append(rate)

    def _keep(self, n_rounds: int) -> None:
        import pandas as pd

        analysis, rates = self._analysis, self._rates.values[:n_rounds]
        settled = [np.float64(value) for value in statistics_of(rates)]
        samples = pd.DataFrame(columns=["tau", "weight", "deg"])
        running = pd.DataFrame(columns=["p50", "p025", "p975"])
        for number, (tau, weight, _) in enumerate(self._draws[:n_rounds]):
            samples.loc[number] = [tau, weight, rates[number]]
            running.loc[number] = statistics_of(rates[: number + 1])
        analysis.degradation_rate, analysis.degradation_rate_lb, analysis.degradation_rate_ub = settled
        analysis.MC_results = {"samples": samples, "running stats": running}
        analysis.problem = analysis.make_problem(**analysis.user_settings)


def _exact_rate(analysis: Any, draws: list[_Draw], number: int) -> float:
    """Return SDT's own rate of a round, from its own problem."""
    tau, weight, kept = draws[number]
    used, analysis.use_ixs = analysis.use_ixs, kept
    names = ("num_harmonics", "deg_type", "include_soiling", "weight_seasonal", "weight_soiling_sparsity")
    settings = {name: analysis.user_settings[name] for name in (*names, "use_capacity_change_labels")}
    problem = analysis.make_problem(tau=tau, weight_soiling_stiffness=weight, **settings)
    analysis.use_ixs = used
    problem.decompose(solver="CLARABEL", verbose=False)
    line = np.exp(problem.decomposition[::-1])[1]
    return float(100 * np.median((line[_YEAR:] - line[:-_YEAR]) / line[_YEAR:]))


def reduced_problem(analysis: Any) -> ReducedLosses:
    """Return the reduced problem of one of SDT's loss analyses."""
    from gfosd.components.utilities import make_basis_matrix, make_regularization_matrix
    from solardatatools.algorithms.loss_factor_analysis import make_sawtooth_dictionary

    settings, n_days = analysis.user_settings, len(analysis.log_energy)
    season = (settings["num_harmonics"], n_days, _PERIOD)
    weights = make_regularization_matrix(settings["num_harmonics"], settings["weight_seasonal"], _PERIOD)
    return ReducedLosses(
        analysis.log_energy,
        ramps=make_sawtooth_dictionary(n_days),
        season=make_basis_matrix(*season),
        season_weights=weights.power(2).diagonal(),
        levels=_levels(analysis, n_days),
        sparsity=settings["weight_soiling_sparsity"],
    )


def _levels(analysis: Any, n_days: int) -> NDArray[np.float64]:
    labels = analysis.capacity_change_labels
    if labels is None or not analysis.user_settings["use_capacity_change_labels"]:
        return np.zeros((n_days, 0))
    levels: NDArray[np.float64] = np.equal.outer(np.asarray(labels), np.arange(len(set(labels)))).astype(float)
    return levels
