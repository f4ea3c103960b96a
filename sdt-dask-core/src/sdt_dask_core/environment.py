"""What is installed here and on a cluster: requirements and versions checked before anything runs, and kept with it."""

from __future__ import annotations

import inspect
import platform
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import importlib_metadata

from sdt_dask_core.errors import RequirementError
from sdt_dask_core.registry import unmet_requirement
from sdt_dask_core.requirements_file import read_lines

if TYPE_CHECKING:
    import distributed

__all__ = [
    "SCHEDULER",
    "SHARED",
    "Difference",
    "as_program",
    "check_requirements_file",
    "compare",
    "importable_versions",
    "versions",
    "versions_on_cluster",
]

#: Distributions that driver and workers should share, each with the module that stands for it.
SHARED = {
    "sdt-dask-core": "sdt_dask_core",
    "solar-data-tools": "solardatatools",
    "dask": "dask",
    "distributed": "distributed",
    "cloudpickle": "cloudpickle",
    "numpy": "numpy",
    "pandas": "pandas",
}

#: Stands for the scheduler where others are named by their address.
SCHEDULER = "scheduler"

# Processes with another version of these do not understand each other, so the scheduler needs them, too.
_SPOKEN = ("python", "dask", "distributed", "cloudpickle", "sdt-dask-core")

# Of these a bugfix release changes neither what is said nor the numbers; of all others any release may.
_BY_MINOR = ("python", "cloudpickle", "numpy", "pandas")

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


def importable_versions(modules: dict[str, str]) -> dict[str, str | None]:
    """Return the versions of Python and of distributions, None where one cannot be imported in this process.

    It needs nothing but Python, because its source travels to processes that may have nothing of ours.

    Parameters
    ----------
    modules : dict
        Distributions, each with the top-level module that stands for it; no module is imported.
    """
    import importlib.metadata
    import importlib.util
    import platform

    found: dict[str, str | None] = {"python": platform.python_version()}
    for name, module in modules.items():
        try:
            found[name] = importlib.metadata.version(name) if importlib.util.find_spec(module) else None
        except Exception:  # noqa: BLE001 - metadata missing or torn: it cannot be counted upon
            found[name] = None
    return found


def as_program(function: Callable[..., Any], argument: Any) -> str:
    """Return the source of a function that needs nothing but Python, and of its call, which leaves `answer`."""
    call = f"answer = {function.__name__}({argument!r})"
    return f"from __future__ import annotations\n{inspect.getsource(function)}\n{call}\n"


def versions_on_cluster(client: distributed.Client, modules: dict[str, str]) -> dict[str, dict[str, str | None]]:
    """Return `importable_versions` of the scheduler (as `SCHEDULER`) and of each worker, by address.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    modules : dict
        As of `importable_versions`.
    """
    # As text: a worker with another Python could not read a pickled function, nor one without this package import it.
    source = as_program(importable_versions, modules)
    call = ("(exec(source, space), space['answer'])[1]", {"source": source, "space": {}})
    return {SCHEDULER: client.run_on_scheduler(eval, *call), **client.run(eval, *call)}


@dataclass(frozen=True, slots=True)
class Difference:
    """A distribution that is not the same there as here.

    Attributes
    ----------
    where : str
        `SCHEDULER` or the address of a worker.
    name : str
        The distribution, or "python".
    here : str
        Its version here.
    there : str or None
        Its version there; None where it cannot be imported.
    breaks : bool
        Whether a run is refused for it; else it is a bugfix release that makes no difference as far as is known.
    """

    where: str
    name: str
    here: str
    there: str | None
    breaks: bool


def compare(here: Mapping[str, str | None], there: Mapping[str, Mapping[str, str | None]]) -> list[Difference]:
    """Compare versions here with those of a cluster.

    Parameters
    ----------
    here : mapping
        What `importable_versions` says here; what is missing here is not compared.
    there : mapping
        What `versions_on_cluster` says.

    Returns
    -------
    list of Difference
        Another bugfix release of Python is none. The scheduler runs no analysis, so only what it needs to understand
        the others counts there.
    """
    return [
        Difference(where, name, version, found.get(name), breaks)
        for where, found in there.items()
        for name, version in here.items()
        if version is not None
        and (where != SCHEDULER or name in _SPOKEN)
        and found.get(name) != version
        and ((breaks := _counted(name, version) != _counted(name, found.get(name))) or name != "python")
    ]


def _counted(name: str, version: str | None) -> str | None:
    return ".".join(version.split(".")[:2]) if name in _BY_MINOR and version else version


def check_requirements_file(path: Path) -> tuple[str, ...]:
    """Hold a ``requirements.txt`` against what is installed; return its requirements.

    Lines that are options of pip (``-r``, ``--index-url``), hashes and comments are passed over.

    Raises
    ------
    RequirementError
        Every requirement that is not met, each with the package, the range wanted and the version found; or the file
        is not UTF-8 text.
    """
    wanted = [line.text for line in read_lines(path) if not line.is_option]
    problems = [problem for line in wanted if (problem := unmet_requirement(line))]
    if problems:
        raise RequirementError(f"{path} is not met: " + "; ".join(problems))
    return tuple(wanted)
