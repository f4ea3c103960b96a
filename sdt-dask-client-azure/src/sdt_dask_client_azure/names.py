"""What a cluster's resources are called, and the tags by which they are known as ours."""

from __future__ import annotations

import getpass
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

__all__ = ["CLUSTER_TAG", "OWNER_TAG", "STARTED_TAG", "PartNames", "new_cluster_name", "own_tags"]

#: Tags of everything that this client makes; the first holds the name of the cluster.
CLUSTER_TAG, STARTED_TAG, OWNER_TAG = "sdt-dask-cluster", "sdt-dask-started", "sdt-dask-owner"

_LONGEST_TAG = 256


@dataclass(frozen=True, slots=True)
class PartNames:
    """The names of a virtual machine and of what belongs to it alone.

    Attributes
    ----------
    machine : str
        The virtual machine.
    """

    machine: str

    @property
    def network_interface(self) -> str:
        """Its network interface."""
        return f"{self.machine}-nic"

    @property
    def public_address(self) -> str:
        """Its public address, where it has one."""
        return f"{self.machine}-ip"

    @property
    def disk(self) -> str:
        """The disk of its operating system."""
        return f"{self.machine}-disk"


def new_cluster_name() -> str:
    """Return a name that no other cluster has, such as sdt-dask-1f0a3b5c."""
    return f"sdt-dask-{secrets.token_hex(4)}"


def own_tags(cluster: str, others: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of everything in a cluster: the user's, and ours."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {**others, CLUSTER_TAG: cluster, STARTED_TAG: started, OWNER_TAG: _owner()}


def _owner() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        user = "unknown"
    return f"{user}@{platform.node()}"[:_LONGEST_TAG]
