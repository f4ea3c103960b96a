"""What has to stand before a task can run: ECS cluster, roles, log group, security group, task definitions.

Each piece that the user has is taken as it is; the others are made, tagged, and removed with the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sdt_dask_client_fargate.account import Account, code_of, told
from sdt_dask_client_fargate.halting import Halt
from sdt_dask_client_fargate.naming import CLUSTER, ECS_CLUSTER, ROLE_PATH, Naming
from sdt_dask_client_fargate.network import PORT, Network, caller_cidr, find_network, problems_of
from sdt_dask_client_fargate.size import Size
from sdt_dask_client_fargate.wanted import Wanted
from sdt_dask_core.errors import ClientError

__all__ = ["EXECUTION_POLICY", "Foundation", "container_of", "lay_foundation"]

EXECUTION_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"
_READ_SECRETS = "read-secrets"
_FILES = 65_535  # open at once
_TRIES, _STEP = 8, 3.0  # s between them

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True, slots=True)
class Foundation:
    """What tasks are started with.

    Attributes
    ----------
    ecs_cluster : str
        ARN of the ECS cluster.
    network : Network
        Where the tasks stand.
    security_groups : tuple of str
        Ids.
    definitions : dict
        ARN of the task definition of "scheduler" and "worker".
    """

    ecs_cluster: str
    network: Network
    security_groups: tuple[str, ...]
    definitions: dict[str, str]


def lay_foundation(account: Account, naming: Naming, wanted: Wanted, halt: Halt) -> Foundation:
    """Make what is missing; what was made before it fails is found again by its tags.

    Raises
    ------
    ClientError
        AWS refuses, or the network does not let tasks work.
    """
    network = find_network(account, vpc=wanted.vpc, subnets=wanted.subnets, is_private=wanted.is_private)
    for problem in problems_of(account, network, wanted.security_groups):
        raise ClientError(problem)
    layer = _Layer(account, naming, wanted, halt)
    ecs_cluster = wanted.cluster_arn or layer.ecs_cluster()
    execution_role = wanted.execution_role_arn or layer.execution_role()
    task_role = wanted.task_role_arn or layer.task_role()
    layer.log_group()
    groups = wanted.security_groups or (layer.security_group(network),)
    definitions = {
        part: layer.definition(part, size, execution_role, task_role)
        for part, size in (("scheduler", wanted.scheduler), ("worker", wanted.worker))
    }
    return Foundation(ecs_cluster, network, tuple(groups), definitions)


def container_of(part: str) -> str:
    """Return the name of the container of a part, as FargateCluster calls it."""
    return f"dask-{part}"


class _Layer:
    def __init__(self, account: Account, naming: Naming, wanted: Wanted, halt: Halt) -> None:
        self.account = account
        self.naming = naming
        self.wanted = wanted
        self.halt = halt

    def ecs_cluster(self) -> str:
        providers = {"capacityProviders": ["FARGATE", "FARGATE_SPOT"]} if self.wanted.spot else {}
        with told(f"make the ECS cluster {self.naming.name}"):
            # The first cluster of an account makes AWS' own role for ECS, which is not there at once.
            made = self._again_while(
                "service linked role",
                lambda: self.account.client("ecs").create_cluster(
                    clusterName=self.naming.name, tags=_tags(self.naming.tags), **providers
                ),
            )
        return str(made["cluster"]["clusterArn"])

    def execution_role(self) -> str:
        """Make the role with which ECS fetches the image, writes the log and reads the secrets."""
        partition = "aws-cn" if self.account.require_region().startswith("cn-") else "aws"
        role = self._role("execution", [f"arn:{partition}:iam::aws:policy/{EXECUTION_POLICY}"])
        if self.wanted.environment_from:
            with told(f"let the role {self.naming.role('execution')} read secrets"):
                self.account.client("iam").put_role_policy(
                    RoleName=self.naming.role("execution"),
                    PolicyName=_READ_SECRETS,
                    PolicyDocument=json.dumps(_reading(self.wanted.environment_from.values())),
                )
        return role

    def task_role(self) -> str:
        """Make the role that the plug has on the workers."""
        return self._role("task", self.wanted.task_role_policies)

    def log_group(self) -> None:
        """Make the log group where there is none; it stays, with what the tasks wrote, for its retention time."""
        logs, name = self.account.client("logs"), self.wanted.log_group
        with told(f"make the log group {name}"):
            pages = self.account.pages("logs", "describe_log_groups", logGroupNamePrefix=name)
            if any(group["logGroupName"] == name for page in pages for group in page["logGroups"]):
                return
            self.halt.check()
            try:
                logs.create_log_group(logGroupName=name)
                logs.put_retention_policy(logGroupName=name, retentionInDays=self.wanted.log_retention)
            except Exception as error:
                if code_of(error) != "ResourceAlreadyExistsException":  # another run was quicker
                    raise

    def security_group(self, network: Network) -> str:
        """Make a group that lets the parts talk to each other, and this machine to the scheduler."""
        cidrs = caller_cidr(network, self.wanted.client_cidr)
        ec2 = self.account.client("ec2")
        self.halt.check()
        with told(f"make a security group in {network.vpc}"):
            group = ec2.create_security_group(
                GroupName=self.naming.name,
                Description="Dask cluster of SDT Dask",
                VpcId=network.vpc,
                TagSpecifications=[{"ResourceType": "security-group", "Tags": _tags(self.naming.tags, upper=True)}],
            )["GroupId"]
            rules = [{"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": group}]}]
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules + [_rule(cidr) for cidr in cidrs])
        return str(group)

    def definition(self, part: str, size: Size, execution_role: str, task_role: str) -> str:
        """Register a task definition."""
        ecs, tags = self.account.client("ecs"), self.naming.tags
        if self.wanted.cluster_arn:
            tags[ECS_CLUSTER] = self.wanted.cluster_arn
        with told(f"register the task definition {self.naming.family(part)}"):
            made = self._again_while(
                "role",
                lambda: ecs.register_task_definition(
                    family=self.naming.family(part),
                    executionRoleArn=execution_role,
                    taskRoleArn=task_role,
                    networkMode="awsvpc",
                    requiresCompatibilities=["FARGATE"],
                    runtimePlatform={"cpuArchitecture": self.wanted.cpu_architecture},
                    cpu=str(size.cpu),
                    memory=str(size.memory),
                    containerDefinitions=[self._container(part)],
                    tags=_tags(tags),
                ),
            )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def _container(self, part: str) -> dict[str, Any]:
        return {
            "name": container_of(part),
            "image": self.wanted.image,
            "essential": True,
            "secrets": [{"name": name, "valueFrom": arn} for name, arn in self.wanted.environment_from.items()],
            "ulimits": [{"name": "nofile", "softLimit": _FILES, "hardLimit": _FILES}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-region": self.account.require_region(),
                    "awslogs-group": self.wanted.log_group,
                    "awslogs-stream-prefix": self.naming.name,
                },
            },
        }

    def _role(self, part: str, policies: Sequence[str]) -> str:
        iam, name = self.account.client("iam"), self.naming.role(part)
        self.halt.check()
        with told(f"make the role {name}"):
            made = iam.create_role(
                RoleName=name,
                Path=ROLE_PATH,
                AssumeRolePolicyDocument=json.dumps(_TRUST),
                Description=f"{CLUSTER} {self.naming.name}",
                Tags=_tags(self.naming.tags, upper=True),
            )
            for policy in policies:
                iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        return str(made["Role"]["Arn"])

    def _again_while(self, text: str, work: Callable[[], Any]) -> Any:
        """Do it again while AWS says that something is not there which was made a moment ago."""
        for left in reversed(range(_TRIES)):
            self.halt.check()
            try:
                return work()
            except Exception as error:
                if text not in str(error).lower() or code_of(error) in ("AccessDeniedException", "") or not left:
                    raise
            self.halt.sleep(_STEP)
        raise AssertionError("the last try returns or raises")


def _tags(tags: dict[str, str], *, upper: bool = False) -> list[dict[str, str]]:
    names = ("Key", "Value") if upper else ("key", "value")
    return [dict(zip(names, pair, strict=True)) for pair in tags.items()]


def _rule(cidr: str) -> dict[str, Any]:
    kind, word = ("Ipv6Ranges", "CidrIpv6") if ":" in cidr else ("IpRanges", "CidrIp")
    return {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, kind: [{word: cidr, "Description": "the caller"}]}


def _reading(references: Any) -> dict[str, Any]:
    """Return a policy that lets read just these, from Secrets Manager or the parameter store."""
    # A reference to one field of a secret goes on after the seventh colon.
    arns = sorted({":".join(reference.split(":")[:7]) for reference in references})
    actions = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": arns}],
    }
