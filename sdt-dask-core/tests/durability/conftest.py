"""Where the tests write, and whether SQLite can be watched here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .power import tracing


@pytest.fixture(scope="session")
def can_trace() -> None:
    """Skip where Python's own SQLite shows no functions."""
    try:
        tracing.library()
    except tracing.NoTracingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one, because thousands of files are written there and synced."""
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        yield Path(folder)
