"""What clusters of this client hold in an account, found by their names and tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sdt_dask_client_fargate.account import Account, code_of, told
from sdt_dask_client_fargate.naming import CLUSTER, ECS_CLUSTER, OWNER, PREFIX, ROLE_PATH, STARTED, tags_of
from sdt_dask_core.clusters import ClusterRecord

__all__ = ["Holding", "Piece", "holdings"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that a cluster holds.

    Attributes
    ----------
    kind : {"task", "cluster", "task definition", "security group", "role"}
        What it is.
    name : str
        What people call it.
    handle : str
        What AWS takes for it.
    """

    kind: str
    name: str
    handle: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(slots=True)
class Holding:
    """What one cluster holds.

    Attributes
    ----------
    name : str
        Name of the cluster.
    ecs_cluster : str
        The ECS cluster in which its tasks run; nothing where there is none any more.
    tags : dict
        Of one of its pieces.
    pieces : list of Piece
        What it holds.
    """

    name: str
    ecs_cluster: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)

    def of(self, kind: str) -> list[Piece]:
        """Return the pieces of a kind."""
        return [piece for piece in self.pieces if piece.kind == kind]

    def record(self, region: str) -> ClusterRecord:
        """Return it as the hook `list_clusters` tells it."""
        return ClusterRecord(
            name=self.name,
            place=region,
            running=bool(self.of("task")),
            started=_moment(self.tags.get(STARTED, "")),
            owner=self.tags.get(OWNER, ""),
            resources=tuple(map(str, self.pieces)),
        )


def holdings(account: Account, name: str = "", *, ecs_cluster: str = "") -> dict[str, Holding]:
    """Return what each cluster of this client holds, by its name.

    Parameters
    ----------
    account : Account
        Where to look.
    name : str
        Only this cluster; by default all of them.
    ecs_cluster : str
        Where the tasks of that one run, when it is known.

    Raises
    ------
    ClientError
        AWS refuses to tell.
    """
    found = _Found()
    if name and ecs_cluster:
        found.holding(name, {}).ecs_cluster = ecs_cluster
    with told("list what its clusters hold"):
        _find_definitions(account, name, found)
        _find_ecs_clusters(account, name, found)
        _find_groups(account, name, found)
        _find_roles(account, name, found)
        for holding in found.by_name.values():
            _find_tasks(account, holding)
    return {each: holding for each, holding in found.by_name.items() if holding.pieces}


@dataclass(slots=True)
class _Found:
    by_name: dict[str, Holding] = field(default_factory=dict)

    def holding(self, name: str, tags: dict[str, str]) -> Holding:
        holding = self.by_name.setdefault(name, Holding(name))
        holding.tags = tags or holding.tags
        return holding

    def add(self, tags: dict[str, str], wanted: str, piece: Piece) -> Holding | None:
        """Add a piece where its tags say that it is the client's own."""
        name = tags.get(CLUSTER, "")
        if not name.startswith(PREFIX) or name != (wanted or name):
            return None
        holding = self.holding(name, tags)
        holding.pieces.append(piece)
        return holding


def _find_ecs_clusters(account: Account, name: str, found: _Found) -> None:
    ecs = account.client("ecs")
    arns = [name] if name else [arn for page in account.pages("ecs", "list_clusters") for arn in page["clusterArns"]]
    wanted = [arn for arn in arns if arn.rpartition("/")[2].startswith(PREFIX)]
    for start in range(0, len(wanted), 100):
        for cluster in ecs.describe_clusters(clusters=wanted[start : start + 100], include=["TAGS"])["clusters"]:
            if cluster["status"] == "INACTIVE":
                continue
            piece = Piece("cluster", cluster["clusterName"], cluster["clusterArn"])
            holding = found.add(tags_of(cluster.get("tags", [])), name, piece)
            if holding is not None:
                holding.ecs_cluster = cluster["clusterArn"]


def _find_definitions(account: Account, name: str, found: _Found) -> None:
    ecs = account.client("ecs")
    prefix = f"{name}-" if name else PREFIX
    pages = account.pages("ecs", "list_task_definition_families", familyPrefix=prefix, status="ACTIVE")
    for family in [family for page in pages for family in page["families"]]:
        for page in account.pages("ecs", "list_task_definitions", familyPrefix=family):
            for arn in page["taskDefinitionArns"]:
                described = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
                tags = tags_of(described.get("tags", []))
                holding = found.add(tags, name, Piece("task definition", arn.rpartition("/")[2], arn))
                if holding is not None and ECS_CLUSTER in tags:
                    holding.ecs_cluster = tags[ECS_CLUSTER]


def _find_groups(account: Account, name: str, found: _Found) -> None:
    filters = [{"Name": f"tag:{CLUSTER}", "Values": [name]}] if name else [{"Name": "tag-key", "Values": [CLUSTER]}]
    for page in account.pages("ec2", "describe_security_groups", Filters=filters):
        for group in page["SecurityGroups"]:
            piece = Piece("security group", group["GroupId"], group["GroupId"])
            found.add(tags_of(group.get("Tags", [])), name, piece)


def _find_roles(account: Account, name: str, found: _Found) -> None:
    iam = account.client("iam")
    for page in account.pages("iam", "list_roles", PathPrefix=ROLE_PATH):
        for role in page["Roles"]:
            if role["RoleName"].startswith(f"{name}-" if name else PREFIX):
                tags = tags_of(iam.list_role_tags(RoleName=role["RoleName"])["Tags"])
                found.add(tags, name, Piece("role", role["RoleName"], role["RoleName"]))


def _find_tasks(account: Account, holding: Holding) -> None:
    if holding.ecs_cluster:
        holding.pieces[:0] = [
            Piece("task", arn.rpartition("/")[2], arn)
            for arn in _running_tasks(account, holding.ecs_cluster, holding.name)
        ]


def _running_tasks(account: Account, ecs_cluster: str, name: str) -> Iterator[str]:
    import botocore.exceptions

    try:
        for page in account.pages("ecs", "list_tasks", cluster=ecs_cluster, startedBy=name):
            yield from page["taskArns"]
    except botocore.exceptions.ClientError as error:
        if code_of(error) != "ClusterNotFoundException":
            raise


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
