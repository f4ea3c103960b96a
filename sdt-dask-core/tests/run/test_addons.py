"""Addons: they hear of what is durable, may veto, and stop nothing when they fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import RunInfo, SDTDask
from sdt_dask_core.ledger import LedgerReader

from .conftest import states
from .plugs import ManyKeysPlug

Tool = Callable[..., SDTDask]


class VetoAddon:
    def admit_key(self, key: Any) -> str | None:
        return "it is being rebuilt" if key == (1,) else None


class BrokenAddon:
    def admit_key(self, key: Any) -> str | None:
        raise RuntimeError("broken in admit_key")

    def run_started(self, run: RunInfo) -> None:
        raise RuntimeError("broken in run_started")

    def key_finished(self, run: RunInfo, outcome: Mapping[str, Any]) -> None:
        raise RuntimeError("broken in key_finished")

    def run_finished(self, run: RunInfo) -> None:
        raise RuntimeError("broken in run_finished")

    def close(self) -> None:
        raise RuntimeError("broken in close")


class DiaryAddon:
    """Writes down what it hears, and what the ledger holds at that moment."""

    def __init__(self, path: str) -> None:
        self.path = path

    def _write(self, *words: Any) -> None:
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(words) + "\n")

    def run_started(self, run: RunInfo) -> None:
        self._write("started", run.n_keys)

    def key_finished(self, run: RunInfo, outcome: Mapping[str, Any]) -> None:
        with LedgerReader(run.output) as ledger:
            states = {row["key"]: row["state"] for row in ledger.rows(run.run_id)}
        self._write("finished", outcome["key"], outcome["status"], states[outcome["key"]])

    def run_finished(self, run: RunInfo) -> None:
        self._write("ended")


def test_a_vetoed_key_is_skipped_with_the_reason(tool: Tool) -> None:
    run = tool(ManyKeysPlug, addons=[VetoAddon]).execute()
    assert states(run) == {"[0]": "done", "[1]": "skipped", "[2]": "done"}
    assert run.rows[1]["reason"] == "vetoed: it is being rebuilt"


def test_an_addon_that_fails_everywhere_stops_nothing(tool: Tool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sdt_dask_core.addons"):
        run = tool(ManyKeysPlug, addons=[BrokenAddon]).execute()
    assert run.counts["done"] == 3
    for hook in ("admit_key", "run_started", "key_finished", "run_finished", "close"):
        assert f"addon BrokenAddon failed in {hook}: RuntimeError: broken in {hook}" in caplog.messages


def test_an_addon_hears_of_each_key_once_it_is_durable(tool: Tool, tmp_path: Path) -> None:
    tool(ManyKeysPlug, {"units": "kW"}, addons=[DiaryAddon(str(tmp_path / "diary"))]).execute()
    first, *keys, last = [json.loads(line) for line in (tmp_path / "diary").read_text().splitlines()]
    assert (first, last) == (["started", 3], ["ended"])
    assert sorted(keys) == [["finished", f"[{number}]", "done", "done"] for number in range(3)]


def test_an_addon_hears_of_a_failed_key(tool: Tool, tmp_path: Path) -> None:
    tool(ManyKeysPlug, {"units": "horsepower"}, addons=[DiaryAddon(str(tmp_path / "diary"))]).execute([1])
    assert '["finished", "[1]", "failed", "failed"]' in (tmp_path / "diary").read_text()


def test_an_addon_hears_the_end_of_a_run_that_breaks_off(tool: Tool, tmp_path: Path) -> None:
    def fail(_progress: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tool(ManyKeysPlug, addons=[DiaryAddon(str(tmp_path / "diary"))]).execute(observe=fail)
    assert (tmp_path / "diary").read_text().endswith('["ended"]\n')
