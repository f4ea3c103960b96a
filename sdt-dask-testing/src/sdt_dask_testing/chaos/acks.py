"""Acknowledgements: what a driver said was recorded, written down before anything else can happen to it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdt_dask_core import RunInfo
from sdt_dask_core.hookspecs import hookimpl

__all__ = ["Ack", "AckAddon", "digest_of", "read_acks"]


@dataclass(frozen=True, slots=True)
class Ack:
    """A driver's word that the outcome of a key is recorded."""

    run_id: str
    key: str
    digest: str


def digest_of(outcome: Mapping[str, Any]) -> str:
    """Return a digest of what an outcome says: status, cause and columns."""
    said = [outcome.get("status"), outcome.get("cause"), outcome.get("columns") or {}]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


class AckAddon:
    """Writes one line for each outcome that the driver has recorded.

    Parameters
    ----------
    path : str
        The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    @hookimpl
    def key_finished(self, run: RunInfo, outcome: Mapping[str, Any]) -> None:
        """Write the line; one call of the system, so that a kill leaves it whole or not at all."""
        line = json.dumps([run.run_id, outcome["key"], digest_of(outcome)]) + "\n"
        number = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(number, line.encode())
        finally:
            os.close(number)


def read_acks(path: Path) -> list[Ack]:
    """Return what was acknowledged so far."""
    if not path.exists():
        return []
    return [Ack(*json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
