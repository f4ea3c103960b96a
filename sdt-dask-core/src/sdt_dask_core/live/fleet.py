"""What the live view serves: the fleet's page and its systems' pages, made from the ledger as outcomes land."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.report.site import PAGES, fleet_page
from sdt_dask_core.report.system_page import SystemPages
from sdt_dask_core.report.words import file_name
from sdt_dask_core.run import Run
from sdt_dask_core.system_result import SystemResult

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["LiveFleet"]

_PATIENCE = 5  # times as long as it takes to make a page, until it is made again
_NOT_SOONER = 1.0  # s between two pages


class LiveFleet:
    """The pages of a run that goes on.

    Parameters
    ----------
    output : Path
        The output folder; the newest run there is shown.
    pages : Path
        Where the pages of systems are drawn; gone at the end.

    Attributes
    ----------
    page : str
        The page of the fleet; empty before the first.
    state : dict
        ``text``, ``dashboard``, ``end`` and ``version``, a number that grows with each new page.
    """

    def __init__(self, output: Path, pages: Path) -> None:
        self._output = output
        self._pages = pages
        self._systems: dict[str, str] = {}
        self._run: Run | None = None
        self._drawing = threading.Lock()
        self._making = threading.Lock()
        self._has_news = threading.Event()
        self.page = ""
        self.state: dict[str, Any] = {"text": "", "dashboard": "", "end": "", "version": 0}
        threading.Thread(target=self._work, daemon=True).start()

    def __enter__(self) -> LiveFleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._pages, ignore_errors=True)  # a page may be on its way into it

    @property
    def has_ended(self) -> bool:
        """Whether the driver said how the run ended."""
        return bool(self.state["end"])

    def hear(self, news: dict[str, Any]) -> None:
        """Take in what the driver says of the run; of its end, once the last page is there."""
        if news.get("end"):
            self._try_to_make()
        self.state = {**self.state, **news}
        self._has_news.set()

    def system_page(self, name: str) -> bytes | None:
        """Return the page of a system by the name of its file, drawn now unless it is there; None without one."""
        key, run = self._systems.get(name), self._run
        if key is None or run is None:
            return None
        with self._drawing, LedgerReader(self._output) as ledger:
            row = next(row for row in run.rows if row["key"] == key)
            system = SystemResult(row, run.columns, fleet_median=run.fleet_median)
            pages = SystemPages(run, ledger, self._pages, origins=ledger.origins(run.run_id))
            made = pages.make(system)
        return None if made is None else (self._pages / made).read_bytes()

    def _work(self) -> None:
        while True:
            self._has_news.wait()
            self._has_news.clear()
            start = time.monotonic()
            self._try_to_make()
            time.sleep(max(_NOT_SOONER, _PATIENCE * (time.monotonic() - start)))

    def _try_to_make(self) -> None:
        # The ledger may be on its way; the next news bring the next try.
        with self._making, contextlib.suppress(Exception):
            self._make()

    def _make(self) -> None:
        run = Run(self._output)
        with LedgerReader(self._output) as ledger:
            origins = ledger.origins(run.run_id)
        systems = [SystemResult(row, run.columns, fleet_median=run.fleet_median) for row in run.rows]
        names = {f"{file_name(system.key)}.html": system.key for system in systems if system.body}
        addresses = {key: f"{PAGES}/{name}" for name, key in names.items()}
        self.page = fleet_page(run, systems, addresses, origins, live=True)
        self._systems, self._run = names, run
        self.state = {**self.state, "version": self.state["version"] + 1}
