"""What a plug says it needs on the workers, asked of one that is built here."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from sdt_dask_core.errors import BrokenProviderError, RequirementError, SdtDaskError
from sdt_dask_core.job import Job

__all__ = ["Needs", "needs_of"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What the workers need for the plug of a job, beside its distribution.

    Attributes
    ----------
    paths : tuple of str
        Files and folders of this machine that it reads.
    requires : tuple of str
        Requirements whose markers hold here.
    """

    paths: tuple[str, ...]
    requires: tuple[str, ...]


def needs_of(job: Job) -> Needs:
    """Ask the plug of a job.

    Raises
    ------
    BrokenProviderError
        It cannot be built, or cannot say what it reads.
    RequirementError
        A requirement cannot be read.
    """
    plug = job.plug.build()
    try:
        # A class with marked hooks alone need not have these.
        paths = tuple(map(str, getattr(plug, "local_paths", tuple)() or ()))
        requires = tuple(getattr(plug, "worker_requires", None) or ())
    except SdtDaskError:
        raise
    except Exception as error:  # whatever a stranger's plug raises
        raise BrokenProviderError(
            f"plug {job.plug.name!r} of {job.plug.distribution} {job.plug.version} cannot say which files it reads "
            f"(local_paths): {type(error).__name__}: {error}"
        ) from error
    finally:
        with contextlib.suppress(Exception):
            plug.close()
    given = dict.fromkeys((*job.worker_requires, *requires))
    return Needs(paths, tuple(text for text in given if _applies(job, text)))


def _applies(job: Job, text: str) -> bool:
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, TypeError) as error:
        raise RequirementError(
            f"plug {job.plug.name!r} requires {text!r} of the workers, which cannot be read: {error}; write a sequence "
            "of requirements, such as worker_requires = ('fastparquet>=2024',)"
        ) from error
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
