"""How a run ends where its tables or its ledger cannot be written: the first error is the one that is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core import Plug, Run, SDTDask
from sdt_dask_core.ending import ended
from sdt_dask_core.errors import ClusterLostError, LedgerError
from sdt_dask_core.ledger import Ledger, PlannedTask


class OneKeyPlug(Plug):
    """What the settings of a run name; nothing is read."""

    units = "kW"

    def get_data(self, key: object) -> pd.DataFrame:
        raise NotImplementedError


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "out") as opened:
        yield opened


@pytest.fixture
def run_id(ledger: Ledger) -> str:
    """A run whose one key is done, and which did not end yet."""
    task = PlannedTask('["a"]', "todo", "new", "1", "d", {}, {})
    settings = SDTDask(OneKeyPlug, analyses=[], output=ledger.folder).settings
    made = ledger.begin_run(settings.as_dict(), {}, [task])
    with ledger.transaction():
        number = ledger.start_attempt(made, task.key)
        ledger.record(made, task, number, {"status": "done", "grade": "ok", "columns": {}})
    return made


@pytest.fixture
def no_table(ledger: Ledger) -> Path:
    """What stands in the way of a table."""
    made = ledger.folder / "results.csv"
    made.mkdir()
    return made


def test_a_run_without_its_tables_is_not_complete_and_says_how_to_get_them(
    ledger: Ledger, run_id: str, no_table: Path
) -> None:
    with (
        pytest.raises(LedgerError, match=r"cannot export to .*results\.csv.*every outcome is safe.*: sdt-dask resume"),
        ended(ledger, run_id),
    ):
        pass
    assert ledger.run(run_id).state == "interrupted"


def test_resume_writes_the_tables_for_which_there_was_no_room(ledger: Ledger, run_id: str, no_table: Path) -> None:
    with pytest.raises(LedgerError), ended(ledger, run_id):
        pass
    ledger.close()
    no_table.rmdir()
    assert SDTDask(OneKeyPlug, output=ledger.folder).resume().state == "complete"  # makes no cluster
    assert pd.read_csv(no_table)["status"].tolist() == ["done"]


def test_the_error_of_a_run_goes_before_that_of_its_tables(
    ledger: Ledger, run_id: str, no_table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ClusterLostError, match="the scheduler went away"), ended(ledger, run_id):
        raise ClusterLostError("the scheduler went away")
    assert ledger.run(run_id).state == "lost"
    assert "results.csv" in caplog.text


def test_the_error_of_a_run_goes_before_that_of_its_ledger(
    ledger: Ledger, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "end_run", full)
    with pytest.raises(ZeroDivisionError), ended(ledger, run_id):
        raise ZeroDivisionError
    assert (ledger.folder / "results.csv").is_file()


def test_a_ledger_that_cannot_be_written_is_told_once(
    ledger: Ledger, run_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ledger, "end_run", full)
    with pytest.raises(LedgerError, match="the first one"), ended(ledger, run_id):
        raise LedgerError("the first one")
    assert caplog.text == ""


def test_a_run_that_ends_early_has_its_tables(ledger: Ledger, run_id: str) -> None:
    with pytest.raises(KeyboardInterrupt), ended(ledger, run_id):
        raise KeyboardInterrupt
    assert ledger.run(run_id).state == "interrupted"
    assert Run(ledger.folder).results["status"].tolist() == ["done"]
    assert (ledger.folder / "results.csv").is_file()


def test_a_folder_without_room_for_the_name_of_its_holder_is_refused_and_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        with pytest.raises(LedgerError, match="cannot be written: No space left on device; make room or"):
            Ledger(tmp_path)
    Ledger(tmp_path).close()


def full(*_: object) -> None:
    raise LedgerError("the ledger cannot be written, either")


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")
