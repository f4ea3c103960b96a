"""The table of what does not agree, and the commands that mend it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping

from packaging.requirements import Requirement

from sdt_dask_core.agreement.terms import Terms
from sdt_dask_core.agreement.verdict import DISTRIBUTION, FILE, MODULE, REQUIREMENT, Disagreement
from sdt_dask_core.doctor import mending
from sdt_dask_core.doctor.source import source_of
from sdt_dask_core.environment import SCHEDULER
from sdt_dask_core.errors import EnvironmentMismatchError

__all__ = ["Found", "commands", "mismatch", "table"]

#: What does not agree, by `SCHEDULER` or the address of a worker.
Found = Mapping[str, tuple[Disagreement, ...]]

_HEAD = ("where", "what", "wanted", "found")


def table(found: Found) -> str:
    """Return the table, with one block for all workers that have the same."""
    blocks: dict[tuple[Disagreement, ...], list[str]] = {}
    for where, problems in found.items():
        blocks.setdefault((*problems, *_marks(where)), []).append(where)
    rows = [_HEAD]
    for block, places in blocks.items():
        who = places[0] if len(places) == 1 else f"{len(places)} workers"
        for number, one in enumerate(one for one in block if one.kind):
            rows.append((who if number == 0 else "", one.name, one.wanted, one.found))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _marks(where: str) -> tuple[Disagreement, ...]:
    # The scheduler is never one of "3 workers".
    return (Disagreement("", "", "", ""),) if where == SCHEDULER else ()


def mismatch(found: Found, terms: Terms, image: str = "") -> EnvironmentMismatchError:
    """Return the error that shows the table and what mends it; see `commands`."""
    ways = "".join(f"\n{way}" for way in commands(found, terms, image))
    return EnvironmentMismatchError(
        f"no key was started, because the cluster is not as this environment:\n{table(found)}{ways}\n"
        "or go on as it is: --allow-mismatch",
        found={where: [(one.name, one.wanted, one.found) for one in problems] for where, problems in found.items()},
    )


def commands(found: Found, terms: Terms, image: str = "") -> list[str]:
    """Return what mends it, each a sentence with a command or the ways out.

    Parameters
    ----------
    found : mapping
        What does not agree.
    terms : Terms
        What must be there.
    image : str
        The command that writes a new image, where the workers are made of one.
    """
    problems = list(dict.fromkeys(one for problems in found.values() for one in problems))
    packages = [one for one in problems if one.kind in (DISTRIBUTION, REQUIREMENT)]
    ways = [f"make an image of this environment and give the client its tag: {image}"] if image and packages else []
    if not ways:
        ways = list(_installs(packages, terms))
    modules = ", ".join(one.name for one in problems if one.kind == MODULE)
    if modules:
        ways.append(
            f"put what the plug imports from {modules} into its own file, or make it an installed distribution, "
            "here and on the workers: sdt-dask new"
        )
    if any(one.kind == FILE for one in problems):
        ways.append(
            "put the files into a file system that the workers have under the same path, or into S3 with the plug "
            "'s3' (pip install sdt-dask-plug-s3), or compute here: --client local"
        )
    return ways


def _installs(packages: list[Disagreement], terms: Terms) -> Iterator[str]:
    if any(one.name == "python" for one in packages):
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        yield f"start it from an environment with this Python: uv venv --python {python}"
    wanted, local = [], []
    for one in packages:
        if one.name == "python":
            continue
        source = source_of(one.name) if one.kind == DISTRIBUTION else None
        if source is not None and source.is_local:
            local.append(source.place)
        elif source is not None:
            wanted.append(f"{one.name} @ {source.place}")
        else:
            wanted.extend([f"{one.name}=={one.wanted}"] if one.kind == DISTRIBUTION else _requirements(one, terms))
    if wanted:
        yield f"install there, and start it again: uv pip install {shlex.join(dict.fromkeys(wanted))}"
    if local:
        yield f"make wheels here and install them there: {mending.build_wheels(*dict.fromkeys(local))}"


def _requirements(problem: Disagreement, terms: Terms) -> list[str]:
    return [text for text in terms.requires if Requirement(text).name == problem.name]
