"""The version of code, as far as the numbers that come out of it are concerned."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from pathlib import Path

import importlib_metadata

from sdt_dask_core.job import Job
from sdt_dask_core.registry import YOURS

__all__ = ["code_version", "code_versions"]

# The frames are checked by our code and the systems analysed by theirs.
_ALWAYS = {"sdt-dask-core": "sdt_dask_core", "solar-data-tools": "solardatatools"}


def code_versions(job: Job) -> dict[str, str]:
    """Return the versions of all code that decides the numbers of a job, by distribution or class."""
    found = {distribution: code_version(distribution, module) for distribution, module in _ALWAYS.items()}
    for reference in (job.plug, *job.analyses):
        if reference.distribution == YOURS:
            found[f"{reference.kind} {reference.name}"] = reference.version  # the digest of its source
        elif reference.distribution not in found:
            found[reference.distribution] = code_version(reference.distribution, reference.module)
    return found


@functools.cache  # what a process has imported stays what it is, whatever is edited meanwhile
def code_version(distribution: str, module: str) -> str:
    """Return the version of a distribution, with a digest of its source where the version alone says too little.

    That is so where it did not come from an index: an editable install, a folder, a file or a repository keeps its
    version while its code changes.

    Parameters
    ----------
    distribution : str
        Its name.
    module : str
        Its top-level module.

    Returns
    -------
    str
        Empty where it is not installed.
    """
    try:
        found = importlib_metadata.distribution(distribution)
    except importlib_metadata.PackageNotFoundError:
        return ""
    is_from_index = found.read_text("direct_url.json") is None  # PEP 610
    return found.version if is_from_index else f"{found.version}+{_source_digest(module)}"


def _source_digest(module: str) -> str:
    spec = importlib.util.find_spec(module)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [(Path(folder), file) for folder in folders for file in Path(folder).rglob("*.py")]
    if spec and spec.origin and not folders:
        files = [(Path(spec.origin).parent, Path(spec.origin))]
    digest = hashlib.sha256()
    for name, file in sorted((file.relative_to(folder).as_posix(), file) for folder, file in files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
