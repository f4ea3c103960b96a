"""What a run leaves has the permissions that the user's umask gives, and no more."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core.ledger import Ledger
from sdt_dask_core.report.files import write_table


@pytest.fixture(params=[0o077, 0o027, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield int(request.param)
    os.umask(before)


def test_ledger_and_tables_keep_to_the_umask(tmp_path: Path, umask: int) -> None:
    with Ledger(tmp_path / "out") as ledger:
        ledger.begin_run({}, {}, [])
        write_table(pd.DataFrame({"key": ["a"]}), tmp_path / "out" / "results.csv")
        write_table(pd.DataFrame({"key": ["a"]}), tmp_path / "out" / "results.parquet")
        files = [tmp_path / "out", *(tmp_path / "out").iterdir()]
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
    assert len(modes) > 4
    assert {name: oct(mode) for name, mode in modes.items() if mode & umask} == {}


def test_nothing_that_a_run_leaves_can_be_run(tmp_path: Path, umask: int) -> None:
    with Ledger(tmp_path / "out"):
        write_table(pd.DataFrame({"key": ["a"]}), tmp_path / "out" / "results.csv")
        executable = [path.name for path in (tmp_path / "out").iterdir() if path.stat().st_mode & 0o111]
    assert executable == []
