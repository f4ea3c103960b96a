"""Loaded by each Dask worker of the local client.

A Ctrl-C in the terminal reaches the whole process group; the driver decides what it means, and workers that it
interrupts would only print their tracebacks over its message.
"""

from __future__ import annotations

import signal

__all__ = ["dask_setup"]


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
