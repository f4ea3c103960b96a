"""The network is looked at before anything is made, and what would not work is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sdt_dask_core.errors import ClientError

from .fake_aws import FakeAws


@pytest.fixture
def ec2(aws: FakeAws) -> Iterator[Any]:
    with contextlib.closing(boto3.client("ec2")) as client:
        yield client


@pytest.fixture
def closed_subnet(ec2: Any) -> Iterator[dict[str, str]]:
    """A subnet of a VPC from which no route leads out."""
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    yield {"vpc": vpc, "subnet": subnet}
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def _group(ec2: Any, aws: FakeAws, cidr: str) -> str:
    group = str(ec2.create_security_group(GroupName="own", Description="own", VpcId=aws.facts["vpc"])["GroupId"])
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 9000, "IpRanges": [{"CidrIp": cidr}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return group


def _problems(aws: FakeAws, **options: Any) -> str:
    with aws.client(**options) as client:
        return "\n".join(client.check_access())


def test_all_is_well_in_a_default_vpc(aws: FakeAws) -> None:
    assert _problems(aws) == ""


def test_looking_changes_nothing(aws: FakeAws) -> None:
    _problems(aws)
    assert {call.partition(":")[2].rstrip("s")[:8] for call in aws.ask("calls")} <= {"Describe", "GetCalle"}


def test_a_subnet_that_leads_nowhere_is_told(aws: FakeAws, closed_subnet: dict[str, str]) -> None:
    message = _problems(aws, vpc=closed_subnet["vpc"], subnets=[closed_subnet["subnet"]])
    assert closed_subnet["subnet"] in message
    assert "no route to an internet gateway" in message


def test_private_tasks_that_reach_no_image_are_told(aws: FakeAws, closed_subnet: dict[str, str]) -> None:
    message = _problems(aws, vpc=closed_subnet["vpc"], fargate_use_private_ip=True)
    assert "no NAT gateway" in message
    assert "ecr.api, ecr.dkr, logs, s3" in message


def test_a_subnet_of_another_vpc_is_told(aws: FakeAws, closed_subnet: dict[str, str]) -> None:
    assert "is not in the VPC" in _problems(aws, subnets=[closed_subnet["subnet"]])


def test_an_unknown_vpc_is_told(aws: FakeAws) -> None:
    assert "vpc-0123" in _problems(aws, vpc="vpc-0123")


def test_expired_credentials_are_told(aws: FakeAws) -> None:
    aws.ask("fault", expired=True)
    assert "expired" in _problems(aws)


def test_a_security_group_open_to_the_world_is_refused(aws: FakeAws, ec2: Any) -> None:
    group = _group(ec2, aws, "0.0.0.0/0")
    with aws.client(security_groups=[group]) as client, pytest.raises(ClientError, match="lets everybody reach"):
        client.make_client()
    ec2.delete_security_group(GroupId=group)


def test_a_security_group_for_some_is_taken(aws: FakeAws, ec2: Any) -> None:
    group = _group(ec2, aws, "203.0.113.0/24")
    assert _problems(aws, security_groups=[group]) == ""
    ec2.delete_security_group(GroupId=group)
