"""A run that goes on, step by step, as tests want it; and its live view."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdt_dask_core import Progress, Run
from sdt_dask_core.ledger import Ledger
from sdt_dask_core.live import LiveView, live_view

__all__ = ["Followed", "follow"]

_SECONDS = 60.0


@dataclass
class Followed:
    """A run with its live view."""

    run: Run
    view: LiveView
    address: str

    def get(self, path: str = "", **headers: str) -> str:
        """Return what stands at a path under the address."""
        with urllib.request.urlopen(urllib.request.Request(self.address + path, headers=headers), timeout=30) as answer:
            return str(answer.read().decode())

    def state(self) -> dict[str, Any]:
        """Return how far the run is, as the page asks for it."""
        found: dict[str, Any] = json.loads(self.get("state.json"))
        return found

    def land(self, key: str, outcome: dict[str, Any], **progress: Any) -> None:
        """Record the outcome of a key, and tell the view of it."""
        with Ledger(self.run.output) as ledger:
            (task,) = (task for task in ledger.tasks(self.run.run_id) if task.key == key)
            ledger.record(self.run.run_id, task, ledger.start_attempt(self.run.run_id, key), outcome)
        self.view.observe(Progress(total=2, **progress))


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def follow(run: Run, **progress: Any) -> Iterator[Followed]:
    """Start the live view of a run; its first page is there."""
    said: list[str] = []
    with live_view(Path(run.output), said.append) as view:
        view.observe(Progress(total=2, **progress))
        until(lambda: bool(said))
        followed = Followed(run, view, said[0])
        until(lambda: followed.state()["version"] > 0)
        yield followed
