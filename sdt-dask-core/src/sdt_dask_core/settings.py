"""The settings of a run: all that is needed to start it, and kept in the ledger to go on with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from sdt_dask_core.job import Job
from sdt_dask_core.limits import Limits
from sdt_dask_core.reference import Reference

__all__ = ["RunSettings"]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What is computed and where; plain text and numbers, secrets as references.

    Attributes
    ----------
    job : Job
        What is done for each key.
    client : Reference
        Where.
    limits : Limits
        What ends it early.
    allow_mismatch : bool
        Whether it goes on where the cluster is not as the environment that started it.
    keys_from : str
        Where the keys came from: "list", "manifest" with its path, or nothing where they were chosen.
    """

    job: Job
    client: Reference
    limits: Limits = field(default_factory=Limits)
    allow_mismatch: bool = False
    keys_from: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return {
            "job": json.loads(self.job.as_text()),
            "client": self.client.as_dict(),
            "limits": asdict(self.limits),
            "allow_mismatch": self.allow_mismatch,
            "keys_from": self.keys_from,
        }

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> RunSettings:
        """Return the settings that the ledger kept."""
        job, client = Job.from_text(json.dumps(settings["job"])), Reference(**settings["client"])
        # An older release kept none of the last three.
        limits, allow_mismatch = Limits(**settings.get("limits", {})), settings.get("allow_mismatch", False)
        return cls(job, client, limits, allow_mismatch, settings.get("keys_from", ""))
