"""How fast a run goes, and how long the rest of it takes, in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from sdt_dask_core.progress import Progress

__all__ = ["Pace", "duration"]


def duration(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if round(seconds) < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 48 else f"{hours} h"  # noqa: PLR2004 - beyond, minutes say nothing


@dataclass(slots=True)
class Pace:
    """Numbers of a run at its newest change, and the time that it still needs.

    Copied from `Progress` when it changes: a live line is drawn by another thread.
    """

    clock: Callable[[], float] = time.monotonic
    started: float | None = None
    total: int = 0
    skipped: int = 0
    finished: int = 0
    failed: int = 0
    grades: dict[str, int] = field(default_factory=dict)
    in_work: tuple[str, ...] = ()
    n_threads: int = 0
    dashboard: str = ""
    before: int = 0

    def update(self, progress: Progress) -> None:
        """Take the numbers over."""
        if self.started is None:
            self.started = self.clock()
            self.before = progress.finished  # of a resumed run: they took no time now
        self.total, self.skipped, self.failed = progress.total, progress.skipped, progress.failed
        self.finished, self.grades = progress.finished, dict(progress.grades)
        self.in_work = tuple(islice(progress.in_work, progress.n_threads))
        self.n_threads, self.dashboard = progress.n_threads, progress.dashboard

    @property
    def elapsed(self) -> float:
        """Time since the first key was handed out [s]."""
        return 0.0 if self.started is None else self.clock() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Time that the rest takes at the pace so far [s]; None until every thread had a key to its end."""
        done, todo = self.finished - self.before, self.total - self.skipped - self.finished
        if self.started is None or done < max(2, self.n_threads) or todo <= 0:
            return None
        return self.elapsed * todo / done

    @property
    def counts(self) -> str:
        """What became of the keys so far."""
        parts = [f"{number} {name}" for name, number in {**self.grades, "failed": self.failed}.items()]
        return ", ".join([*parts, *([f"{self.skipped} done before"] if self.skipped else [])])

    @property
    def text(self) -> str:
        """All of it in one line."""
        left = self.seconds_left
        rest = f"; about {duration(_rounded(left))} left" if left is not None else ""
        return f"{self.skipped + self.finished}/{self.total}: {self.counts}{rest}"


def _rounded(seconds: float) -> float:
    """Round a guess so that it does not pretend to know more than it does."""
    return max(10.0, round(seconds / 10) * 10.0) if seconds < 60 else seconds  # noqa: PLR2004 - a minute
