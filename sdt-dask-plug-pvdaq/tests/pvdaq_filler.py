"""What a process does to a cache that it shares; a module of its own, so that a new process finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdt_dask_plug_pvdaq.cache import Cache


def fill(folder: str, seed: int, torn: Any) -> None:
    """Read and write, and count what is not as it was written."""
    cache = Cache(Path(folder), 1_000_000)
    for turn in range(150):
        name = f"{(turn * 7 + seed) % 90}"
        found = cache.get(name)
        if found is not None and found != name.encode() * 4000:
            torn.value += 1
        cache.put(name, name.encode() * 4000)
