"""File systems of our own for a test, in a namespace that goes away with the process that made it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_UNSHARE = ("unshare", "-Urm")


def _can_mount() -> bool:
    command = [*_UNSHARE, "mount", "-t", "tmpfs", "-o", "size=1m", "small", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not _can_mount(), reason="this kernel lets nobody mount a small disk of their own")


def in_namespace(script: str, *arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount, and stop at its first error."""
    command = [*_UNSHARE, "bash", "-c", f"set -eu\n{script}", "-", *arguments]
    more = {name: str(value) for name, value in environment.items()}
    return subprocess.run(command, env={**os.environ, **more}, timeout=500, check=False, capture_output=True, text=True)
