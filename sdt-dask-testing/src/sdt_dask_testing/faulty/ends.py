"""Faults that end the process."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal

from sdt_dask_testing.faulty.reading import Reading

__all__ = ["Ends"]


class Ends(Reading):
    """Faults that end the process."""

    def _fault_os_exit(self) -> None:
        os._exit(3)

    def _fault_segfault(self) -> None:
        ctypes.string_at(0)

    def _fault_abort(self) -> None:
        os.abort()

    def _fault_stack_overflow(self) -> None:
        getattr(faulthandler, "_stack_overflow")()  # noqa: B009 - CPython has it for its own tests, and stubs do not

    def _fault_kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _fault_fork_and_exit(self) -> None:
        self._leave_a_process()
        os._exit(5)
