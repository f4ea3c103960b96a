"""Two runs held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import Analysis, Change, Column, Comparison, Run, System
from sdt_dask_core.comparison.numbers import comparable, moved_numbers
from sdt_dask_core.errors import OptionError

from .conftest import Night, done, failed

Outcomes = dict[str, dict[str, Any]]

RATE = Column("rate", "%/yr", "A rate.", is_withheld=True, interval=("low", "high"))
ENDS = (Column("low", "%/yr", "Its end.", is_withheld=True), Column("high", "%/yr", "Its end.", is_withheld=True))
SIZE = Column("size", "kW", "A size.")
SHARE = Column("share", "1", "A share.")
PERCENT = Column("percent", "%", "A share.")
SECONDS = Column("seconds", "s", "What it took.")
ALL = (RATE, *ENDS, SIZE, SHARE, PERCENT, SECONDS)


class RateAnalysis(Analysis):
    name = "rates"
    provides = ALL

    def run(self, system: System) -> Mapping[str, Any]:
        return {}


@pytest.fixture
def two_nights(night: Night, outcomes: Outcomes) -> Callable[[Outcomes, Outcomes], Comparison]:
    """Run twice, all keys each time, and compare."""

    def run(first: Outcomes, second: Outcomes) -> Comparison:
        found = []
        for written in (first, second):
            outcomes.clear()
            outcomes.update(written)
            found.append(night(analyses=[RateAnalysis], force=True))
        return found[1].compare(found[0])

    return run


def told(found: Comparison) -> list[tuple[str, str, Any, Any]]:
    """Return what changed, in short."""
    return [(change.label, change.kind.value, change.before, change.after) for change in found.changes]


def moved(before: dict[str, Any], after: dict[str, Any], tolerance: float = 0.05) -> list[Change]:
    return list(moved_numbers('["a"]', before, after, comparable(ALL), tolerance))


def test_two_runs_alike_have_nothing_to_tell(two_nights: Callable[..., Comparison]) -> None:
    same = {"a": done(size=5.0), "b": failed()}
    found = two_nights(same, same)
    assert (found.changes, found.unlike, found.exit_code(strict=True)) == ((), (), 0)
    assert (found.n_both, found.n_failed_in_both, found.n_open) == (3, 1, 0)


def test_fixed_and_broken_and_grades_are_told_the_worst_first(two_nights: Callable[..., Comparison]) -> None:
    found = two_nights(
        {"a": done("caution"), "b": failed("timeout"), "c": done()}, {"a": failed(), "b": done(), "c": done("caution")}
    )
    assert told(found) == [
        ("a", "broken", "caution", "failed: source_unavailable"),
        ("c", "grade", "ok", "caution"),
        ("b", "fixed", "failed: timeout", "ok"),
    ]
    assert found.counts == {"broken": 1, "gone": 0, "grade": 1, "moved": 0, "fixed": 1, "new": 0}
    assert found.changes[0].note == "the source did not answer"
    assert found.changes[1].note == "the test says so"


def test_new_and_gone_and_vanished(night: Night, outcomes: Outcomes, data: Path) -> None:
    first = night(keys=["a", "b", "c"])
    second = night(keys=["a", "b"])
    assert told(second.compare(first)) == [("c", "gone", "ok", None)]
    assert told(first.compare(second)) == [("c", "new", None, "ok")]


def test_one_that_vanished_is_gone_once_and_new_when_it_is_back(night: Night, data: Path) -> None:
    nights = [night()]
    (data / "c.txt").unlink()
    nights += [night(), night()]
    (data / "c.txt").write_text("5", encoding="utf-8")
    nights.append(night())
    found = [later.compare(earlier) for earlier, later in pairwise(nights)]
    assert [told(each) for each in found] == [[("c", "gone", "ok", None)], [], [("c", "new", None, "ok")]]
    assert found[0].changes[0].note == "vanished from the source"


def test_a_skipped_system_counts_with_the_outcome_that_it_held_then(
    night: Night, outcomes: Outcomes, data: Path
) -> None:
    outcomes["a"] = done(size=5.0)
    first = night(analyses=[RateAnalysis])
    second = night(analyses=[RateAnalysis])
    (data / "a.txt").write_text("9", encoding="utf-8")
    outcomes["a"] = done(size=9.0)
    third = night(analyses=[RateAnalysis])
    assert second.counts["skipped"] == 3
    assert told(second.compare(first)) == []
    assert told(third.compare(second)) == told(third.compare(first)) == [("a", "moved", 5.0, 9.0)]


def test_what_is_still_to_do_is_counted_and_not_compared(night: Night, tmp_path: Path) -> None:
    import sqlite3

    first, second = night(), night(force=True)
    connection = sqlite3.connect(tmp_path / "out" / "ledger.sqlite")
    with connection:
        connection.execute("UPDATE task SET state = 'todo', outcome_id = NULL WHERE run_id = ?", (second.run_id,))
    connection.close()
    found = Run(tmp_path / "out", second.run_id).compare(first)
    assert (told(found), found.n_open) == ([], 3)


def test_runs_of_two_folders_are_compared(night: Night, tmp_path: Path, outcomes: Outcomes) -> None:
    first = night(output=tmp_path / "one")
    outcomes["a"] = failed()
    second = night(output=tmp_path / "two")
    assert told(second.compare(first)) == [("a", "broken", "ok", "failed: source_unavailable")]


@pytest.mark.parametrize(
    ("new", "is_told"), [(-0.9, False), (-0.5, False), (-1.5, False), (-0.49, True), (-1.51, True), (3.0, True)]
)
def test_a_number_with_an_interval_moves_when_it_leaves_that_of_before(new: float, is_told: bool) -> None:
    found = moved({"rate": -1.0, "low": -1.5, "high": -0.5}, {"rate": new, "low": new - 9, "high": new + 9})
    assert [(c.column, c.before, c.after, c.lower, c.upper) for c in found] == (
        [("rate", -1.0, new, -1.5, -0.5)] if is_told else []
    )


def test_a_number_whose_interval_is_missing_is_held_to_the_tolerance() -> None:
    assert not moved({"rate": -1.0, "low": None, "high": None}, {"rate": -1.04})
    assert [change.note for change in moved({"rate": -1.0, "low": None}, {"rate": -1.2})] == ["by more than 5 %"]


@pytest.mark.parametrize(
    ("name", "old", "new", "is_told"),
    [
        ("size", 100.0, 104.0, False),
        ("size", 100.0, 106.0, True),
        ("size", 0.0, 0.001, True),
        ("size", 5.0, -5.0, True),
        ("share", 0.01, 0.05, False),
        ("share", 0.90, 0.84, True),
        ("percent", -0.1, -4.9, False),
        ("percent", -1.0, -6.5, True),
        ("seconds", 1.0, 900.0, False),
        ("low", -1.0, -9.0, False),
    ],
)
def test_a_number_without_one_moves_beyond_the_tolerance(name: str, old: float, new: float, is_told: bool) -> None:
    assert bool(moved({name: old}, {name: new})) is is_told


def test_the_tolerance_is_the_users() -> None:
    assert moved({"size": 100.0}, {"size": 100.1}, tolerance=0.0)
    assert not moved({"size": 100.0}, {"size": 149.0}, tolerance=0.5)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf"), True, "5%"])
def test_a_tolerance_that_is_none_is_refused(night: Night, tolerance: Any) -> None:
    run = night()
    with pytest.raises(OptionError, match="tolerance cannot be"):
        run.compare(run, tolerance=tolerance)


@pytest.mark.parametrize("grades", [("withheld", "withheld"), ("withheld", "ok"), ("ok", "withheld")])
def test_a_withheld_number_is_not_compared_and_others_of_the_system_are(
    two_nights: Callable[..., Comparison], grades: tuple[str, str]
) -> None:
    first, second = ({"a": done(grade, rate=rate, size=rate)} for grade, rate in zip(grades, (1.0, 1e9), strict=True))
    assert [change.column for change in two_nights(first, second).changes if change.kind == "moved"] == ["size"]


def test_only_what_is_worse_counts_when_strict(two_nights: Callable[..., Comparison]) -> None:
    better = two_nights({"a": done("caution"), "b": failed()}, {"a": done(), "b": done()})
    assert (better.exit_code(), better.exit_code(strict=True)) == (0, 0)
    worse = two_nights({"a": done()}, {"a": done("caution")})
    assert (worse.exit_code(), worse.exit_code(strict=True)) == (0, 1)


def test_a_broken_system_alone_costs_the_exit_code(two_nights: Callable[..., Comparison]) -> None:
    assert two_nights({"a": done(size=1.0)}, {"a": done(size=2.0)}).exit_code() == 0
    assert two_nights({"a": done()}, {"a": failed()}).exit_code() == 1


def test_what_the_runs_did_not_do_alike_is_told(night: Night) -> None:
    first = night(analyses=[RateAnalysis])
    second = night(options={"units": "W"}, look_back="3d", keys=["a"])
    told = second.compare(first).unlike
    assert told == (
        "analyses: RateAnalysis before, none now",
        "window: all before, look_back 3 days now",
        "keys: list before, chosen ones now",
        "plug option units: not given before, 'W' now",
    )


def test_versions_that_decide_numbers_are_told(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    first = night()
    newer = {"solar-data-tools": "99.0", "dask": "99.0"}
    monkeypatch.setattr("sdt_dask_core.api.versions", lambda _: {**first.versions, **newer})
    sdt = first.versions["solar-data-tools"]
    assert night().compare(first).unlike == (f"version of solar-data-tools: {sdt} before, 99.0 now",)


def test_columns_of_one_run_alone_are_not_compared(night: Night, outcomes: Outcomes) -> None:
    outcomes["a"] = done(size=5.0, n_timestamps=100)
    first = night(analyses=[RateAnalysis])
    outcomes["a"] = done(n_timestamps=200)
    assert told(night().compare(first)) == [("a", "moved", 100, 200)]


def test_the_table_has_a_row_for_each_change_and_its_types_hold(
    two_nights: Callable[..., Comparison], tmp_path: Path
) -> None:
    found = two_nights(
        {"a": done(rate=-1.0, low=-1.1, high=-0.9), "b": done()},
        {"a": done(rate=-2.0, low=-3.0, high=0.0), "b": failed()},
    )
    table = found.table
    assert table["change"].tolist() == ["broken", "moved"]
    assert table.loc[1, ["key", "column", "before", "after", "lower", "upper"]].tolist() == [
        *("a", "rate", "-1.0", "-2.0"),
        *(-1.1, -0.9),
    ]
    table.to_parquet(tmp_path / "changes.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "changes.parquet"), table, check_dtype=False)


def test_the_degradation_rate_declares_its_interval() -> None:
    from sdt_dask_core.analyses.losses import LossAnalysis

    (rate,) = (column for column in LossAnalysis.provides if column.interval)
    assert rate.name == "degradation_rate_pct_per_year"
    assert {*rate.interval} <= {column.name for column in LossAnalysis.provides}
