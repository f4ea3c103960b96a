"""How far a run is, on stderr: a live line on a terminal, else a plain line now and then."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sdt_dask_core.cli.text import clean, count, line
from sdt_dask_core.pace import Pace, duration

if TYPE_CHECKING:
    from sdt_dask_core.progress import Progress

__all__ = ["PlainLines", "watching"]

Observer = Callable[["Progress"], None]

_EVERY = 30.0  # s between two plain lines, unless a tenth of the run went by
_NOT_SOONER = 2.0  # s
_SHOWN_KEYS = 4


@contextlib.contextmanager
def watching(*, quiet: bool) -> Iterator[Observer | None]:
    """Show how far a run is while the body runs; yield what `SDTDask` calls after every change."""
    if sys.stderr.isatty() and not quiet:
        with _live() as observer:
            yield observer
        return
    with _warnings_shown(_say):
        lines = PlainLines(_say)
        try:
            yield None if quiet else lines.observe
        finally:
            lines.end()


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that was closed ends no run
        click.echo(text, err=True)


class PlainLines:
    """Progress as plain lines: one at the start, then one each tenth or half a minute, and a last one."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.say = say
        self.clock = clock
        self.pace = Pace(clock)
        self._said_at = 0.0
        self._said_tenth = 0

    def observe(self, progress: Progress) -> None:
        """Say how far it is, when it is time to."""
        is_first = self.pace.started is None
        self.pace.update(progress)
        if is_first:
            self.say(f"running {count(progress.todo, 'system')} on {count(progress.n_threads, 'thread')}")
            self._said_at = self.clock()
            return
        since, tenth = self.clock() - self._said_at, 10 * self.pace.finished // max(1, self.pace.total)
        if progress.todo and (since >= _EVERY or (tenth > self._said_tenth and since >= _NOT_SOONER)):
            self.say(self.pace.text)
            self._said_at, self._said_tenth = self.clock(), tenth

    def end(self) -> None:
        """Say what came out, if anything ran."""
        if self.pace.started is not None:
            self.say(f"{self.pace.text}; took {duration(self.pace.elapsed)}")


class _LiveLine:
    """What rich draws again and again, from whatever `pace` holds then."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.began = pace.clock()

    def __rich__(self) -> Any:
        from rich.text import Text

        if self.pace.started is None:
            return Text(f"planning and starting the cluster, {duration(self.pace.clock() - self.began)}")
        keys = ", ".join(_shown(text) for text in self.pace.in_work[:_SHOWN_KEYS])
        more = ", …" if len(self.pace.in_work) > _SHOWN_KEYS else ""
        return Text(
            f"{self.pace.text}\n{duration(self.pace.elapsed)}; in work: {keys or 'none'}{more}", overflow="ellipsis"
        )


def _shown(key: str) -> str:
    from sdt_dask_core.keys import key_label

    return line(key_label(key))


@contextlib.contextmanager
def _live() -> Iterator[Observer]:
    from rich.console import Console
    from rich.live import Live

    pace = Pace()
    console = Console(stderr=True, markup=False, highlight=False)
    # Not redirected: results are for stdout, and everything else comes through the logger below.
    live = Live(_LiveLine(pace), console=console, transient=True, redirect_stdout=False)
    dashboards: list[str] = []

    def say(text: str) -> None:
        with contextlib.suppress(OSError):
            console.print(text, soft_wrap=True)  # takes the live line away before, and brings it back after

    def observe(progress: Progress) -> None:
        pace.update(progress)
        if pace.dashboard and not dashboards:
            dashboards.append(pace.dashboard)
            say(f"dashboard: {clean(pace.dashboard)}")

    try:
        with live, _warnings_shown(say):
            yield observe
    finally:
        if pace.started is not None:
            _say(f"{pace.text}; took {duration(pace.elapsed)}")


class _WarningLines(logging.Handler):
    """Warnings of a run on stderr, each once; keys that failed are counted, and listed by `sdt-dask errors`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.say = say
        self.seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a warning unless it was written before."""
        text = clean(record.getMessage())
        if record.name != "sdt_dask_core.runner" and text not in self.seen:
            self.seen.add(text)
            self.say(f"warning: {text}")


@contextlib.contextmanager
def _warnings_shown(say: Callable[[str], None]) -> Iterator[None]:
    logger, handler = logging.getLogger("sdt_dask_core"), _WarningLines(say)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
