"""Where the tasks stand: VPC, subnets, a way to the image, and who reaches the scheduler."""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdt_dask_client_fargate.account import Account, told
from sdt_dask_core.errors import ClientError, OptionError

__all__ = ["PORT", "Network", "caller_cidr", "check_cidr", "find_network", "problems_of"]

#: Port of the scheduler.
PORT = 8786

_WHO_AM_I = "https://checkip.amazonaws.com"
_WIDEST = 8  # bits of a network that an own security group opens to
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "s3")


@dataclass(frozen=True, slots=True)
class Network:
    """Where the tasks stand.

    Attributes
    ----------
    vpc : str
        Id of the VPC.
    cidrs : tuple of str
        Its address ranges.
    subnets : tuple of str
        Ids of the subnets.
    is_private : bool
        Whether the tasks have no public address.
    """

    vpc: str
    cidrs: tuple[str, ...]
    subnets: tuple[str, ...]
    is_private: bool


def find_network(account: Account, *, vpc: str, subnets: Sequence[str], is_private: bool) -> Network:
    """Return where the tasks stand; by default the account's own VPC, and those of its subnets that lead out.

    Raises
    ------
    ClientError
        There is no such VPC or subnet, or none of its subnets leads out.
    """
    with told(f"find the VPC {vpc!r} and its subnets"):
        found = _vpc(account, vpc)
        listed = _subnets(account, found["VpcId"], subnets)
        ways = {} if subnets else _ways_out(account, found["VpcId"], listed)
    fitting = [each for each in listed if is_private or ways.get(each) == "gateway"] or listed
    if not fitting:
        raise ClientError(f"client 'fargate': the VPC {found['VpcId']} has no subnet; make one, or give another vpc=…")
    cidrs = [block["CidrBlock"] for block in found.get("CidrBlockAssociationSet", [])] or [found["CidrBlock"]]
    return Network(found["VpcId"], tuple(cidrs), tuple(fitting), is_private)


def problems_of(account: Account, network: Network, security_groups: Sequence[str]) -> Iterator[str]:
    """Yield what would keep the tasks from their image, or would open the scheduler to the world."""
    with told(f"look at the routes of the VPC {network.vpc}"):
        ways = _ways_out(account, network.vpc, network.subnets)
    if network.is_private:
        closed = sorted(subnet for subnet, way in ways.items() if way != "nat")
        missing = _missing_endpoints(account, network.vpc) if closed else []
        if missing:
            yield (
                f"client 'fargate': tasks without a public address in {', '.join(closed)} reach no image: there is no "
                f"NAT gateway, and the VPC {network.vpc} has no endpoint of {', '.join(missing)}; make one of the two, "
                "or give subnets=…"
            )
    elif closed := sorted(subnet for subnet, way in ways.items() if way != "gateway"):
        yield (
            f"client 'fargate': {', '.join(closed)} has no route to an internet gateway, so its tasks reach no image "
            "and cannot be reached from here; give other subnets=…, or fargate_use_private_ip=true from within the VPC"
        )
    yield from _open_groups(account, security_groups)


def caller_cidr(network: Network, given: str | None) -> tuple[str, ...]:
    """Return the address ranges that may reach the scheduler.

    Parameters
    ----------
    network : Network
        Where the tasks stand; with private addresses, its own range.
    given : str, optional
        The user's choice; by default the public address of this machine, which AWS tells.

    Raises
    ------
    ClientError
        AWS does not tell it.
    """
    if given is not None:
        return (given,)
    if network.is_private:
        return network.cidrs
    try:
        with urllib.request.urlopen(_WHO_AM_I, timeout=15) as response:
            return (f"{ipaddress.ip_address(response.read().decode().strip())}/32",)
    except (OSError, ValueError) as error:
        raise ClientError(
            f"client 'fargate' could not learn the public address of this machine from {_WHO_AM_I}: {error}; give "
            "client_cidr=…, such as 203.0.113.7/32, or security_groups=… of your own"
        ) from error


