"""`FargateClient`: options in, a live cluster out, and nothing left when it closes."""

from __future__ import annotations

import atexit
import contextlib
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from sdt_dask_client_fargate.account import Account, told
from sdt_dask_client_fargate.environment import check_environment
from sdt_dask_client_fargate.halting import Halt, interruptible
from sdt_dask_client_fargate.network import check_cidr, find_network, problems_of
from sdt_dask_client_fargate.size import Size, worker_size
from sdt_dask_client_fargate.wanted import Wanted
from sdt_dask_core.errors import ClientError, OptionError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Client

if TYPE_CHECKING:
    import distributed

    from sdt_dask_client_fargate.fleet import Fleet
    from sdt_dask_client_fargate.prices import Prices
    from sdt_dask_core.clusters import ClusterRecord

__all__ = ["FargateClient"]

logger = logging.getLogger(__name__)

_N_WORKERS = 2
_NO_IMAGE = (
    "client 'fargate' needs the option 'image': the image of the scheduler and the workers, with its tag; make it with "
    "`sdt-dask image`, and push it where AWS can fetch it"
)


class FargateClient(Client):
    """Start a private Dask cluster on AWS Fargate; all of it is removed when the run ends.

    What is not given is made for the run, and tagged: the ECS cluster, the roles, the security group and the task
    definitions. All parts talk to each other by TLS, with certificates of this cluster alone.

    Parameters
    ----------
    image : str
        Image of the scheduler and the workers, with its tag, as `sdt-dask image` makes it; a run needs it, and looking
        for leftovers does not.
    n_workers : int, optional
        Number of workers; default 2.
    minimum : int, optional
        Least number of workers, where their number follows the work; default 1.
    maximum : int, optional
        Most workers, where their number follows the work.
    threads_per_worker : int
        Threads of a worker, each of which drives one computing process; best one for each vCPU.
    memory : float, optional
        Memory of a worker [GiB]; default 4 for each thread.
    worker_cpu : int, optional
        CPU units of a worker, 1024 to a vCPU; default one vCPU for each thread.
    scheduler_cpu : int
        CPU units of the scheduler.
    scheduler_mem : int
        Memory of the scheduler [MiB].
    cpu_architecture : {"X86_64", "ARM64"}
        Processor that the image is made for.
    fargate_spot : bool
        Run the workers on spot capacity, which is cheaper and may be taken back; the scheduler never is.
    platform_version : str, optional
        Version of the Fargate platform, such as "1.4.0"; default AWS' latest.
    region : str, optional
        AWS region; default that of the profile or the environment.
    profile : str, optional
        Profile of the AWS configuration files of this machine.
    vpc : str
        Id of the VPC; default the account's default VPC.
    subnets : list of str, optional
        Ids of subnets of the VPC; default those that lead out.
    security_groups : list of str, optional
        Ids of security groups of your own; default one for the run, open to this machine alone.
    client_cidr : str, optional
        Addresses that the group made for the run lets in, such as "203.0.113.7/32"; default the public address of this
        machine, or the range of the VPC with fargate_use_private_ip.
    fargate_use_private_ip : bool
        Give the tasks no public addresses; this machine has to be within the VPC.
    cluster_arn : str, optional
        ARN of an ECS cluster of your own; default one for the run.
    execution_role_arn : str, optional
        ARN of the role with which ECS fetches the image and writes the log; default one for the run.
    task_role_arn : str, optional
        ARN of the role that the plug has on the workers; default one for the run.
    task_role_policies : list of str, optional
        ARNs of policies of the role that is made for the run, such as
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess".
    cloudwatch_logs_group : str
        Log group; made where there is none, and kept.
    cloudwatch_logs_default_retention : int
        Days for which a log group that is made keeps what is written.
    environment : dict of str, optional
        Variables of the tasks; no secrets, because whoever may describe tasks reads them.
    environment_from : dict of str, optional
        Variables that AWS fills in when a task starts: the ARN of a secret of Secrets Manager, or of a parameter, by
        the name of the variable.
    secrets_in_environment : bool
        Allow what looks like a secret in environment.
    tags : dict of str, optional
        More tags for all that is made.
    idle_timeout : float
        After how long without work the scheduler ends, and the workers with it, should this machine go away [s].
    timeout : float
        How long the scheduler may take to come up, and the workers after it [s].

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    shares_files = False

    def __init__(
        self,
        *,
        image: str = "",
        n_workers: int | None = None,
        minimum: int | None = None,
        maximum: int | None = None,
        threads_per_worker: int = 1,
        memory: float | None = None,
        worker_cpu: int | None = None,
        scheduler_cpu: int = 1024,
        scheduler_mem: int = 4096,
        cpu_architecture: Literal["X86_64", "ARM64"] = "X86_64",
        fargate_spot: bool = False,
        platform_version: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        vpc: str = "default",
        subnets: list[str] | None = None,
        security_groups: list[str] | None = None,
        client_cidr: str | None = None,
        fargate_use_private_ip: bool = False,
        cluster_arn: str | None = None,
        execution_role_arn: str | None = None,
        task_role_arn: str | None = None,
        task_role_policies: list[str] | None = None,
        cloudwatch_logs_group: str = "sdt-dask",
        cloudwatch_logs_default_retention: int = 30,
        environment: dict[str, str] | None = None,
        environment_from: dict[str, str] | None = None,
        secrets_in_environment: bool = False,
        tags: dict[str, str] | None = None,
        idle_timeout: float = 600.0,
        timeout: float = 600.0,
    ) -> None:
        least, most = _numbers(n_workers, minimum, maximum)
        _refuse_less_than_one(threads_per_worker=threads_per_worker, idle_timeout=idle_timeout, timeout=timeout)
        scheduler = Size(scheduler_cpu, scheduler_mem)
        scheduler.check("scheduler_cpu", "scheduler_mem")
        check_environment(environment or {}, insists=secrets_in_environment)
        if client_cidr is not None:
            check_cidr(client_cidr)
        if task_role_arn and task_role_policies:
            raise OptionError(
                "client 'fargate': task_role_policies are those of a role that is made for the run; attach them to "
                "task_role_arn yourself, or leave that out"
            )
        self.region = region
        self.profile = profile
        self.tags = dict(tags or {})
        self.wanted = Wanted(
            image=image,
            minimum=least,
            maximum=most,
            threads_per_worker=threads_per_worker,
            worker=worker_size(threads_per_worker, worker_cpu, memory),
            scheduler=scheduler,
            cpu_architecture=cpu_architecture,
            spot=fargate_spot,
            platform_version=platform_version,
            cluster_arn=cluster_arn,
            execution_role_arn=execution_role_arn,
            task_role_arn=task_role_arn,
            task_role_policies=tuple(task_role_policies or ()),
            log_group=cloudwatch_logs_group,
            log_retention=cloudwatch_logs_default_retention,
            vpc=vpc,
            subnets=tuple(subnets or ()),
            security_groups=tuple(security_groups or ()),
            client_cidr=client_cidr,
            is_private=fargate_use_private_ip,
            environment=dict(environment or {}),
            environment_from=dict(environment_from or {}),
            idle_timeout=idle_timeout,
            timeout=timeout,
        )
        self._open: contextlib.ExitStack | None = None
        self._fleet: Fleet | None = None

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Start the cluster, wait for its workers, and join it.

        Raises
        ------
        OptionError
            There is no image.
        ClientError
            AWS refuses, or a task stopped; the message says why, with the last lines of its log.
        """
        self.close()
        if not self.wanted.image:
            raise OptionError(_NO_IMAGE)
        self._open = contextlib.ExitStack()
        # Should nobody close it: at the end of the process there are no threads any more, and this needs none.
        atexit.register(self.close)
        try:
            return interruptible(self._start)
        except BaseException:
            self.close()
            raise

    def _start(self, halt: Halt) -> distributed.Client:
        from sdt_dask_client_fargate.starting import start

        assert self._open is not None  # noqa: S101 - set by the only caller
        client, self._fleet = start(self._open, self._account(), self.wanted, self.tags, halt)
        return client

    @hookimpl
    def close(self) -> None:
        """Close the client and remove all of the cluster; idempotent.

        Raises
        ------
        ClientError
            AWS refuses to remove a part of it.
        """
        opened, self._open = self._open, None
        if opened is not None:
            atexit.unregister(self.close)
            opened.close()

    @hookimpl
    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here; reads only."""
        if not self.wanted.image:
            yield _NO_IMAGE
        try:
            with contextlib.closing(self._account()) as account:
                account.require_region()
                with told("learn whose credentials these are"):
                    account.client("sts").get_caller_identity()
                wanted = self.wanted
                network = find_network(account, vpc=wanted.vpc, subnets=wanted.subnets, is_private=wanted.is_private)
                yield from problems_of(account, network, wanted.security_groups)
        except ClientError as error:
            yield error.message

    @hookimpl
    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float | None:
        """Return what a run would cost at most [US dollars]; None where the region's prices are not known."""
        prices = self._prices()
        return None if prices is None else prices.of_run(self.wanted, n_keys, seconds_per_key)

    @hookimpl
    def cost_so_far(self) -> float | None:
        """Return what the tasks have cost up to now [US dollars]; None where the region's prices are not known."""
        prices = self._prices()
        if prices is None or self._fleet is None:
            return None if prices is None else 0.0
        return prices.of_stints(self.wanted, self._fleet.stints.values(), time.monotonic())

    @hookimpl
    def list_clusters(self) -> Iterable[ClusterRecord]:
        """Yield the clusters in the region that this client made, whoever started them, and that hold something."""
        from sdt_dask_client_fargate.inventory import holdings

        with contextlib.closing(self._account()) as account:
            region = account.require_region()
            yield from [holding.record(region) for holding in holdings(account).values()]

    @hookimpl
    def remove_cluster(self, name: str) -> Iterable[str]:
        """Remove everything that a cluster holds; yield it piece by piece.

        Raises
        ------
        ClientError
            No such cluster, or a part of it could not be removed.
        """
        from sdt_dask_client_fargate.inventory import holdings
        from sdt_dask_client_fargate.removal import remove_holding

        with contextlib.closing(self._account()) as account:
            region = account.require_region()
            found = holdings(account, name).get(name)
            if found is None:
                raise ClientError(
                    f"there is no cluster {name!r} of the client 'fargate' in {region}; list_clusters "
                    "tells which there are, and another region has others (region=…)"
                )
            yield from remove_holding(account, found)

    def _account(self) -> Account:
        return Account(self.region, self.profile)

    def _prices(self) -> Prices | None:
        from sdt_dask_client_fargate.prices import price_table, prices_in

        try:
            with contextlib.closing(self._account()) as account:
                region = account.region
        except ClientError:
            return None
        found = prices_in(region, self.wanted.cpu_architecture)
        if found is None:
            logger.info(
                "the cost is not known: the price table of %s has no region %r", price_table()["date"], region or "none"
            )
        return found


def _numbers(n_workers: int | None, minimum: int | None, maximum: int | None) -> tuple[int, int]:
    """Return the least and the most number of workers."""
    if maximum is None and minimum is None:
        _refuse_less_than_one(n_workers=n_workers)
        return n_workers or _N_WORKERS, n_workers or _N_WORKERS
    if n_workers is not None:
        raise OptionError(
            "client 'fargate': give n_workers for a fixed number of workers, or minimum and maximum for one that "
            "follows the work, not both"
        )
    _refuse_less_than_one(minimum=minimum, maximum=maximum)
    if maximum is None or maximum < (minimum or 1):
        raise OptionError(f"client 'fargate': maximum={maximum} must be given, and not be less than minimum={minimum}")
    return minimum or 1, maximum


def _refuse_less_than_one(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and value < 1:
            raise OptionError(f"client 'fargate': the option {name!r} cannot be {value:g}; it is 1 or more")
