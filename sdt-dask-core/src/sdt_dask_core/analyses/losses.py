"""The loss analysis: SDT's loss factor analysis with its Monte Carlo estimate of the degradation rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sdt_dask_core.analyses.base import Analysis, Column, System
from sdt_dask_core.analyses.grades import WORTHLESS_DAYS, WORTHLESS_QUALITY, Grade, Verdict, judge_range
from sdt_dask_core.analyses.quality import DAYS_PER_YEAR
from sdt_dask_core.errors import AnalysisError

__all__ = ["LossAnalysis"]

_MAX_SAMPLES = 500  # SDT's cap on Monte Carlo rounds; beyond it the estimate did not settle
_INFINITY = math.inf

_FACTORS = {
    "degradation": "degradation energy loss [kWh]",
    "soiling": "soiling energy loss [kWh]",
    "capacity_change": "capacity change energy loss [kWh]",
    "weather": "weather energy loss [kWh]",
    "outage": "system outage loss [kWh]",
}


def _factor_columns() -> Iterator[Column]:
    for factor, source in {"total": "total energy loss [kWh]", **_FACTORS}.items():
        word = factor.replace("_", " ")
        yield Column(
            f"{factor}_loss_kwh", "kWh", f"Energy lost (negative) by {word}, whole record.", source, is_withheld=True
        )
        yield Column(
            f"{factor}_loss_pct",
            "%",
            f"Energy lost (negative) by {word}, in % of the baseline energy.",
            is_withheld=True,
        )


class LossAnalysis(Analysis):
    """Degradation rate and energy losses by factor, from Solar Data Tools' ``run_loss_factor_analysis``.

    Parameters
    ----------
    all_losses : bool
        Run it also for systems whose quality already makes its result worthless.
    """

    name: ClassVar[str] = "losses"
    version: ClassVar[int] = 1
    requires: ClassVar[tuple[str, ...]] = ("length_years", "quality_score", "capacity_kw")
    provides: ClassVar[tuple[Column, ...]] = (
        Column(
            "degradation_rate_pct_per_year",
            "%/yr",
            "Change of performance per year, relative to the later year; negative is a loss.",
            "degradation rate [%/yr]",
            is_withheld=True,
            interval=("degradation_rate_lower_pct_per_year", "degradation_rate_upper_pct_per_year"),
        ),
        Column(
            "degradation_rate_lower_pct_per_year",
            "%/yr",
            "2.5 % quantile of the Monte Carlo samples.",
            "deg rate lower bound [%/yr]",
            is_withheld=True,
        ),
        Column(
            "degradation_rate_upper_pct_per_year",
            "%/yr",
            "97.5 % quantile of the Monte Carlo samples.",
            "deg rate upper bound [%/yr]",
            is_withheld=True,
        ),
        *_factor_columns(),
        Column("baseline_energy_kwh", "kWh", "Energy of the model without any loss, whole record.", is_withheld=True),
        Column(
            "total_loss_kwh_per_kw_year",
            "kWh/kW/yr",
            "Total loss by capacity and length, to compare systems.",
            is_withheld=True,
        ),
        Column("mc_samples", "count", "Monte Carlo rounds done."),
        Column("mc_converged", "bool", f"Whether the estimate settled within {_MAX_SAMPLES} rounds."),
    )

    def __init__(self, all_losses: bool = False) -> None:
        self.all_losses = all_losses

    def reason_to_skip(self, system: System) -> str | None:
        """Return why the result would be worthless: a year or less of data, or a quality below the withheld limit."""
        if self.all_losses:
            return None
        if system.values["length_years"] * DAYS_PER_YEAR <= WORTHLESS_DAYS:
            return f"losses were not analysed: {WORTHLESS_DAYS} days of data or less"
        score = system.values["quality_score"]
        if score < WORTHLESS_QUALITY:
            return f"losses were not analysed: quality score {score:.2f} is below {WORTHLESS_QUALITY:g}"
        return None

    def run(self, system: System) -> Mapping[str, Any]:
        """Run SDT's loss factor analysis on the handler that the quality analysis left.

        Raises
        ------
        AnalysisError
            SDT gave no complete report.
        """
        handler = system.objects["data_handler"]
        handler.run_loss_factor_analysis(verbose=False)
        analysis = handler.loss_analysis
        report = analysis.report() if analysis is not None else None
        if report is None:
            raise AnalysisError("Solar Data Tools' loss analysis gave no report", code="sdt_losses_failed")
        values = {column.name: report[column.source] for column in self.provides if column.source}
        values |= _relative(values, float(analysis.energy_model[0].sum()), system)
        samples = len(analysis.MC_results["samples"])
        return {**values, "mc_samples": samples, "mc_converged": samples <= _MAX_SAMPLES}

    def judge(self, system: System) -> Iterator[Verdict]:
        """Judge the rate, its interval, the total loss and whether the Monte Carlo estimate settled."""
        values = system.values
        rate, low, high = (values[f"degradation_rate_{part}pct_per_year"] for part in ("", "lower_", "upper_"))
        # What is not finite is kept as None.
        width = None if low is None or high is None else high - low
        checks = (
            judge_range("degradation rate {:.2f} %/yr", rate, ok=(-3, 1), caution=(-10, 3)),
            judge_range("interval of the rate, {:.2f} %/yr wide,", width, ok=(0, 2), caution=(0, 5)),
            judge_range("total loss {:.1f} %", values["total_loss_pct"], ok=(-60, 5), caution=(-80, 20)),
        )
        yield from (verdict for verdict in checks if verdict)
        if not values["mc_converged"]:
            yield Verdict(Grade.WITHHELD, f"the degradation rate did not settle in {_MAX_SAMPLES} Monte Carlo rounds")


def _relative(values: Mapping[str, Any], baseline: float, system: System) -> dict[str, float]:
    """Return losses in % of the baseline and per kW and year: SDT's own percentages are shares of the total loss."""
    relative = {f"{f}_loss_pct": 100 * values[f"{f}_loss_kwh"] / baseline for f in ("total", *_FACTORS)}
    kw_years = system.values["capacity_kw"] * system.values["length_years"]
    return {
        **relative,
        "baseline_energy_kwh": baseline,
        "total_loss_kwh_per_kw_year": values["total_loss_kwh"] / kw_years,
    }
