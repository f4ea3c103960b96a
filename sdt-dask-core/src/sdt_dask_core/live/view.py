"""The live view, seen from the driver: started with the first progress, told the newest, closed with the run."""

from __future__ import annotations

import collections
import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.pace import Pace
from sdt_dask_core.progress import Progress

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["LiveView", "live_view"]

logger = logging.getLogger(__name__)

_NOT_SOONER = 0.5  # s between two messages
_GOODBYE = 15.0  # s, in which the last page is made, and one that is open takes it over


@contextlib.contextmanager
def live_view(output: Path | str, say: Callable[[str], object]) -> Iterator[LiveView]:
    """Serve the fleet's page of the run in a folder while the body runs; yield the view, to be told of progress.

    Parameters
    ----------
    output : path
        The output folder.
    say : callable
        Told the page's address, once.
    """
    view = LiveView(Path(output), say)
    try:
        yield view
    finally:
        view.close()


class LiveView:
    """The process that serves the page.

    Parameters
    ----------
    output : Path
        The output folder.
    say : callable
        Told the page's address, once.
    """

    def __init__(self, output: Path, say: Callable[[str], object]) -> None:
        self._output = output
        self._say = say
        self._pace = Pace()
        self._process: subprocess.Popen[bytes] | None = None
        self._pages: tempfile.TemporaryDirectory[str] | None = None
        self._news: collections.deque[dict[str, Any]] = collections.deque(maxlen=1)  # the newest, if not told yet
        self._is_closing = threading.Event()
        self._has_news = threading.Event()
        self._teller: threading.Thread | None = None

    def observe(self, progress: Progress) -> None:
        """Take in how far the run is; the first time, start to serve."""
        self._pace.update(progress)
        if self._teller is None:
            self._start()
        self._tell({"text": self._pace.text, "dashboard": self._pace.dashboard})

    def ended(self, run: Run) -> None:
        """Tell who has the page open how the run ended."""
        page = run.report_page
        where = f"; its report is {page.absolute()}" if page else ""
        self._tell({"text": self._pace.text, "dashboard": "", "end": f"The run has ended: {run.state}{where}."})

    def close(self) -> None:
        """Stop serving."""
        self._is_closing.set()
        self._has_news.set()
        if self._teller is not None:
            self._teller.join(timeout=_GOODBYE)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0 if self._teller and self._teller.is_alive() else _GOODBYE)
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):  # what was not read yet, nobody reads
                    pipe.close()  # type: ignore[union-attr]
        if self._pages is not None:
            self._pages.cleanup()

    def _start(self) -> None:
        # Not of our group: Ctrl-C is the driver's.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sdt_dask_core.live"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        # Of the driver, so that it is gone also when that process was killed.
        self._pages = tempfile.TemporaryDirectory(prefix="sdt-dask-live-", ignore_cleanup_errors=True)
        self._teller = threading.Thread(target=self._work, args=(self._process, self._pages.name), daemon=True)
        self._teller.start()

    def _tell(self, news: dict[str, Any]) -> None:
        self._news.append(news)
        self._has_news.set()

    def _work(self, process: subprocess.Popen[bytes], pages: str) -> None:
        """Say the address, then pass on the newest news now and then; the run never waits for it."""
        with contextlib.suppress(OSError):  # it died, and the run goes on
            _write(process, {"output": str(self._output.absolute()), "pages": pages})
            address = process.stdout.readline().decode().strip()  # type: ignore[union-attr]
            if not address:
                logger.warning("the live view did not start; the run goes on without it")
                return
            self._say(address)
            while self._news or not self._is_closing.is_set():
                self._has_news.wait()
                self._has_news.clear()
                if self._news:
                    _write(process, self._news.popleft())
                self._is_closing.wait(_NOT_SOONER)
            process.stdin.close()  # type: ignore[union-attr]


def _write(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
    process.stdin.flush()  # type: ignore[union-attr]
