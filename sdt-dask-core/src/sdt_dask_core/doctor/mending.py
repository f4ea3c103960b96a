"""Commands that mend, with the installer of this very environment."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from pathlib import Path

__all__ = ["build_wheels", "install", "install_there", "uninstall"]


def install(*requirements: str, upgrade: bool = False) -> str:
    """Return the command that installs requirements here."""
    return _pip("install", *(("--upgrade",) if upgrade else ()), *requirements)


def install_there(*requirements: str) -> str:
    """Return the command that installs requirements on another machine, of whose installer nothing is known."""
    return shlex.join(["python", "-m", "pip", "install", *requirements])


def uninstall(distribution: str) -> str:
    """Return the command that uninstalls a distribution here."""
    return _pip("uninstall", distribution)


def build_wheels(*sources: str) -> str:
    """Return the command that makes wheels of folders or files, in ``wheels`` of the working folder."""
    if _has_pip() or shutil.which("uv") is None:
        return _pip("wheel", "--no-deps", "--wheel-dir", "wheels", *sources)
    return " && ".join(shlex.join(["uv", "build", "--wheel", "--out-dir", "wheels", source]) for source in sources)


def _pip(verb: str, *arguments: str) -> str:
    """Return a command of pip's; a bare ``pip`` where it is the one of this environment, else uv's if that is there."""
    own = shutil.which("pip")
    if own is not None and Path(own).parent == Path(sys.executable).parent:
        return shlex.join(["pip", verb, *arguments])
    if _has_pip() or shutil.which("uv") is None:
        return shlex.join([sys.executable, "-m", "pip", verb, *arguments])
    return shlex.join(["uv", "pip", verb, "--python", sys.executable, *arguments])


def _has_pip() -> bool:
    return importlib.util.find_spec("pip") is not None
