"""Nights without a cluster: everything of a run is real but the work, whose outcomes a test writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sdt_dask_core import Run, SDTDask
from sdt_dask_core.ledger import Ledger

from .plugs import FilesPlug

Night = Callable[..., Run]


def done(grade: str = "ok", **columns: Any) -> dict[str, Any]:
    """Return the outcome of a system that was analysed."""
    reasons = [] if grade == "ok" else [f"{grade}: the test says so"]
    return {"status": "done", "grade": grade, "reasons": reasons, "columns": columns, "seconds": {"read": 0.1}}


def failed(cause: str = "source_unavailable", message: str = "the source did not answer") -> dict[str, Any]:
    """Return the outcome of a system that failed."""
    return {"status": "failed", "stage": "read", "cause": cause, "message": message}


def reasons(run: Run) -> dict[str, str]:
    """Return why each key ran or not, by the key as a user types it."""
    return dict(run.results[["key", "run_reason"]].itertuples(index=False, name=None))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three systems, a, b and c."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.txt").write_text("5", encoding="utf-8")
    return folder


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What comes of each key, by its first part; of all others, that it is done."""
    written: dict[str, dict[str, Any]] = {}

    def work_off(ledger: Ledger, run_id: str, _settings: Any, _observe: Any) -> None:
        for task in ledger.todo(run_id):
            with ledger.transaction():
                number = ledger.start_attempt(run_id, task.key)
                ledger.record(run_id, task, number, written.get(task.key.strip('[]"'), done()))
        ledger.end_run(run_id, "complete")

    monkeypatch.setattr("sdt_dask_core.api.work_off", work_off)
    return written


@pytest.fixture
def invoke(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command line in this process, in a folder whose run file names the files."""
    monkeypatch.chdir(tmp_path)
    plug = tmp_path / "mine"
    plug.mkdir()
    (plug / "dataplug.py").write_text(
        (Path(__file__).parent / "plugs.py").read_text(encoding="utf-8").partition("class Other")[0]
    )
    (tmp_path / "sdt-dask.toml").write_text(
        'plug = "mine"\noutput = "out"\nanalyses = []\n[plug_options]\npath = "data"\n', encoding="utf-8"
    )
    from sdt_dask_core.cli.app import app

    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def tool(data: Path, tmp_path: Path) -> Callable[..., SDTDask]:
    """Make an `SDTDask` over the files."""

    def make(plug: Any = FilesPlug, options: Mapping[str, Any] | None = None, **more: Any) -> SDTDask:
        arguments = {"analyses": [], "output": tmp_path / "out", **more}
        return SDTDask(plug, plug_options={"path": str(data), **(options or {})}, **arguments)

    return make


@pytest.fixture
def night(tool: Callable[..., SDTDask], outcomes: dict[str, dict[str, Any]]) -> Night:
    """Run the files once, or the keys given; `force` and the arguments of `tool`."""

    def run(*arguments: Any, keys: Sequence[Any] | None = None, force: bool = False, **more: Any) -> Run:
        return tool(*arguments, **more).execute(keys, force=force)

    return run
