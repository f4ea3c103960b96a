"""The kills find what a driver did wrong: drivers that only pretend, and leave what was prepared for them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_testing.chaos import Kills
from sdt_dask_testing.chaos.marked import Marked
from sdt_dask_testing.chaos.tally import Tally

from .conftest import N_KEYS, Copy

Pretend = Callable[[Path], Tally]


@pytest.fixture
def pretend(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Run the kills with drivers that copy a good folder at first, and then another one."""

    def run(then: Path) -> Tally:
        folders = iter([undisturbed, then])

        def start(_: Kills, folder: Path, *__: Any) -> Marked:
            shutil.copytree(next(folders), folder, dirs_exist_ok=True)
            return Marked([sys.executable, "-c", ""], folder)

        monkeypatch.setattr(Kills, "_start", start)
        monkeypatch.setattr(Kills, "_goes_on", lambda kills: not kills.tally.facts["rounds"])
        return Kills(tmp_path / "kills", seed=1, n_keys=N_KEYS).run()

    return run


def test_drivers_that_do_well_are_found_well(pretend: Pretend, copy: Copy) -> None:
    tally = pretend(copy.output.parent)
    assert tally.sentences == []
    assert (tally.facts["rounds"], tally.facts["rows"]) == (1, N_KEYS)


def test_a_driver_that_loses_an_acknowledged_outcome_is_found(pretend: Pretend, copy: Copy) -> None:
    copy.change("UPDATE task SET outcome_id = NULL, state = 'skipped' WHERE key = ?", '["slow",3]')
    copy.change("DELETE FROM outcome WHERE key = ?", '["slow",3]')
    assert pretend(copy.output.parent).harms["lost"] == 1


def test_a_driver_that_does_a_key_twice_is_found(pretend: Pretend, copy: Copy) -> None:
    copy.change("INSERT INTO attempt SELECT run_id, key, 2, started_at, ended_at, ending, detail FROM attempt")
    assert pretend(copy.output.parent).harms["duplicated"] > 0


def test_a_driver_that_writes_another_table_is_found(pretend: Pretend, copy: Copy) -> None:
    table = copy.output / "results.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("5.03", "5.04"), encoding="utf-8")
    assert pretend(copy.output.parent).harms["wrong"] == 1
