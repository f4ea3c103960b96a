"""One undisturbed run of a small fleet, and copies of it to tamper with."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.keys import as_key
from sdt_dask_testing.chaos.acks import AckAddon, read_acks
from sdt_dask_testing.chaos.audit import Snapshot, audit, read_snapshot
from sdt_dask_testing.chaos.fleet import EnergyAnalysis, FleetPlug
from sdt_dask_testing.chaos.tally import Tally
from sdt_dask_testing.chaos.truth import check_rows, compare_tables, read_table

N_KEYS = 6


@dataclass(frozen=True)
class Copy:
    """A copy of the run, and what its ledger held before anybody tampered with it."""

    output: Path
    acks: Path
    before: Snapshot
    table: list[dict[str, str]]

    def change(self, statement: str, *values: Any) -> None:
        """Change the ledger behind everybody's back."""
        with closing(sqlite3.connect(self.output / "ledger.sqlite")) as connection:
            connection.execute(statement, values)
            connection.commit()

    def looked_at(self, *, seen: bool = True, acked: bool = True) -> Tally:
        """Return what the audit and the comparison with the truth find."""
        tally = Tally("test", 0)
        now = read_snapshot(self.output, tally)
        audit(self.before if seen else Snapshot(), now, read_acks(self.acks) if acked else [], tally)
        if now.run_id:
            plug = FleetPlug(N_KEYS, seconds=0.0)
            check_rows(self.output, plug, map(as_key, plug.list_keys()), tally)
            compare_tables(self.table, read_table(self.output), tally)
        return tally


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over the small fleet."""
    folder = tmp_path_factory.mktemp("undisturbed")
    SDTDask(
        FleetPlug,
        plug_options={"n_keys": N_KEYS, "seconds": 0.0},
        client_options={"n_workers": 1, "dashboard_address": "none"},
        analyses=[EnergyAnalysis],
        addons=[AckAddon(str(folder / "acks"))],
        output=folder / "out",
    ).execute()
    return folder


@pytest.fixture
def copy(undisturbed: Path, tmp_path: Path) -> Copy:
    """A copy of the run that this test may harm."""
    shutil.copytree(undisturbed, tmp_path / "copy")
    output = tmp_path / "copy" / "out"
    return Copy(output, tmp_path / "copy" / "acks", read_snapshot(output, Tally("test", 0)), read_table(output))
