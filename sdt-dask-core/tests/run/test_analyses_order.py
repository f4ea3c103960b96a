"""Analyses of one's own: their order, their columns, their grades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from sdt_dask_core import Analysis, Column, Grade, Run, SDTDask, System, Verdict
from sdt_dask_core.analyses import order_analyses
from sdt_dask_core.errors import AnalysisError, ConfigurationError

from .plugs import BelievedPlug, ManyKeysPlug, NamedPlug


def analysis(called: str, *, requires: tuple[str, ...] = (), provides: tuple[str, ...] = ()) -> Analysis:
    class Made(Analysis):
        name = called

        def run(self, system: System) -> Mapping[str, Any]:
            return {}

    Made.requires = requires
    Made.provides = tuple(Column(name, "1", "A number.") for name in provides)
    return Made()


def names(*analyses: Analysis) -> list[str]:
    return [ordered.name for ordered in order_analyses(analyses)]


def test_who_provides_runs_before_who_requires() -> None:
    last = analysis("last", requires=("x", "y"))
    middle = analysis("middle", requires=("x",), provides=("y",))
    assert names(last, middle, analysis("first", provides=("x",))) == ["first", "middle", "last"]


def test_two_writers_of_a_column_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="analyses 'a' and 'b' both write the column 'x'; leave one of them"):
        names(analysis("a", provides=("x",)), analysis("b", provides=("x",)))


def test_a_missing_requirement_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"analysis 'a' needs y, z, which none of .* \(a, b\); add the one"):
        names(analysis("a", requires=("x", "y", "z")), analysis("b", provides=("x",)))


def test_a_circle_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"need each other in a circle: (a -> b -> a|b -> a -> b)"):
        names(analysis("a", requires=("y",), provides=("x",)), analysis("b", requires=("x",), provides=("y",)))


def test_the_loss_analysis_alone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="analysis 'losses' needs length_years, quality_score, capacity_kw"):
        SDTDask(ManyKeysPlug, analyses=["losses"])


def test_analyses_given_as_one_text_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"analyses is one text, 'quality'; give a list, such as \['quality'\]"
    ):
        SDTDask(ManyKeysPlug, analyses="quality")


class PeakAnalysis(Analysis):
    """The peak, withheld for the second key, of which it says that nobody would believe it."""

    name = "peak"
    provides = (
        Column("peak_kw", "kW", "The highest power.", is_withheld=True),
        Column("n_days", "count", "Days with data."),
        Column("is_clear", "bool", "Whether it is."),
        Column("comment", "text", "A word."),
    )

    def run(self, system: System) -> Mapping[str, Any]:
        peak = system.power.max() * (1 if system.metadata["believed"] else 1e9)
        return {"peak_kw": np.float32(peak), "n_days": np.int64(3), "is_clear": np.bool_(True), "comment": "fine"}

    def judge(self, system: System) -> Iterator[Verdict]:
        if system.values["peak_kw"] > 1e6:
            yield Verdict(Grade.WITHHELD, "no system is that large")


@pytest.fixture(scope="module")
def peaks(on_cluster: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("peaks")
    return SDTDask(BelievedPlug, analyses=[PeakAnalysis], accelerate=False, output=output, **on_cluster).execute()


def test_columns_of_ones_own_are_in_the_results(peaks: Run) -> None:
    assert peaks.results.loc[0, ["peak_kw", "n_days", "is_clear", "comment"]].tolist() == [5.0, 3, True, "fine"]


def test_a_withheld_number_is_not_in_the_results(peaks: Run) -> None:
    assert peaks.results["grade"].tolist() == ["ok", "withheld", "ok"]
    assert peaks.results["peak_kw"].isna().tolist() == [False, True, False]
    assert peaks.results.loc[1, "reasons"] == "withheld: no system is that large"
    assert peaks.results.loc[1, "n_days"] == 3


def test_a_withheld_number_is_kept_for_diagnosis(peaks: Run) -> None:
    assert peaks.withheld[["key", "reasons", "peak_kw"]].to_numpy().tolist() == [
        ["[1]", "withheld: no system is that large", pytest.approx(5e9)]
    ]


def test_a_withheld_system_is_out_of_the_summary(peaks: Run) -> None:
    assert peaks.summary.attrs["n_systems"] == 3
    assert peaks.summary.loc["peak_kw", ["unit", "median", "p10", "p90", "n_used"]].tolist() == ["kW", 5, 5, 5, 2]


def test_text_is_not_summarised(peaks: Run) -> None:
    assert not {"comment", "is_clear", "first_timestamp"} & set(peaks.summary.index)


class OddAnalysis(Analysis):
    """Gives what the key says."""

    name = "odd"
    provides = (Column("odd_kw", "kW", "Odd."), Column("rest_kw", "kW", "Not odd."))

    def run(self, system: System) -> Mapping[str, Any]:
        odd: dict[str, Any] = {
            "not_finite": math.nan,
            "infinite": np.float64(-np.inf),
            "object": object(),
            "array": np.arange(3.0),
            "text": "5 kW",
            "truth": True,
        }
        kind = system.metadata["name"]
        if kind == "refuses":
            raise AnalysisError("there is no peak; look at the data", code="no_peak")
        return {} if kind == "nothing" else {"odd_kw": odd[kind], "rest_kw": 1.0}


BAD = {
    "object": ("bad_result", "analysis 'odd' gave object <object object at 0x"),
    "array": (
        "bad_result",
        "analysis 'odd' gave ndarray array([0., 1., 2.]) for the column 'odd_kw', whose unit is 'kW'",
    ),
    "text": ("bad_result", "analysis 'odd' gave str '5 kW' for the column 'odd_kw', whose unit is 'kW'"),
    "truth": ("bad_result", "analysis 'odd' gave bool True for the column 'odd_kw', whose unit is 'kW'"),
    "nothing": ("bad_result", "analysis 'odd' gave no column 'odd_kw'"),
    "refuses": ("no_peak", "there is no peak; look at the data"),
}


@pytest.fixture(scope="module")
def odd(on_cluster: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("odd")
    tool = SDTDask(NamedPlug, analyses=[OddAnalysis], accelerate=False, output=output, **on_cluster)
    return tool.execute(["not_finite", "infinite", *BAD])


def test_what_is_not_finite_is_stored_as_nothing(odd: Run) -> None:
    assert [row["body"]["columns"]["odd_kw"] for row in odd.rows[:2]] == [None, None]
    assert odd.results["rest_kw"].tolist()[:2] == [1.0, 1.0]


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_result_fails_its_key(odd: Run, kind: str) -> None:
    errors = odd.errors.set_index("key")
    cause, message = BAD[kind]
    assert errors.loc[kind, ["cause", "stage"]].tolist() == [cause, "odd"]
    assert str(errors.loc[kind, "message"]).startswith(message)


def test_a_failed_key_has_no_result(odd: Run) -> None:
    assert odd.results["rest_kw"].isna().tolist() == [False, False, *[True] * len(BAD)]
