"""The public names as a user's type checker sees them; mypy reads this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import distributed
import pandas as pd

from sdt_dask_core import (
    API,
    Analysis,
    Change,
    Chunk,
    Client,
    ClusterRecord,
    Column,
    Comparison,
    Estimate,
    Grade,
    Key,
    Plug,
    Progress,
    Publication,
    Publisher,
    Run,
    RunInfo,
    SDTDask,
    Secret,
    System,
    SystemResult,
    Verdict,
    hookimpl,
)
from sdt_dask_core.figures import losses


class MyPlug(Plug):
    """A plug as an author writes it."""

    def __init__(self, token: Secret) -> None:
        self.token = token

    @hookimpl
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read a series."""
        frame: pd.DataFrame = pd.DataFrame({"power": [float(len(self.token.reveal()))]})
        return frame


class MyPublisher(Publisher):
    """A publisher as an author writes it."""

    @hookimpl
    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take some rows."""
        assert publication.n_chunks > chunk.number
        assert len(rows) == chunk.n_rows


class MyClient(Client):
    """A client as an author writes it."""

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Join a cluster."""
        return distributed.Client("tcp://127.0.0.1:8786")

    def list_clusters(self) -> Iterator[ClusterRecord]:
        """List one cluster."""
        yield ClusterRecord("a", "here", running=False, started=datetime.now(timezone.utc), owner="", resources=("x",))


class MyAnalysis(Analysis):
    """An analysis as an author writes it."""

    name = "peak"
    provides = (Column("peak_kw", "kW", "The highest power."),)

    def run(self, system: System) -> Mapping[str, Any]:
        """Compute the peak."""
        return {"peak_kw": system.power.max()}

    def judge(self, system: System) -> list[Verdict]:
        """Judge it."""
        return [Verdict(Grade.CAUTION, "too high")] if system.values["peak_kw"] > 1 else []


def watch(progress: Progress) -> None:
    """Follow a run."""
    assert progress.finished <= progress.total


def use() -> pd.DataFrame:
    """Run a fleet."""
    tool = SDTDask(
        MyPlug, client=MyClient, analyses=[MyAnalysis], max_cost=5.0, idle_timeout="30m", since=date(2020, 1, 1)
    )
    estimate: Estimate = tool.estimate(100)
    assert estimate.dollars is None or estimate.dollars >= 0
    run: Run = tool.execute([("a",)], observe=watch)
    tables: list[pd.DataFrame] = [run.results, run.errors, run.withheld, run.summary]
    comparison: Comparison = run.compare(Run("yesterday"), tolerance=0.1)
    broken: list[Change] = [change for change in comparison.changes if change.kind == "broken"]
    tables.append(comparison.table)
    assert comparison.exit_code() == bool(broken)
    system: SystemResult = run.system(("a",))
    page: Path = run.report(formats=["pdf"])
    assert page.parent.is_dir()
    losses(system, system.plot().add_subplot())
    info = RunInfo(run_id=run.run_id, output=str(run.output), n_keys=len(tables[0]))
    version: tuple[int, int] = API
    assert version
    assert info.n_keys
    return tables[0]
