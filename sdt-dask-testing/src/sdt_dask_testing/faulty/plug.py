"""`FaultyPlug`: the plug, its options and its good frames; the faults stand in the modules beside."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug
from sdt_dask_testing.faulty.endless import Endless
from sdt_dask_testing.faulty.ends import Ends
from sdt_dask_testing.faulty.errors import Errors
from sdt_dask_testing.faulty.frames import Frames
from sdt_dask_testing.faulty.manners import Manners

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.keys import Key

__all__ = ["FaultyPlug"]

_PEAK_KW = 5.0
_PEAK_KW_EACH = 0.01


class FaultyPlug(Errors, Ends, Endless, Frames, Manners, Plug):
    """Injects the fault that a key names, such as ``("segfault",)``; any other key is read without one.

    A number behind the name, as in ``("segfault", 7)``, tells keys of one fault apart, and adds 0.01 kW each to the
    peak of good frames. Many of the faults end or block the process that reads: let a run read them, not the process
    of the test. What is to become of each stands in `FAULTS`.

    Errors:

    - ``exception``: a ValueError; ``own_error``: a KeyNotFoundError; ``unavailable``: a SourceUnavailableError
    - ``good_at_the_third_time``: the source is unavailable twice, counted in the folder `counts`
    - ``without_message``, ``long_message`` (5 MB), ``surrogates`` (no UTF-8), ``broken_text`` (its ``str()`` raises)
    - ``unpicklable``: it holds a lock; ``heavy``: it holds 5 MB; ``item``: it has an attribute ``item``
    - ``recursion``; ``memory_error``; ``file_handles``: it opens files until there are no more
    - ``panic``: no Exception, as a solver's panic; ``keyboard``: KeyboardInterrupt; ``generator_exit``; ``sys_exit``

    Ends of the process:

    - ``os_exit``, ``segfault``, ``abort``, ``stack_overflow`` (in C), ``kill`` (SIGKILL)
    - ``fork_and_exit`` (a process is left that holds all pipes)

    What does not end:

    - ``hang`` (and ignores SIGTERM), ``hang_in_c`` (and holds the interpreter), ``hang_with_children``
    - ``endless_loop``: in Python; ``slow``: `seconds`, then is good
    - ``hog``: takes `hog_mib` of memory; ``leak``: takes it in steps of 10 MiB; ``good_with_twice_the_memory``: takes
      half of it, and is then good
    - ``closes_everything``: all file descriptors

    Frames:

    - ``none``, ``text``, ``generator``, ``lock``, ``strings`` (numbers as text), ``empty``, ``missing``
    - ``frame_that_raises``, ``recursive_cells`` (lists that contain themselves), ``enormous`` (60 million rows)
    - ``good_with_a_huge_note`` (100 MB), ``good_with_recursive_attrs``

    Manners:

    - ``talks_into_the_protocol``: writes into every open file descriptor; ``closes_stdout``, and is then good
    - ``good_prints_100_mb``, ``good_starts_a_process``, ``good_leaves_a_process``, ``good_leaves_threads``,
      ``good_warns_often``, ``good_then_hangs_in_close``: good frames all the same

    Parameters
    ----------
    units : {"W", "kW", "MW"}
        Unit of the power of good frames.
    days : int
        Length of good frames [days].
    seconds : float
        How long ``slow`` and what does not end take [s].
    hog_mib : int
        Memory that ``hog`` takes [MiB].
    counts : str
        Folder in which faults that pass count how often they happened.
    builds : {"well", "hangs", "raises", "exits", "crashes"}
        What happens where the plug is built; the driver builds it too, so set it for single rows of a manifest.
    """

    key_shape: ClassVar[str] = '("fault",)'

    def __init__(
        self,
        units: Literal["W", "kW", "MW"] = "kW",
        days: int = 3,
        *,
        seconds: float = 600.0,
        hog_mib: int = 2560,
        counts: str = "",
        builds: Literal["well", "hangs", "raises", "exits", "crashes"] = "well",
    ) -> None:
        self.units = units
        self.days = days
        self.seconds = seconds
        self.hog_mib = hog_mib
        self.counts = counts
        self.builds = builds
        self._number = 0
        self._hangs_in_close = False
        self._build()

    def _build(self) -> None:
        if self.builds == "hangs":
            time.sleep(self.seconds)
        if self.builds == "raises":
            raise RuntimeError("no such driver")
        if self.builds == "exits":
            sys.exit("the library wants another one")
        if self.builds == "crashes":
            ctypes.string_at(0)

    @classmethod
    def faults(cls) -> tuple[str, ...]:
        """Return the name of every fault, in the order in which they are written."""
        kinds = [vars(kind) for kind in cls.__mro__]
        return tuple(name.removeprefix("_fault_") for names in kinds for name in names if name.startswith("_fault_"))

    @hookimpl
    def list_keys(self) -> Iterator[Any]:
        """Yield a key for each fault."""
        yield from ((fault,) for fault in self.faults())

    @hookimpl
    def get_data(self, key: Key) -> Any:
        """Let the fault happen that the key names; without one return clear days.

        Raises
        ------
        BaseException
            Whatever the fault raises.
        """
        self._number = int(str(key[1])) if len(key) > 1 else 0
        return getattr(self, f"_fault_{key[0]}", self._clear_days)()

    @hookimpl
    def close(self) -> None:
        """Hang after a key that asked for it."""
        if self._hangs_in_close:
            time.sleep(self.seconds)

    def _clear_days(self) -> pd.DataFrame:
        """Return a half sine by day, 15 min apart."""
        import numpy as np
        import pandas as pd

        index = pd.date_range("2020-06-01", periods=self.days * 96, freq="15min", name="timestamp")
        hour = np.asarray(index.hour + index.minute / 60)
        peak = (_PEAK_KW + _PEAK_KW_EACH * self._number) * {"W": 1000.0, "kW": 1.0, "MW": 0.001}[self.units]
        power = peak * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))
        frame: pd.DataFrame = pd.DataFrame({"power": power}, index=index)
        return frame

    def _leave_a_process(self) -> None:
        # Forked, so that it holds all of our pipes.
        if os.fork() == 0:
            time.sleep(self.seconds)
            os._exit(0)

    def _times_before(self, fault: str) -> int:
        """Count one more time, and return how often it happened before."""
        file = Path(self.counts) / f"{fault}-{self._number}.times"
        with file.open("a", encoding="ascii") as times:
            times.write("x")
        return file.stat().st_size - 1
