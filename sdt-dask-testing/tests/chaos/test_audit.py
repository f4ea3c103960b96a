"""The audit finds what was harmed in a ledger or a table, and nothing where nothing was."""

from __future__ import annotations

import hashlib
import json

import pytest

from sdt_dask_core.keys import as_key
from sdt_dask_testing.chaos.audit import read_snapshot
from sdt_dask_testing.chaos.faults import FaultyKey, check_keys
from sdt_dask_testing.chaos.tally import Tally

from .conftest import N_KEYS, Copy

KEY = '["slow",3]'
OUTCOME = "SELECT max(id) FROM outcome WHERE key = ?"


def test_an_undisturbed_run_is_clean(copy: Copy) -> None:
    tally = copy.looked_at()
    assert tally.sentences == []
    assert tally.is_clean


def test_each_key_of_an_undisturbed_run_was_acknowledged(copy: Copy) -> None:
    assert len(copy.acks.read_text(encoding="utf-8").splitlines()) == N_KEYS


@pytest.mark.parametrize(("seen", "acked"), [(True, False), (False, True)])
def test_an_outcome_that_is_gone_is_lost(copy: Copy, seen: bool, acked: bool) -> None:
    copy.change("UPDATE task SET state = 'todo', outcome_id = NULL WHERE key = ?", KEY)
    copy.change("DELETE FROM outcome WHERE key = ?", KEY)
    assert copy.looked_at(seen=seen, acked=acked).harms["lost"] == 1


def test_a_key_that_is_gone_is_lost(copy: Copy) -> None:
    copy.change("DELETE FROM task WHERE key = ?", KEY)
    assert copy.looked_at().harms["lost"] == 1


def test_an_outcome_that_is_another_one_is_lost(copy: Copy) -> None:
    copy.change("UPDATE outcome SET recorded_at = 'later' WHERE key = ?", KEY)
    assert copy.looked_at(acked=False).harms["lost"] == 1


def test_a_task_to_do_with_an_outcome_is_lost(copy: Copy) -> None:
    copy.change("UPDATE task SET state = 'todo', outcome_id = NULL WHERE key = ?", KEY)
    assert "is to do and has an outcome" in " ".join(copy.looked_at().sentences)


def test_a_second_outcome_is_a_duplicate(copy: Copy) -> None:
    copy.change(
        "INSERT INTO outcome (run_id, key, attempt, recorded_at, status, digest, body, body_sha256) "
        "SELECT run_id, key, 2, recorded_at, status, digest, body, body_sha256 FROM outcome WHERE key = ?",
        KEY,
    )
    assert copy.looked_at().harms["duplicated"] == 2  # two outcomes, two successes


def test_an_attempt_after_a_success_is_a_duplicate(copy: Copy) -> None:
    copy.change(
        "INSERT INTO attempt (run_id, key, number, started_at) SELECT run_id, key, 2, started_at FROM attempt "
        "WHERE key = ?",
        KEY,
    )
    assert copy.looked_at().sentences == [f"duplicated: the key {KEY} was handed out again after it was done"]


def test_half_a_body_is_wrong(copy: Copy) -> None:
    copy.change("UPDATE outcome SET body = substr(body, 1, length(body) - 1) || ' }' WHERE key = ?", KEY)
    assert copy.looked_at(seen=False, acked=False).harms["wrong"] == 1


def test_a_success_without_its_outcome_is_wrong(copy: Copy) -> None:
    copy.change("UPDATE task SET outcome_id = NULL WHERE key = ?", KEY)
    assert copy.looked_at().harms["wrong"] >= 1


def test_the_outcome_of_another_key_is_wrong(copy: Copy) -> None:
    copy.change(f"UPDATE task SET outcome_id = ({OUTCOME}) WHERE key = ?", '["slow",4]', KEY)
    assert f'wrong: the task of {KEY} has the outcome of ["slow",4]' in copy.looked_at().sentences


