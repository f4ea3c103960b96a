"""What is installed here: requirements checked before anything runs, versions kept with a run."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import importlib_metadata

from sdt_dask_core.errors import RequirementError
from sdt_dask_core.registry import unmet_requirement

__all__ = ["check_requirements_file", "versions"]

#: Distributions whose versions decide the numbers or whether driver and workers understand each other.
_KEPT = (
    *("sdt-dask-core", "solar-data-tools", "cvxpy", "clarabel", "numpy", "scipy", "pandas", "scikit-learn"),
    *("dask", "distributed", "cloudpickle"),
)


def versions(more: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python, SQLite and the distributions that matter to a run, by name."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in dict.fromkeys((*_KEPT, *more)):
        try:
            found[name] = importlib_metadata.version(name)
        except importlib_metadata.PackageNotFoundError:
            continue
    return found


def check_requirements_file(path: Path) -> None:
    """Hold a ``requirements.txt`` against what is installed.

    Lines that are options of pip (``-r``, ``--index-url``), hashes and comments are passed over.

    Raises
    ------
    RequirementError
        Every requirement that is not met, each with the package, the range wanted and the version found; or the file
        is not UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a byte order mark first
    except UnicodeDecodeError as error:
        raise RequirementError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    # pip-compile writes `name==1.0 --hash=…` over several lines.
    text = text.replace("\\\n", " ")
    lines = [line.partition(" #")[0].partition(" --")[0].strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith(("#", "-"))]
    problems = [problem for line in wanted if (problem := unmet_requirement(line))]
    if problems:
        raise RequirementError(f"{path} is not met: " + "; ".join(problems))
