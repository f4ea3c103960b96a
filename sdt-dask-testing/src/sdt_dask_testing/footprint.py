"""What stands in a process: what it started, opened and set, to be compared with what stands there later."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psutil

__all__ = ["Footprint", "command_of", "settled", "unclosed"]

# Python's multiprocessing keeps it as long as the process lives.
_OF_PYTHON = "multiprocessing.resource_tracker"
# distributed keeps its thread as long as the process lives.
_OF_DISTRIBUTED = "Dask-Offload"
_STEP = 0.1  # s


@dataclass(frozen=True, slots=True)
class Footprint:
    """What stands in this process at one moment, each thing told as text by what tells it from others.

    Attributes
    ----------
    processes : dict
        Those below it.
    sockets : dict
        Addresses on which it listens.
    threads : dict
        Those that keep it from ending, and asyncio loops that run.
    dask_config : dict
        Dask's configuration by dotted name.
    signal_handlers : dict
        By signal.
    """

    processes: dict[Any, str]
    sockets: dict[Any, str]
    threads: dict[Any, str]
    dask_config: dict[str, str]
    signal_handlers: dict[str, str]

    @classmethod
    def take(cls) -> Footprint:
        """Return what stands now."""
        return cls(_processes(), _sockets(), {**_threads(), **_loops()}, _dask_config(), _signal_handlers())

    def left_since(self, before: Footprint) -> dict[str, list[str]]:
        """Return what stands here and did not stand then, and what was set and not set back, by kind."""
        found = {kind: _new(getattr(before, kind), getattr(self, kind)) for kind in ("processes", "sockets", "threads")}
        found["dask_config"] = [
            line for line in _changed(before.dask_config, self.dask_config) if line not in _dask_defaults()
        ]
        found["signal_handlers"] = _changed(before.signal_handlers, self.signal_handlers)
        return {kind: lines for kind, lines in found.items() if lines}


def settled(look: Callable[[], Any], patience: float) -> Any:
    """Look until nothing is found or the patience [s] is over; return what was found last."""
    end = time.monotonic() + patience
    while (found := look()) and time.monotonic() < end:
        time.sleep(_STEP)
    return found


@contextlib.contextmanager
def unclosed() -> Iterator[list[str]]:
    """Collect what Python says was never closed or never awaited; the list that is yielded is filled at the end."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ResourceWarning)
        warnings.filterwarnings("always", ".* was never awaited", RuntimeWarning)
        warnings.filterwarnings("ignore", r"subprocess \d+ is still running", ResourceWarning)  # told as a process
        yield told
        gc.collect()  # what nobody closed is noticed when it goes
    told.extend(dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in caught))


def command_of(process: psutil.Process) -> str:
    """Return the command of a process, nothing where it is gone or only waits to be asked how it ended."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return ""


def _new(before: Mapping[Any, str], after: Mapping[Any, str]) -> list[str]:
    return [text for name, text in after.items() if name not in before]


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {before.get(name, 'not set')} became {after.get(name, 'not set')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _processes() -> dict[Any, str]:
    commands = {process: command_of(process) for process in psutil.Process().children(recursive=True)}
    return {
        process: f"process {process.pid}: {command[:200]}"
        for process, command in commands.items()
        if command and _OF_PYTHON not in command
    }


def _sockets() -> dict[Any, str]:
    return {
        (connection.laddr.ip, connection.laddr.port): f"listens on {connection.laddr.ip}:{connection.laddr.port}"
        for connection in psutil.Process().net_connections()
        if connection.status == psutil.CONN_LISTEN
    }


def _threads() -> dict[Any, str]:
    return {
        thread: f"thread {thread.name!r}, which is no daemon"
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread() and not thread.name.startswith(_OF_DISTRIBUTED)
    }


def _loops() -> dict[Any, str]:
    # The type is asked, because a proxy's __class__ may do anything.
    loops = [thing for thing in gc.get_objects() if issubclass(type(thing), asyncio.AbstractEventLoop)]
    return {loop: "an asyncio event loop that still runs in a thread" for loop in loops if loop.is_running()}


def _dask_config() -> dict[str, str]:
    import dask

    return dict(_flat("", dask.config.config))


def _dask_defaults() -> set[str]:
    """Return the lines of those defaults that a library added when it was imported: they are no settings."""
    import dask

    added = [line for defaults in dask.config.defaults for line in _flat("", defaults)]
    return {f"{name}: not set became {value}" for name, value in added}


def _flat(prefix: str, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        path = f"{prefix}{str(name).replace('_', '-')}"
        if isinstance(value, Mapping) and value:
            yield from _flat(f"{path}.", value)
        else:
            yield path, repr(value)


def _signal_handlers() -> dict[str, str]:
    return {
        signal.Signals(number).name: repr(signal.getsignal(number))
        for number in sorted(signal.valid_signals())
        if number in set(signal.Signals)
    }