def test_an_attempt_that_never_ended_is_wrong(copy: Copy) -> None:
    copy.change("UPDATE attempt SET ending = NULL WHERE key = ?", KEY)
    assert copy.looked_at().sentences == [f"wrong: the attempt of the outcome of {KEY} did not end with it"]


def test_a_wrong_number_is_wrong_however_well_it_is_recorded(copy: Copy) -> None:
    (row,) = (row for row in copy.before.outcomes.values() if row["key"] == KEY)
    body = json.loads(row["body"])
    body["columns"]["chaos_energy_kwh"] += 1e-6
    text = json.dumps(body)
    digest = hashlib.sha256(text.encode()).hexdigest()
    copy.change("UPDATE outcome SET body = ?, body_sha256 = ? WHERE key = ?", text, digest, KEY)
    (sentence,) = copy.looked_at(seen=False, acked=False).sentences
    assert sentence.startswith(f"wrong: the key {KEY}: chaos_energy_kwh is ")


def test_a_ledger_whose_pages_are_damaged_is_told(copy: Copy) -> None:
    with (copy.output / "ledger.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    tally = Tally("test", 0)
    read_snapshot(copy.output, tally)
    assert not tally.is_clean


def test_a_file_that_is_no_ledger_is_refused(copy: Copy) -> None:
    (copy.output / "ledger.sqlite").write_bytes(b"x" * 10_000)
    assert copy.looked_at(seen=False, acked=False).harms["refused"] == 1


def _lines(copy: Copy) -> list[str]:
    return (copy.output / "results.csv").read_text(encoding="utf-8").splitlines(keepends=True)


def _write(copy: Copy, lines: list[str]) -> None:
    (copy.output / "results.csv").write_text("".join(lines), encoding="utf-8")


def test_a_table_without_a_row_has_lost_it(copy: Copy) -> None:
    _write(copy, _lines(copy)[:-1])
    assert copy.looked_at().harms["lost"] == 1


def test_a_table_with_a_row_twice_has_a_duplicate(copy: Copy) -> None:
    lines = _lines(copy)
    _write(copy, [*lines, lines[-1]])
    assert copy.looked_at().harms["duplicated"] == 1


def test_a_table_with_another_number_is_wrong(copy: Copy) -> None:
    lines = _lines(copy)
    assert "5.03" in lines[4]
    _write(copy, [*lines[:4], lines[4].replace("5.03", "5.04"), *lines[5:]])
    assert copy.looked_at().harms["wrong"] == 1


def test_why_a_key_ran_is_no_part_of_the_truth(copy: Copy) -> None:
    lines = _lines(copy)
    _write(copy, [line.replace(",done,", ",skipped,") for line in lines])
    assert copy.looked_at().is_clean


def _asked(fault: str) -> list[FaultyKey]:
    return [FaultyKey(as_key(key), "exception") for key in [["exception", 0]]] + [
        FaultyKey(as_key(["slow", number]), fault if number == 3 else "") for number in range(1, N_KEYS)
    ]


def test_a_good_key_that_was_to_fail_is_wrong(copy: Copy) -> None:
    tally = Tally("test", 0)
    check_keys(copy.output, _asked("segfault"), tally)
    assert tally.harms == {"wrong": 1}


def test_a_key_with_too_few_attempts_is_wrong(copy: Copy) -> None:
    tally = Tally("test", 0)
    check_keys(copy.output, _asked("good_at_the_third_time"), tally)
    assert tally.sentences == [f"wrong: {KEY} (good_at_the_third_time): it was tried 1 times and not 3"]


def test_a_failure_with_another_cause_is_wrong(copy: Copy) -> None:
    said = {"status": "failed", "cause": "crashed", "stage": "read", "message": "ValueError: no such column"}
    copy.change("UPDATE outcome SET body = ? WHERE key = ?", json.dumps(said), '["exception",0]')
    tally = Tally("test", 0)
    check_keys(copy.output, _asked(""), tally)
    assert tally.harms == {"wrong": 1}
