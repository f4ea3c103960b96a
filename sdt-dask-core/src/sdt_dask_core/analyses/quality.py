"""The quality analysis: SDT's ``DataHandler.run_pipeline`` and ``report``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sdt_dask_core.analyses.base import Analysis, Column, System
from sdt_dask_core.analyses.grades import (
    TREND_YEARS,
    WORTHLESS_DAYS,
    WORTHLESS_QUALITY,
    Grade,
    Verdict,
    judge_range,
)
from sdt_dask_core.errors import AnalysisError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAYS_PER_YEAR", "PIPELINE_ARGUMENTS", "QualityAnalysis"]

#: What SDT's pipeline is told. The frame is in kW, so the unit is never left to guess, and neither is the lowest
#: value that SDT keeps: its own default of -5 in the unit of the data.
PIPELINE_ARGUMENTS: dict[str, Any] = {"units": "kW", "min_val": -5.0, "fix_shifts": True, "verbose": False}

_INFINITY = math.inf

#: How SDT counts years.
DAYS_PER_YEAR = 365

# SDT's own sentences (data_handler.py), each with the code that stands in the ledger.
_CAUSES = {
    "wrong timezone": "sdt_data_lost",
    "no non-zero values": "no_power",
    "Sunrise/sunset": "sdt_daytime_failed",
    "Unable to allocate": "out_of_memory",
}


class QualityAnalysis(Analysis):
    """How good the data of a system are: length, capacity, sampling, scores, clipping, shifts.

    Numbers are those of Solar Data Tools' ``DataHandler.report``, unchanged, under names that say their unit.
    """

    name: ClassVar[str] = "quality"
    version: ClassVar[int] = 1
    provides: ClassVar[tuple[Column, ...]] = (
        Column("length_years", "yr", "Calendar span of the data, days / 365, gaps included.", "length"),
        Column("capacity_kw", "kW", "95 % quantile of all power values, nights included.", "capacity"),
        Column("sampling_interval_minutes", "min", "Minutes between two values.", "sampling"),
        Column("quality_score", "1", "Share of days with enough and smooth data.", "quality score"),
        Column("clearness_score", "1", "Share of days with a clear sky.", "clearness score"),
        Column("inverter_clipping", "bool", "Whether more than 1 % of days are clipped.", "inverter clipping"),
        Column("clipped_day_fraction", "1", "Share of days that are clipped.", "clipped fraction"),
        Column("clipping_level_count", "count", "Number of power levels at which it clips.", "num_clip_points"),
        Column("capacity_change", "bool", "Whether there is more than one level of capacity.", "capacity change"),
        Column("capacity_level_count", "count", "Number of levels of capacity.", "capacity_analysis.labels"),
        Column(
            "quality_scores_normal",
            "bool",
            "Whether the daily scores cluster as good data do (SDT calls this a warning, but true is good).",
            "data quality warning",
        ),
        Column(
            "time_shift_corrected",
            "bool",
            "Whether shifts of the clock were found and undone.",
            "time shift correction",
        ),
        Column("time_zone_correction_hours", "h", "Hours added to bring noon to midday.", "time zone correction"),
        Column("quality_seconds", "s", "Time that SDT's pipeline took.", "total_time"),
    )

    def run(self, system: System) -> Mapping[str, Any]:
        """Run SDT's pipeline on the system's power.

        Raises
        ------
        AnalysisError
            SDT raised an error, its own list of errors is not empty, or its report is not complete.
        """
        from solardatatools import DataHandler

        handler = DataHandler(system.power.to_frame())
        _run_pipeline(handler, system.power.name)
        report = _complete_report(handler)
        system.objects["data_handler"] = handler
        return {
            **{column.name: report[column.source] for column in self.provides if column.source in report},
            "clipping_level_count": handler.num_clip_points,
            "capacity_level_count": len(set(handler.capacity_analysis.labels)),
            "quality_seconds": handler.total_time,
        }

    def judge(self, system: System) -> Iterator[Verdict]:
        """Judge length, scores, capacity levels, longest gap and time zone."""
        values = system.values
        checks = (
            _judge_length(values["length_years"]),
            judge_range(
                "quality score {:.2f}",
                values["quality_score"],
                ok=(0.70, _INFINITY),
                caution=(WORTHLESS_QUALITY, _INFINITY),
            ),
            _judge_gap(values.get("longest_gap_days")),
            _judge_last_year(system.power),
        )
        yield from (verdict for verdict in checks if verdict)
        yield from self._cautions(values)

    def _cautions(self, values: Mapping[str, Any]) -> Iterator[Verdict]:
        if not values["quality_scores_normal"]:
            yield Verdict(Grade.CAUTION, "the daily quality scores do not cluster as those of good data do")
        if values["capacity_level_count"] > 1:
            yield Verdict(Grade.CAUTION, f"{values['capacity_level_count']} levels of capacity were found")
        if values["time_zone_correction_hours"]:
            yield Verdict(
                Grade.CAUTION, f"SDT moved the time stamps by {values['time_zone_correction_hours']:+g} h to midday"
            )


def _run_pipeline(handler: Any, power_column: Any) -> None:
    try:
        handler.run_pipeline(power_col=power_column, **PIPELINE_ARGUMENTS)
    except MemoryError:
        raise
    except Exception as error:
        # Such as "n_samples=0" and "'NoneType' object has no attribute 'no_errors'", which name no cause.
        said = " ".join(str(error).split())
        raise AnalysisError(
            f"Solar Data Tools could not complete its pipeline: {type(error).__name__}: {said}. Most often no day is "
            "good enough for it: look for missing values, and at what the frame checks found",
            code="sdt_pipeline_failed",
        ) from error


def _complete_report(handler: Any) -> dict[str, Any]:
    # "No exception" is no success: SDT catches most of its own and only notes them down.
    said = " ".join(str(handler._error_msg).split())  # noqa: SLF001 - the only place that holds its real causes
    report = handler.report(verbose=False, return_values=True) if not said else None
    if said or report is None:
        code = next((code for text, code in _CAUSES.items() if text in said), "sdt_pipeline_failed")
        raise AnalysisError(
            f"Solar Data Tools' pipeline did not complete: {said or 'it gave no report'}; "
            "look at the system's power by day, and at its time stamps and gaps",
            code=code,
        )
    return dict(report)


def _judge_length(years: float) -> Verdict | None:
    days = years * DAYS_PER_YEAR
    if days <= WORTHLESS_DAYS:
        return Verdict(Grade.WITHHELD, f"only {days:.0f} days of data; one year says nothing of a trend")
    if years < TREND_YEARS:
        return Verdict(Grade.CAUTION, f"only {years:.1f} years of data; two are wanted for a trend")
    return None


def _judge_gap(days: float | None) -> Verdict | None:
    if days is None:
        return None
    return judge_range("longest gap of {:.0f} days", days, ok=(0, 30), caution=(0, _INFINITY))


def _judge_last_year(power: pd.Series[float]) -> Verdict | None:
    """Judge the longest gap of the last year: what is missing there cannot show where the system is heading."""
    import pandas as pd

    known = power.dropna().index
    last_year = known[known > known[-1] - pd.Timedelta(days=365)]
    days = max(last_year.to_series().diff().max() / pd.Timedelta(days=1), 0.0)
    return judge_range("longest gap of the last year, {:.0f} days,", days, ok=(0, 90), caution=(0, 90))
