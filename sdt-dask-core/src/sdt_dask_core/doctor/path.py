"""What stands on the import path here and in no process elsewhere: PYTHONPATH, the working folder, the user's own."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import importlib_metadata

from sdt_dask_core.doctor.finding import ERROR, WARNING, Finding
from sdt_dask_core.environment import as_program

__all__ = ["origins", "path_findings"]

_TIMEOUT = 60.0  # s; a cold disk

_Origin = tuple[str | None, str | None]


def origins(modules: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Return version and file of distributions as this process would import them.

    It needs nothing but Python, because its source is run by a process that may have nothing of ours.

    Parameters
    ----------
    modules : dict
        Distributions, each with the top-level module that stands for it; no module is imported.
    """
    import contextlib
    import importlib.metadata
    import importlib.util

    found = {}
    for name, module in modules.items():
        version = file = None
        with contextlib.suppress(Exception):  # missing or torn
            version = importlib.metadata.version(name)
        with contextlib.suppress(Exception):
            spec = importlib.util.find_spec(module)
            file = spec.origin if spec else None
        found[name] = (version, file)
    return found


def path_findings(modules: dict[str, str]) -> Iterator[Finding]:
    """Yield a finding for each folder that puts another distribution here than a process elsewhere has.

    Parameters
    ----------
    modules : dict
        Distributions, each with the top-level module that stands for it.
    """
    here, elsewhere = origins(modules), _origins_elsewhere(modules)
    by_folder: dict[str, list[str]] = {}
    for name, origin in here.items():
        if origin != elsewhere[name]:
            by_folder.setdefault(_folder(name, origin, elsewhere[name]), []).append(
                f"{name} is {_told(origin, elsewhere[name])} here and {_told(elsewhere[name], origin)} elsewhere"
            )
    for folder, texts in by_folder.items():
        level, place, command = _where(folder)
        yield Finding(level, "path", f"{place}: {'; '.join(texts)}", (command,))


def _origins_elsewhere(modules: dict[str, str]) -> dict[str, _Origin]:
    """Return `origins` in a process of this environment with neither variables, nor working folder, nor user's own."""
    program = f"{as_program(origins, modules)}import json\nprint(json.dumps(answer))"
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            cwd=empty,
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=True,
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    return {name: (version, file) for name, (version, file) in answer.items()}


def _told(origin: _Origin, other: _Origin) -> str:
    version, file = origin
    if version is None and file is None:
        return "missing"
    return version if version is not None and version != other[0] else str(file)


def _folder(name: str, here: _Origin, elsewhere: _Origin) -> str:
    """Return the folder of the import path from which it comes here."""
    if here[1] is not None and here[1] != elsewhere[1]:
        file = Path(here[1])
        return str(file.parent.parent if file.stem == "__init__" else file.parent)
    try:
        return str(importlib_metadata.distribution(name).locate_file(""))
    except importlib_metadata.PackageNotFoundError:
        return ""


def _where(folder: str) -> tuple[str, str, str]:
    """Return how bad a folder on the path is, what it is called, and what takes it off.

    The processes that compute are children of this one or of a worker: on this machine they have its variables, but
    never its working folder.
    """
    variable = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if _is_one_of(folder, variable):
        return WARNING, f"PYTHONPATH holds {folder}", "unset PYTHONPATH"
    if _is_one_of(folder, [site.getusersitepackages()]):
        return WARNING, f"your own site-packages, {folder}, are used", "export PYTHONNOUSERSITE=1"
    named = "the working folder" if _is_one_of(folder, [str(Path.cwd())]) else "a folder of this process alone"
    # Python 3.10 does not know the variable.
    command = "export PYTHONSAFEPATH=1" if sys.version_info >= (3, 11) else "cd .."
    return ERROR, f"this process imports from {folder}, {named}, and the processes that compute do not", command


def _is_one_of(folder: str, entries: list[str]) -> bool:
    return Path(folder).resolve() in [Path(entry).resolve() for entry in entries]
