"""The verdict: what a process has, held against the terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement

from sdt_dask_core.agreement.terms import Terms
from sdt_dask_core.environment import SCHEDULER, compare

__all__ = ["DISTRIBUTION", "FILE", "MODULE", "REQUIREMENT", "Disagreement", "disagreements"]

#: What a disagreement can be about.
DISTRIBUTION, REQUIREMENT, MODULE, FILE = "distribution", "requirement", "module", "file"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that a process does not have as the terms want it.

    Attributes
    ----------
    kind : str
        `DISTRIBUTION`, `REQUIREMENT`, `MODULE` or `FILE`.
    name : str
        The distribution, "python", the module or the path.
    wanted, found : str
        As in the table.
    """

    kind: str
    name: str
    wanted: str
    found: str


def disagreements(terms: Terms, where: str, answer: Mapping[str, Any]) -> tuple[Disagreement, ...]:
    """Return what keeps a process from the run.

    Parameters
    ----------
    terms : Terms
        What it must have.
    where : str
        `SCHEDULER`, which only passes on what workers say and do, or the address of a worker.
    answer : mapping
        What it said, as `answer_of_this_process` returns it.
    """
    differences = compare(terms.versions, {where: answer["versions"]})
    found = [
        Disagreement(DISTRIBUTION, one.name, one.here, one.there or "missing") for one in differences if one.breaks
    ]
    return tuple(found) if where == SCHEDULER else (*found, *_beyond_versions(terms, answer))


def _beyond_versions(terms: Terms, answer: Mapping[str, Any]) -> Iterator[Disagreement]:
    for text in terms.requires:
        requirement = Requirement(text)
        version = answer["distributions"].get(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wanted = str(requirement.specifier) or "any"
            yield Disagreement(REQUIREMENT, requirement.name, wanted, version or "missing")
    for module in terms.imports:
        if not answer["imports"].get(module):
            yield Disagreement(MODULE, module, "the module", "missing")
    for path, _, seen in terms.files:
        there = answer["files"].get(path, "missing")
        if there != seen:
            is_other = there == "folder" or (" " not in there and there != "missing")
            yield Disagreement(FILE, path, "as here", "something else" if is_other else there)
