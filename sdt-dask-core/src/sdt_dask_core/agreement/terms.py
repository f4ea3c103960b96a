"""The terms: what each process of a cluster must have for a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from packaging.requirements import Requirement

from sdt_dask_core.agreement.files import Sight, sights_of
from sdt_dask_core.agreement.imports import own_imports
from sdt_dask_core.agreement.needs import Needs
from sdt_dask_core.environment import SHARED, importable_versions
from sdt_dask_core.job import Job
from sdt_dask_core.registry import YOURS

__all__ = ["Terms", "common_terms", "terms_of"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What must be the same there as here; plain text and numbers.

    Attributes
    ----------
    modules : dict
        Distributions, each with the top-level module that stands for it.
    versions : dict
        Their versions here, and Python's.
    requires : tuple of str
        Requirements that workers must meet beside these.
    imports : tuple of str
        Modules that the user's own code imports and no distribution holds.
    folders : tuple of str
        Where those are looked for.
    files : tuple of Sight
        What is seen of the plug's files here; empty where the workers share them for sure.
    """

    modules: dict[str, str]
    versions: dict[str, str | None]
    requires: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    files: tuple[Sight, ...] = ()

    def as_text(self) -> str:
        """Return the terms as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Terms:
        """Return the terms that this text holds."""
        fields: dict[str, Any] = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("requires", "imports", "folders")}
        files = tuple((path, length, seen) for path, length, seen in fields["files"])
        return cls(**{**fields, **lists, "files": files})

    @property
    def question(self) -> dict[str, Any]:
        """What a process is asked, to see whether it meets the terms."""
        return {
            "modules": self.modules,
            "distributions": [Requirement(text).name for text in self.requires],
            "imports": list(self.imports),
            "folders": list(self.folders),
            "files": [[path, length] for path, length, _ in self.files],
        }


def common_terms() -> Terms:
    """Return the terms of every run, whatever its plug."""
    return Terms(SHARED, importable_versions(SHARED))


def terms_of(job: Job, needs: Needs, *, shares_files: bool) -> Terms:
    """Return the terms of a job.

    Parameters
    ----------
    job : Job
        What is done for each key.
    needs : Needs
        What its plug says.
    shares_files : bool
        Whether the workers see the files of this machine for sure; then none are asked about.
    """
    references = (job.plug, *job.analyses, *job.addons)
    modules = {**SHARED, **{r.distribution: r.module for r in references if r.distribution != YOURS}}
    own = () if shares_files else sorted({name for reference in references for name in own_imports(reference)})
    return Terms(
        modules=modules,
        versions=importable_versions(modules),
        requires=needs.requires,
        imports=tuple(own),
        folders=job.sys_path if own else (),
        files=() if shares_files else tuple(sights_of(needs.paths)),
    )
