"""What importing a provider's class costs and loads, measured in a fresh process."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["MARK", "import_facts"]

#: Stands in the output before the modules that the provider adds.
MARK = "sdt-dask-testing: the provider's own imports follow"

# What every provider imports with the core's base classes, and what the core itself imports to list and load it.
_CORE = ("sdt_dask_core", *(f"sdt_dask_core.{name}" for name in ("plug", "secret", "errors", "keys", "reference")))


def import_facts(value: str) -> dict[str, Any]:
    """Import a provider's class after the core; return what it took [s] and the modules it added.

    Parameters
    ----------
    value : str
        ``module:Class``.
    """
    for module in _CORE:
        importlib.import_module(module)
    before = set(sys.modules)
    print(MARK, file=sys.stderr, flush=True)  # noqa: T201 - among the lines that -X importtime prints
    start = _now()
    name, _, attribute = value.partition(":")
    __import__(name)  # -X importtime leaves out what importlib.import_module is asked for
    thing: Any = sys.modules[name]
    for part in attribute.split("."):
        thing = getattr(thing, part)
    seconds = _now() - start
    return {"imported": value, "seconds": seconds, "modules": sorted(set(sys.modules) - before)}


def _now() -> float:
    """Return a clock [s] that stands still while others have the processor, where the system tells."""
    waited = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        waited = int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return time.perf_counter() - waited / 1e9
