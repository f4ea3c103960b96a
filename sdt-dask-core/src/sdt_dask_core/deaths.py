"""Deaths: what is told of a key whose child crashed or was stopped, in the user's words."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdt_dask_core.outcome import Stage, failure

__all__ = ["Work", "n_killed_for_memory"]

_GIB = 2**30
_MIB = 2**20
_KILLED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM)  # no library ends itself with these


class Work:
    """A key in work, as far as its worker knows it.

    Attributes
    ----------
    peak_rss : int
        Most memory that its child was seen to hold [bytes].
    """

    def __init__(self) -> None:
        self.peak_rss = 0
        self._start = time.monotonic()
        self._killed_before = n_killed_for_memory()
        self._stage = Stage.PLUG.value
        self._size: tuple[int, int] | None = None

    def hear(self, news: Mapping[str, Any]) -> None:
        """Take in what the child says of its way: the stage it enters, the size of what was read."""
        self._stage = str(news.get("at", self._stage))
        if "size" in news:
            rows, columns = news["size"]
            self._size = (int(rows), int(columns))

    def out_of_memory(self, limit: int, machine: int) -> dict[str, Any]:
        """Return the outcome of a key that was stopped because it took more than `limit`, on so large a machine."""
        return self._failure(
            "out_of_memory",
            f"the key took {self.peak_rss / _GIB:.2f} GiB, more than the {limit / _GIB:.2f} GiB that one process may "
            f"hold, and was stopped {self._where()}; use fewer workers or set memory_limit higher",
            memory_limit_mb=round(limit / _MIB, 1),
            machine_memory_mb=round(machine / _MIB, 1),
        )

    def timed_out(self, limit: float) -> dict[str, Any]:
        """Return the outcome of a key that was stopped because it took longer than `limit` seconds."""
        return self._failure(
            "timeout",
            f"the key took longer than {limit:g} s and was stopped {self._where()}; set key_timeout higher, "
            "or look at the system's data",
        )

    def disconnected(self, prints: str) -> dict[str, Any]:
        """Return the outcome of a key whose child lives but no longer speaks with its worker."""
        return self._failure(
            "crashed",
            "the process that computed the key closed its connection to the worker, or wrote into it, and was stopped "
            f"{self._where()}; a library or the plug does so, the other keys are not touched",
            prints=prints,
        )

    def died(self, code: int, prints: str) -> dict[str, Any]:
        """Return the outcome of a key whose child ended with this code of `subprocess`."""
        how = f"ended with exit code {code}" if code >= 0 else f"ended with signal {_name(-code)}"
        facts: dict[str, Any] = {"exit_code": code} if code >= 0 else {"signal": _name(-code)}
        if -code == signal.SIGKILL and n_killed_for_memory() > self._killed_before:
            return self._failure(
                "out_of_memory",
                f"the machine ran out of memory and its system killed the process that computed the key "
                f"{self._where()}; use fewer workers, or a machine with more memory",
                prints=prints,
                **facts,
            )
        if -code in _KILLED_BY_OTHERS:
            why = "somebody or something outside killed it"
        else:
            why = "a library it uses crashed or left"
        return self._failure(
            "killed" if -code in _KILLED_BY_OTHERS else "crashed",
            f"the process that computed the key {how} {self._where()}; {why}, the other keys are not touched",
            prints=prints,
            **facts,
        )

    def _failure(self, cause: str, message: str, **more: Any) -> dict[str, Any]:
        size = {} if self._size is None else {"n_rows": self._size[0], "n_columns": self._size[1]}
        spent = round(time.monotonic() - self._start, 3)
        return failure(
            stage="worker", cause=cause, message=message, at=self._stage, seconds_in_work=spent, **size, **more
        )

    def _where(self) -> str:
        """Return what it was at, for how long and with how much memory."""
        its = "its data" if self._size is None else f"its {self._size[0]:,} rows"
        doing = {
            Stage.PLUG.value: "while the plug was set up",
            Stage.READ.value: "while its data were read",
            Stage.CHECK.value: f"while {its} were checked",
        }.get(self._stage, f"while {self._stage!r} analysed {its}")
        spent = time.monotonic() - self._start
        return f"{doing} (after {spent:.1f} s, with up to {self.peak_rss / _GIB:.2f} GiB of memory)"


def n_killed_for_memory() -> int:
    """Return how many processes this machine's kernel has killed because memory ran out; 0 where it does not say."""
    try:
        counters = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in counters.splitlines() if line.startswith("oom_kill ")), 0)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)  # a real-time signal
