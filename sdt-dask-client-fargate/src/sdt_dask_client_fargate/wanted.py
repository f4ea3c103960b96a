"""What the user wants of a cluster, as the parts that make it need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdt_dask_client_fargate.size import Size

__all__ = ["Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants of a cluster; see `sdt_dask_client_fargate.FargateClient` for each."""

    image: str
    minimum: int
    maximum: int
    threads_per_worker: int
    worker: Size
    scheduler: Size
    cpu_architecture: str
    spot: bool
    platform_version: str | None
    cluster_arn: str | None
    execution_role_arn: str | None
    task_role_arn: str | None
    task_role_policies: tuple[str, ...]
    log_group: str
    log_retention: int
    vpc: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    client_cidr: str | None
    is_private: bool
    environment: Mapping[str, str]
    environment_from: Mapping[str, str]
    idle_timeout: float
    timeout: float

    @property
    def is_adaptive(self) -> bool:
        """Whether the number of workers follows the work."""
        return self.maximum > self.minimum
