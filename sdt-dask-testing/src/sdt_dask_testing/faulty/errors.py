"""Faults that raise."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from sdt_dask_core.errors import KeyNotFoundError, SourceUnavailableError
from sdt_dask_testing.faulty.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Errors"]

_HANDLES = 256
_FAILURES = 2


class Errors(Reading):
    """Faults that raise."""

    def _fault_exception(self) -> None:
        raise ValueError("no such column")

    def _fault_own_error(self) -> None:
        raise KeyNotFoundError("there is no such system; look at the list")

    def _fault_unavailable(self) -> None:
        raise SourceUnavailableError("the source did not answer; try again later")

    def _fault_good_at_the_third_time(self) -> pd.DataFrame:
        if self._times_before("good_at_the_third_time") < _FAILURES:
            raise SourceUnavailableError("the source did not answer; try again later")
        return self._clear_days()

    def _fault_without_message(self) -> None:
        raise AssertionError

    def _fault_broken_text(self) -> None:
        raise BrokenTextError

    def _fault_unpicklable(self) -> None:
        raise LockHolderError

    def _fault_heavy(self) -> None:
        raise HeavyError

    def _fault_item(self) -> None:
        raise ItemError("it has an item")

    def _fault_panic(self) -> None:
        raise PanicError("panicked at solver.rs")

    def _fault_recursion(self) -> None:
        self._fault_recursion()

    def _fault_memory_error(self) -> None:
        raise MemoryError("Unable to allocate 4.66 GiB")

    def _fault_file_handles(self) -> None:
        import resource

        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        # A limit of a million would be a matter of memory.
        resource.setrlimit(resource.RLIMIT_NOFILE, (_HANDLES, before[1]))
        opened: list[int] = []
        try:
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        finally:
            for number in opened:
                os.close(number)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    def _fault_long_message(self) -> None:
        raise ValueError("x" * 5_000_000)

    def _fault_surrogates(self) -> None:
        raise ValueError("the file caf\udce9.csv cannot be read")

    def _fault_keyboard(self) -> None:
        raise KeyboardInterrupt

    def _fault_generator_exit(self) -> None:
        raise GeneratorExit

    def _fault_sys_exit(self) -> None:
        sys.exit(4)


class BrokenTextError(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text for you")


class LockHolderError(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


class HeavyError(Exception):
    """Holds 5 MB."""

    def __init__(self) -> None:
        super().__init__("it holds what was read")
        self.read = b"x" * 5_000_000


class ItemError(Exception):
    """Has an ``item``, as NumPy's scalars have, and cannot call it."""

    item = "not a method"


class PanicError(BaseException):
    """What a solver's panic looks like: no Exception."""
