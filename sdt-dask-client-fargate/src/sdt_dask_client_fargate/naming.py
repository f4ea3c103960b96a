"""Names and tags of what the client makes: by them it knows its own, and touches nothing else."""

from __future__ import annotations

import getpass
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

__all__ = ["CLUSTER", "ECS_CLUSTER", "OWNER", "PREFIX", "ROLE_PATH", "STARTED", "Naming", "tags_of"]

PREFIX = "sdt-dask-"
#: Path of the roles, by which AWS lists them and policies name them.
ROLE_PATH = "/sdt-dask/"

CLUSTER = "sdt-dask:cluster"
OWNER = "sdt-dask:owner"
STARTED = "sdt-dask:started"
#: Only where the tasks run in an ECS cluster that is not the client's own.
ECS_CLUSTER = "sdt-dask:ecs-cluster"

_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Naming:
    """Names and tags of one Dask cluster.

    Parameters
    ----------
    name : str
        Name of the cluster; default a new one.
    more_tags : mapping
        The user's own.
    """

    name: str = field(default_factory=lambda: PREFIX + secrets.token_hex(4))
    more_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of every piece."""
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return {**self.more_tags, CLUSTER: self.name, OWNER: owner(), STARTED: started}

    def family(self, part: str) -> str:
        """Name of a task definition."""
        return f"{self.name}-{part}"

    def role(self, part: str) -> str:
        """Name of a role."""
        return f"{self.name}-{part}"


def owner() -> str:
    """Return who makes it, as user and host."""
    return _NOT_IN_TAGS.sub("-", f"{getpass.getuser()}@{socket.gethostname()}")[:256]


def tags_of(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags as a dict; AWS writes the words of each tag big or small."""
    return {tag.get("key", tag.get("Key", "")): tag.get("value", tag.get("Value", "")) for tag in listed}
