"""What the command line says of a night, and compares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result

from sdt_dask_core import Run
from sdt_dask_core.ledger import LedgerReader

from .conftest import failed

Invoke = Callable[..., Result]
Outcomes = dict[str, dict[str, Any]]


@pytest.fixture
def second_night(invoke: Invoke, data: Path, outcomes: Outcomes) -> Result:
    """After a night over a, b and c: a is broken, b as it was, c gone, and new there for the first time."""
    assert invoke("run", "-q").exit_code == 0
    (data / "a.txt").write_text("6", encoding="utf-8")
    (data / "c.txt").unlink()
    (data / "new.txt").write_text("5", encoding="utf-8")
    outcomes["a"] = failed()
    return invoke("run")


def run_ids(folder: Path) -> list[str]:
    with LedgerReader(folder) as ledger:
        return [row.run_id for row in ledger.runs()]


def test_the_end_of_a_run_counts_the_reasons_and_names_what_vanished(second_night: Result) -> None:
    assert second_night.exit_code == 1
    assert "why: 1 changed: data; 1 new; 1 unchanged; 1 vanished\n" in second_night.stdout
    assert "1 system vanished from the source, kept with the last row: c\n" in second_night.stdout


def test_status_says_the_same(second_night: Result, invoke: Invoke) -> None:
    text = invoke("status").stdout
    assert "why:      1 changed: data; 1 new; 1 unchanged; 1 vanished\n" in text
    assert "1 system vanished from the source, kept with the last row: c\n" in text


def test_status_as_json_has_words_reasons_and_keys(second_night: Result, invoke: Invoke) -> None:
    status = json.loads(invoke("status", "--json").stdout)
    assert status["reasons"] == {"new": 1, "changed": 1, "unchanged": 1, "vanished": 1}
    assert status["run_reasons"] == {"changed: data": 1, "new": 1, "unchanged": 1, "vanished": 1}
    assert status["vanished"] == [["c"]]


def test_a_plan_says_them_key_by_key(second_night: Result, invoke: Invoke) -> None:
    text = invoke("plan").stdout
    assert "  run, failed before: 1 (a)\n" in text
    assert "  skip, unchanged: 2 (b, new)\n" in text
    assert "  skip, vanished: 1 (c)\n" in text
    plan = json.loads(invoke("plan", "--json", "--look-back", "3d").stdout)
    assert plan["keys"] == {"failed before": [["a"]], "changed: window": [["b"], ["new"]], "vanished": [["c"]]}
    assert plan["reasons"] == {"changed": 2, "failed before": 1, "vanished": 1}


def test_the_tables_hold_them_too(second_night: Result) -> None:
    table = pd.read_csv("out/results.csv") if Path("out/results.csv").exists() else Run("out").results
    assert dict(zip(table["key"], table["run_reason"], strict=True)) == {
        "a": "changed: data",
        "b": "unchanged",
        "new": "new",
        "c": "vanished",
    }


@pytest.mark.parametrize(
    ("arguments", "window"),
    [
        ((), "look_back 24 months"),
        (("--look-back", "1y"), "look_back 12 months"),
        (("--since", "2020-01-01"), "since 2020-01-01T00:00:00"),
        (
            ("--since", "2020-01-01", "--until", "2020-06-01 12:00"),
            "since 2020-01-01T00:00:00, until 2020-06-01T12:00:00",
        ),
    ],
)
def test_the_window_of_the_command_line_stands_for_that_of_the_run_file(
    invoke: Invoke, outcomes: Outcomes, arguments: tuple[str, ...], window: str
) -> None:
    file = Path("sdt-dask.toml")
    file.write_text('look_back = "2y"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    invoke("run", "-q", *arguments)
    assert str(Run("out").settings.job.window) == window


def test_a_run_file_may_hold_dates_as_toml_writes_them(invoke: Invoke, outcomes: Outcomes) -> None:
    file = Path("sdt-dask.toml")
    file.write_text("since = 2020-01-01\nuntil = 2020-06-01T12:00:00\n" + file.read_text(encoding="utf-8"))
    invoke("run", "-q")
    assert str(Run("out").settings.job.window) == "since 2020-01-01T00:00:00, until 2020-06-01T12:00:00"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("since = 2020", "since is 2020; write a date or a time, such as 2020-01-01"),
        ("look_back = 730", 'look_back is 730; write a length of time, such as "3y"'),
        ('look_back = "3m"', "look_back cannot be '3m'"),
        ("until = 2020-06-01T12:00:00Z", "it has a time zone"),
    ],
)
def test_what_is_no_window_in_a_run_file_is_refused(invoke: Invoke, line: str, answer: str) -> None:
    file = Path("sdt-dask.toml")
    file.write_text(f"{line}\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    refused = invoke("run")
    assert (refused.exit_code, answer in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--since", "soon"), "since cannot be 'soon'"),
        (("--since", "2021-01-01", "--until", "2020-01-01"), "since must be before until"),
        (("--look-back", ""), "look_back cannot be ''"),
    ],
)
def test_what_is_no_window_on_the_command_line_is_refused(
    invoke: Invoke, arguments: tuple[str, ...], answer: str
) -> None:
    refused = invoke("run", *arguments)
    assert (refused.exit_code, answer in refused.stderr) == (2, True)
    assert not Path("out").exists()


def test_check_looks_at_the_window(invoke: Invoke) -> None:
    assert "96 of 480 rows lie outside the window" in invoke("check", "--look-back", "4d").stdout
    outside = invoke("check", "--since", "2021-01-01")
    assert (outside.exit_code, "(outside_window)" in outside.stdout) == (1, True)


def test_compare_holds_the_newest_run_against_the_one_before(second_night: Result, invoke: Invoke) -> None:
    found = invoke("compare")
    newest, first = run_ids(Path("out"))
    lines = found.stdout.splitlines()
    assert lines[0] == f"before: run {first} in out"
    assert lines[1] == f"now:    run {newest} in out"
    assert lines[2] == "1 broken, 1 gone, 0 grade, 0 moved, 0 fixed, 1 new; 2 systems in both"
    assert [line.split()[:2] for line in lines[3:]] == [
        *(["change", "key"], ["broken", "a"], ["gone", "c"], ["new", "new"]),
    ]
    assert found.exit_code == 1


def test_compare_of_nights_alike_ends_with_0(invoke: Invoke, outcomes: Outcomes) -> None:
    for _ in range(2):
        invoke("run", "-q")
    found = invoke("compare", "--strict")
    assert found.exit_code == 0
    assert found.stdout.splitlines()[-1] == "0 broken, 0 gone, 0 grade, 0 moved, 0 fixed, 0 new; 3 systems in both"


def test_strict_objects_to_a_system_that_is_gone(invoke: Invoke, data: Path, outcomes: Outcomes) -> None:
    invoke("run", "-q")
    (data / "c.txt").unlink()
    invoke("run", "-q")
    assert invoke("compare").exit_code == 0
    assert invoke("compare", "--strict").exit_code == 1


def test_a_run_is_named_by_folder_by_id_or_by_both(second_night: Result, invoke: Invoke) -> None:
    newest, first = run_ids(Path("out"))
    wanted = invoke("compare").stdout
    for names in ([first], ["out"], [first, newest], [f"out:{first}", "out"], [first[:-1], "out"]):
        assert invoke("compare", *names).stdout == wanted
    assert invoke("compare", "--output", "out", first, newest, "--config", "sdt-dask.toml").stdout == wanted


def test_a_look_at_chosen_keys_is_not_the_night_before(invoke: Invoke, outcomes: Outcomes) -> None:
    invoke("run", "-q")
    night = run_ids(Path("out"))[0]
    invoke("run", "-q", "--key", "a", "--force")
    invoke("run", "-q")
    assert f"before: run {night} " in invoke("compare").stdout


def test_runs_not_done_alike_are_told_first(invoke: Invoke, outcomes: Outcomes) -> None:
    invoke("run", "-q")
    invoke("run", "-q", "-p", "units=W")
    assert invoke("compare").stdout.splitlines()[2] == "not alike: plug option units: not given before, 'W' now"


def test_compare_as_json_and_as_a_file_has_every_change(second_night: Result, invoke: Invoke) -> None:
    found = invoke("compare", "--json", "--export", "changes.csv")
    told = json.loads(found.stdout)
    assert [(change["change"], change["key"]) for change in told["changes"]] == [
        ("broken", ["a"]),
        ("gone", ["c"]),
        ("new", ["new"]),
    ]
    assert (told["counts"]["broken"], told["n_both"], told["tolerance"]) == (1, 2, 0.05)
    assert pd.read_csv("changes.csv")["change"].tolist() == ["broken", "gone", "new"]


def test_more_than_twenty_of_a_kind_are_counted(invoke: Invoke, data: Path, outcomes: Outcomes) -> None:
    invoke("run", "-q")
    for number in range(25):
        (data / f"n{number}.txt").write_text("5", encoding="utf-8")
    invoke("run", "-q")
    found = invoke("compare").stdout
    assert found.splitlines()[-1] == "… and 5 more: new; --export FILE writes all"
    assert found.count("\nnew ") == 20


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (("nothing",), "there is no run 'nothing' in 'out'; the newest: "),
        (("out:nothing", "out"), "there is no run 'nothing' in 'out'"),
        (("2", "out"), "2 runs in 'out' begin with '2': "),
        (("a", "b", "c"), "compare takes two runs, 3 were given"),
        (("x", "--output", "elsewhere"), "there is no ledger in 'elsewhere', where ids are looked for"),
        (("--output", "elsewhere"), "there is no ledger in 'elsewhere'"),
        (("--tolerance", "-1"), "tolerance cannot be -1.0"),
        (("--export", "changes.ods"), "write .csv or .parquet"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    second_night: Result, invoke: Invoke, names: tuple[str, ...], answer: str
) -> None:
    refused = invoke("compare", *names)
    assert (refused.exit_code, answer in refused.stderr) == (2, True)


def test_one_run_alone_has_nothing_to_be_compared_with(invoke: Invoke, outcomes: Outcomes) -> None:
    invoke("run", "-q")
    refused = invoke("compare")
    assert (refused.exit_code, "there is one run in 'out'" in refused.stderr) == (2, True)
