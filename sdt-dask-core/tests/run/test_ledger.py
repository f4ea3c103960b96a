"""The ledger: whole or not at all, one writer, readable by all, refused when it is not ours."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.errors import LedgerBusyError, LedgerError
from sdt_dask_core.ledger import LEDGER_NAME, SCHEMA_VERSION, Ledger, LedgerReader, PlannedTask

DONE = {"status": "done", "grade": "ok", "columns": {"x": 1.5}}
FAILED = {"status": "failed", "stage": "read", "cause": "exception", "message": "ValueError: no"}


def task(name: str, **changes: Any) -> PlannedTask:
    plain = {"state": "todo", "reason": "new", "fingerprint": "1", "digest": "d", "options": {}, "metadata": {}}
    return PlannedTask(key=f'["{name}"]', **{**plain, **changes})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


@pytest.fixture
def run_id(ledger: Ledger) -> str:
    return ledger.begin_run({}, {}, [task("a"), task("b")])


def record(ledger: Ledger, run_id: str, name: str, outcome: dict[str, Any]) -> None:
    with ledger.transaction():
        number = ledger.start_attempt(run_id, f'["{name}"]')
        ledger.record(run_id, task(name), number, outcome)


def pragma(folder: Path, name: str) -> Any:
    connection = sqlite3.connect(folder / LEDGER_NAME)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def test_every_key_has_a_row_before_the_first_task_starts(ledger: Ledger, run_id: str) -> None:
    assert [(row["key"], row["state"], row["body"]) for row in ledger.rows(run_id)] == [
        ('["a"]', "todo", None),
        ('["b"]', "todo", None),
    ]


def test_a_run_whose_keys_cannot_be_written_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ledger.begin_run({}, {}, [task("a"), task("b", digest=None)])
    assert ledger.runs() == []


@pytest.mark.parametrize("error", [ConnectionError, sqlite3.OperationalError])
def test_keys_that_cannot_be_listed_to_the_end_leave_nothing(ledger: Ledger, error: type[Exception]) -> None:
    def torn() -> Iterator[PlannedTask]:
        yield task("a")
        raise error("the database of somebody else")

    with pytest.raises(error, match="somebody else"):
        ledger.begin_run({}, {}, torn())
    assert ledger.runs() == []


def test_a_key_that_comes_twice_counts_once_the_first_time(ledger: Ledger) -> None:
    run_id = ledger.begin_run({}, {}, [task("a", reason="new"), task("b"), task("a", reason="vanished")])
    assert [(found.key, found.reason) for found in ledger.tasks(run_id)] == [('["a"]', "new"), ('["b"]', "new")]


def test_an_error_inside_a_transaction_leaves_nothing(ledger: Ledger, run_id: str) -> None:
    def break_off() -> None:
        with ledger.transaction():
            number = ledger.start_attempt(run_id, '["a"]')
            ledger.record(run_id, task("a"), number, DONE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert ledger.attempts(run_id, '["a"]') == []
    assert ledger.counts(run_id) == {"todo": 2}


def test_a_transaction_after_a_failed_one_is_written(ledger: Ledger, run_id: str) -> None:
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        raise ZeroDivisionError
    record(ledger, run_id, "a", DONE)
    assert ledger.counts(run_id) == {"todo": 1, "done": 1, "grade:ok": 1}


def test_a_full_disk_says_what_is_safe_and_what_to_do(ledger: Ledger, run_id: str) -> None:
    ledger._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001 - a disk that is full
    with pytest.raises(LedgerError, match="full; what was recorded before is safe: make room and run sdt-dask resume"):
        record(ledger, run_id, "a", {**DONE, "columns": {"x": "y" * 1_000_000}})
    assert ledger.counts(run_id) == {"todo": 2}


def test_an_outcome_comes_back_as_it_was_recorded(ledger: Ledger, run_id: str) -> None:
    record(ledger, run_id, "a", {**DONE, "columns": {"x": None, "café": "ü"}})
    assert next(ledger.rows(run_id))["body"]["columns"] == {"x": None, "café": "ü"}


def test_it_syncs_at_each_commit(ledger: Ledger) -> None:
    assert ledger._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"  # noqa: SLF001 - per connection
    assert ledger._connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # noqa: SLF001


def test_a_reader_sees_rows_while_a_run_writes(ledger: Ledger, run_id: str) -> None:
    with LedgerReader(ledger.folder) as reader:
        assert reader.counts(run_id) == {"todo": 2}
        record(ledger, run_id, "a", DONE)
        assert reader.counts(run_id) == {"todo": 1, "done": 1, "grade:ok": 1}


def test_a_reader_sees_nothing_that_is_not_durable(ledger: Ledger, run_id: str) -> None:
    with LedgerReader(ledger.folder) as reader, ledger.transaction():
        number = ledger.start_attempt(run_id, '["a"]')
        ledger.record(run_id, task("a"), number, DONE)
        assert reader.counts(run_id) == {"todo": 2}


def test_a_reader_cannot_write(ledger: Ledger, run_id: str) -> None:
    with LedgerReader(ledger.folder) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM run")  # noqa: SLF001 - what no method does


def test_a_second_writer_is_told_who_is_the_first(ledger: Ledger) -> None:
    with pytest.raises(LedgerBusyError) as caught:
        Ledger(ledger.folder)
    assert f"in use by process {os.getpid()} on {platform.node()}, since " in str(caught.value)


def test_a_second_process_is_told_who_is_the_first(ledger: Ledger) -> None:
    code = f"from sdt_dask_core.ledger import Ledger; Ledger({str(ledger.folder)!r})"
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"LedgerBusyError: the output folder {ledger.folder} is in use by process {os.getpid()} on" in second.stderr


def test_it_can_be_opened_again_after_it_was_closed(tmp_path: Path) -> None:
    for _ in range(2):
        with Ledger(tmp_path):
            pass


def test_what_was_cut_off_is_closed_by_the_next_writer(tmp_path: Path) -> None:
    with Ledger(tmp_path) as first:
        run_id = first.begin_run({}, {}, [task("a")])
        with first.transaction():
            first.start_attempt(run_id, '["a"]')
    with Ledger(tmp_path) as second:
        assert second.run().state == "interrupted"
        assert [attempt["ending"] for attempt in second.attempts(run_id, '["a"]')] == ["interrupted"]


def test_a_retry_keeps_the_attempts_before_it(ledger: Ledger, run_id: str) -> None:
    record(ledger, run_id, "a", FAILED)
    record(ledger, run_id, "b", DONE)
    ledger.reopen_run(run_id, retry_failed=True)
    assert [task.key for task in ledger.todo(run_id)] == ['["a"]']
    record(ledger, run_id, "a", DONE)
    assert [(a["number"], a["ending"]) for a in ledger.attempts(run_id, '["a"]')] == [(1, "failed"), (2, "done")]
    assert ledger.counts(run_id) == {"done": 2, "grade:ok": 2}


def test_an_outcome_is_not_recorded_twice(ledger: Ledger, run_id: str) -> None:
    record(ledger, run_id, "a", DONE)
    with pytest.raises(LedgerError, match=r'key \["a"\] is not to do in run .*, so its outcome is not recorded again'):
        record(ledger, run_id, "a", FAILED)
    assert ledger.counts(run_id) == {"todo": 1, "done": 1, "grade:ok": 1}
    assert len(ledger.attempts(run_id, '["a"]')) == 1


def test_what_an_attempt_met_is_kept_whatever_it_holds(ledger: Ledger, run_id: str) -> None:
    with ledger.transaction():
        for detail in ({"signal": "SIGKILL", "peak_mb": 812.5, "rate": float("nan"), "text": "\udc80"}, {}, None):
            ledger.end_attempt(run_id, '["a"]', ledger.start_attempt(run_id, '["a"]'), "out_of_memory", detail)
    attempts = ledger.attempts(run_id, '["a"]')
    assert [attempt["detail"] for attempt in attempts] == [
        {"signal": "SIGKILL", "peak_mb": 812.5, "rate": None, "text": "\\udc80"},
        {},
        None,
    ]
    assert [attempt["ending"] for attempt in attempts] == ["out_of_memory"] * 3


def test_the_newest_outcome_of_a_key_is_the_one_that_counts(ledger: Ledger, run_id: str) -> None:
    record(ledger, run_id, "a", DONE)
    record(ledger, ledger.begin_run({}, {}, [task("a")]), "a", FAILED)
    last = ledger.last_outcome('["a"]')
    assert last is not None
    assert last.status == "failed"


def test_the_newest_run_is_the_default(ledger: Ledger, run_id: str) -> None:
    newer = ledger.begin_run({}, {}, [])
    assert ledger.run().run_id == newer
    assert ledger.run(run_id).run_id == run_id


def test_an_unknown_run_is_answered_with_the_known_ones(ledger: Ledger, run_id: str) -> None:
    with pytest.raises(LedgerError, match=f"has no run 'r1'; the newest: {run_id}"):
        ledger.run("r1")


def test_a_folder_without_a_ledger_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"there is no ledger in '.*nowhere': no run has written there; give the"):
        LedgerReader(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("opened", [Ledger, LedgerReader])
def test_a_newer_ledger_is_refused(tmp_path: Path, opened: type[LedgerReader]) -> None:
    with Ledger(tmp_path) as ledger:
        ledger._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")  # noqa: SLF001 - a newer release
    versions = f"has version {SCHEMA_VERSION + 1}, this release reads versions 1 to {SCHEMA_VERSION}"
    with pytest.raises(LedgerError, match=f"{versions}; upgrade sdt-dask-core or"):
        opened(tmp_path)


def test_a_file_that_is_no_database_is_refused_by_a_reader(tmp_path: Path) -> None:
    (tmp_path / LEDGER_NAME).write_text("key,power\n" * 1_000)
    with pytest.raises(LedgerError, match="is not a ledger: file is not a database; choose another output folder"):
        LedgerReader(tmp_path)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / LEDGER_NAME).write_text("key,power\n" * 1_000)
    with pytest.raises(LedgerError, match="cannot be opened: file is not a database; make room or choose"):
        Ledger(tmp_path)
    assert (tmp_path / LEDGER_NAME).read_text() == "key,power\n" * 1_000


def test_the_lock_is_released_where_opening_fails(tmp_path: Path) -> None:
    (tmp_path / LEDGER_NAME).write_text("key,power\n" * 1_000)
    with pytest.raises(LedgerError):
        Ledger(tmp_path)
    (tmp_path / LEDGER_NAME).unlink()
    with Ledger(tmp_path) as ledger:
        assert ledger.runs() == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"the output folder .*file/out cannot be made: Not a directory; choose"):
        Ledger(tmp_path / "file" / "out")


def test_a_folder_with_an_odd_name_is_no_trouble(tmp_path: Path) -> None:
    with Ledger(tmp_path / "50 % of ?mode=ro #1") as ledger:
        ledger.begin_run({}, {}, [task("a")])
    assert pragma(tmp_path / "50 % of ?mode=ro #1", "integrity_check") == "ok"
