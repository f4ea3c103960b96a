"""The job: all that the processes that compute must know of a run, the same for every key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sdt_dask_core.reference import Reference

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """What a child builds and does.

    Attributes
    ----------
    plug : Reference
        The plug, with the run's options.
    analyses : tuple of Reference
        The analyses in the order in which they run.
    addons : tuple of Reference
        Enabled addons; their hook wrappers compose around the plug's hooks.
    accelerate : bool
        Whether the accelerations are applied.
    key_timeout : float
        Longest time that one key may take [s].
    memory_limit : int or None
        Most memory that a child may hold [bytes]; None takes that of the Dask worker.
    sys_path : tuple of str
        Folders of the user's own modules, looked at after everything that is installed.
    """

    plug: Reference
    analyses: tuple[Reference, ...]
    addons: tuple[Reference, ...] = ()
    accelerate: bool = True
    key_timeout: float = 3600.0
    memory_limit: int | None = None
    sys_path: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Job:
        """Return the job that this text holds."""
        fields: dict[str, Any] = json.loads(text)
        fields["plug"] = Reference(**fields["plug"])
        for name in ("analyses", "addons"):
            fields[name] = tuple(Reference(**item) for item in fields[name])
        return cls(**{**fields, "sys_path": tuple(fields["sys_path"])})

    def with_plug_options(self, options: Mapping[str, Any]) -> Job:
        """Return the job for a system that has options of its own."""
        return replace(self, plug=replace(self.plug, options={**self.plug.options, **options}))

    def digest(self, metadata: Mapping[str, Any], versions: Mapping[str, int]) -> str:
        """Return the digest of all that decides a key's row besides its data [hex].

        Parameters
        ----------
        metadata : mapping
            What is known of the system.
        versions : mapping
            Version of each analysis by name.
        """
        parts = [self.plug.digest, [a.digest for a in self.analyses], sorted(versions.items()), metadata]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