def check_cidr(cidr: str) -> None:
    """Refuse a range that is none, or that opens the scheduler to the world.

    Raises
    ------
    OptionError
        It is one of these.
    """
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError as error:
        raise OptionError(
            f"client 'fargate': client_cidr={cidr} is no range of addresses: {error}; write 203.0.113.7/32"
        ) from None
    if network.prefixlen < _WIDEST:
        raise OptionError(
            f"client 'fargate': client_cidr={cidr} opens the scheduler to the world; give the range of the machines "
            "that start runs, such as 203.0.113.7/32"
        )


def _vpc(account: Account, vpc: str) -> Mapping[str, Any]:
    wanted = {"Filters": [{"Name": "is-default", "Values": ["true"]}]} if vpc == "default" else {"VpcIds": [vpc]}
    found = [each for page in account.pages("ec2", "describe_vpcs", **wanted) for each in page["Vpcs"]]
    if not found:
        raise ClientError(
            f"client 'fargate': there is no default VPC in {account.region}; give vpc=…, or make one with `aws ec2 "
            "create-default-vpc`"
        )
    first: Mapping[str, Any] = found[0]
    return first


def _subnets(account: Account, vpc: str, wanted: Sequence[str]) -> list[str]:
    arguments = {"SubnetIds": list(wanted)} if wanted else {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    found = [each for page in account.pages("ec2", "describe_subnets", **arguments) for each in page["Subnets"]]
    strangers = [each["SubnetId"] for each in found if each["VpcId"] != vpc]
    if strangers:
        raise ClientError(
            f"client 'fargate': the subnet {', '.join(strangers)} is not in the VPC {vpc}; give its VPC in vpc=…"
        )
    return [each["SubnetId"] for each in found]


def _ways_out(account: Account, vpc: str, subnets: Iterable[str]) -> dict[str, str]:
    """Return how each subnet leads out: "gateway", "nat" (or another hop), or ""."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    main, own = "", {}
    for page in account.pages("ec2", "describe_route_tables", Filters=filters):
        for table in page["RouteTables"]:
            way = _way_of(table["Routes"])
            for association in table["Associations"]:
                if association.get("Main"):
                    main = way
                elif "SubnetId" in association:
                    own[association["SubnetId"]] = way
    return {subnet: own.get(subnet, main) for subnet in subnets}


def _way_of(routes: Iterable[Mapping[str, Any]]) -> str:
    for route in routes:
        if route.get("DestinationCidrBlock") == _EVERYWHERE[0] and route.get("State") != "blackhole":
            return "gateway" if str(route.get("GatewayId", "")).startswith("igw-") else "nat"
    return ""


def _missing_endpoints(account: Account, vpc: str) -> list[str]:
    with told(f"look at the endpoints of the VPC {vpc}"):
        filters = [{"Name": "vpc-id", "Values": [vpc]}]
        pages = account.pages("ec2", "describe_vpc_endpoints", Filters=filters)
        there = {each["ServiceName"] for page in pages for each in page["VpcEndpoints"]}
    return [name for name in _NEEDED_ENDPOINTS if not any(service.endswith(f".{name}") for service in there)]


def _open_groups(account: Account, groups: Sequence[str]) -> Iterator[str]:
    if not groups:
        return
    with told(f"look at the security groups {', '.join(groups)}"):
        pages = account.pages("ec2", "describe_security_groups", GroupIds=list(groups))
        found = [each for page in pages for each in page["SecurityGroups"]]
    for group in found:
        if any(_opens(rule) for rule in group["IpPermissions"]):
            yield (
                f"client 'fargate': the security group {group['GroupId']} lets everybody reach port {PORT}, where code "
                "can be run; narrow its rule to the machines that start runs, or leave security_groups out"
            )


def _opens(rule: Mapping[str, Any]) -> bool:
    ranges = [each.get("CidrIp") for each in rule.get("IpRanges", [])]
    ranges += [each.get("CidrIpv6") for each in rule.get("Ipv6Ranges", [])]
    is_tcp = rule["IpProtocol"] in ("tcp", "-1", "6")
    return is_tcp and rule.get("FromPort", 0) <= PORT <= rule.get("ToPort", 65535) and bool({*ranges} & {*_EVERYWHERE})
