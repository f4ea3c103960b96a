"""The settings of a run: all that is needed to start it, and kept in the ledger to go on with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.job import Job
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
    """

    job: Job
    client: Reference

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return {"job": json.loads(self.job.as_text()), "client": self.client.as_dict()}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> RunSettings:
        """Return the settings that the ledger kept."""
        return cls(Job.from_text(json.dumps(settings["job"])), Reference(**settings["client"]))
