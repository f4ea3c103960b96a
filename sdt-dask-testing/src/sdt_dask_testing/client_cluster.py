"""What holds of a client and its cluster before any run: the cluster computes, agrees, and is open to nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import pytest

from sdt_dask_testing.client_given import ClientGiven, Try
from sdt_dask_testing.client_request import COSTED_KEYS, Way
from sdt_dask_testing.client_visits import Visit
from sdt_dask_testing.verdict import bullets, require

__all__ = ["ClientCluster"]

#: What driver, scheduler and workers must have alike; of Python its minor version.
_SHARED = ("python", "dask", "distributed", "cloudpickle", "numpy", "pandas", "sdt-dask-core")


class ClientCluster(ClientGiven):
    """Tests of the cluster that a client makes or joins, and of what it says before."""

    def test_make_client_gives_a_client(self, contract_try: Try) -> None:
        """A run asks it for a ``distributed.Client``, and for nothing else."""
        found = contract_try(Way.LOOK)
        require(not found.problem, f"{self.contract_name} could not be looked at: {found.problem}")
        self.value(found, "make_client")
        require(
            found.report.values.get("is a client"),
            f"{self.contract_name}.make_client returned a {found.report.values.get('type')}; it must return a "
            "distributed.Client of a live cluster",
        )

    def test_the_cluster_has_a_worker(self, contract_client: Visit) -> None:
        """A run starts as soon as the client is there, and without a worker it is at an end."""
        require(
            self.value(contract_client, "workers"),
            f"{self.contract_name}.make_client returned before there was a worker; call client.wait_for_workers(1, "
            "timeout=…) in it, and raise ClientError when none comes",
        )

    def test_the_cluster_computes(self, contract_look: Visit) -> None:
        """The cluster adds two numbers."""
        require(self.value(contract_look, "computed") == 5, "the cluster of the client could not add 2 and 3")  # noqa: PLR2004

    def test_driver_and_workers_have_the_same_versions(self, contract_look: Visit) -> None:
        """They exchange what only equal versions understand; each says what it has."""
        driver = contract_look.report.values["versions of the driver"]
        others = {"the scheduler": self.value(contract_look, "versions of the scheduler")}
        others |= self.value(contract_look, "versions of the workers")
        lines = [line for where, found in others.items() for line in _other_versions(driver, where, found)]
        require(
            not lines,
            f"driver and cluster of {self.contract_name} differ:{bullets(lines)}\nInstall the same versions on the "
            "workers: an image, or an environment, made from what is installed here.",
        )

    def test_nothing_listens_to_the_world(self, contract_look: Visit) -> None:
        """Whoever reaches a scheduler can run code there, so it listens to this machine, or a private network."""
        listening = [f"{ip}:{port} of {command}" for ip, port, command in self.value(contract_look, "listening")]
        open_to_all = [line for line in listening if not _is_private(line.rpartition(":")[0])]
        require(
            not open_to_all,
            f"the cluster of {self.contract_name} listens to whoever can reach this machine:{bullets(open_to_all)}\n"
            "Bind scheduler, workers and dashboard to 127.0.0.1, or to an address of a private network.",
        )

    def test_what_leaves_this_machine_is_encrypted(self, contract_look: Visit) -> None:
        """A cluster that a client makes across a network uses TLS; one that it joins is as its owner made it."""
        if self.joins:
            pytest.skip("the cluster is not the client's own")
        addresses = [self.value(contract_look, "scheduler"), *self.value(contract_look, "workers")]
        plain = [address for address in addresses if not _is_safe(address)]
        require(
            not plain,
            f"the cluster of {self.contract_name} talks across a network in plain text:{bullets(plain)}\nGive it a "
            "distributed.Security with certificates (security=…), so that its addresses begin with tls://.",
        )

    def test_another_cluster_comes_up_after_the_first(self, contract_look: Visit) -> None:
        """A session makes one run after the other, each with a client of its own."""
        require(self.value(contract_look, "another") == 5, "the second cluster could not add 2 and 3")  # noqa: PLR2004

    def test_close_may_be_called_twice(self, contract_try: Try) -> None:  # type: ignore[override]
        """A run closes what it built on every path, also before there was a cluster, and more than once."""
        found = contract_try(Way.LOOK)
        for step, advice in (
            ("close before make_client", "close only what is open"),
            ("close", "core closes the distributed.Client first; close the rest all the same"),
            ("close again", "set what was closed to None, and close only what is open"),
        ):
            error = found.report.errors.get(step)
            require(not error, f"{self.contract_name}: {step} raised; {advice}:\n{error}")

    def test_check_access_finds_no_problem(self, contract_try: Try) -> None:
        """With options that work there is nothing to say; what is said are sentences for the user."""
        sentences = self.value(contract_try(Way.LOOK), "check_access") or ()
        require(
            all(isinstance(sentence, str) for sentence in sentences),
            f"{self.contract_name}.check_access yielded {sentences}; it yields sentences, each a str",
        )
        require(
            not sentences,
            f"{self.contract_name}.check_access objects to the options of the tests:{bullets(sentences)}\nGive the "
            "tests options that work, or let it yield nothing when all is well.",
        )

    def test_estimate_cost_grows_with_the_keys(self, contract_try: Try) -> None:
        """What `sdt-dask plan` shows: dollars, or None where the client does not know."""
        dollars = self.value(contract_try(Way.LOOK), "estimate_cost") or [None] * len(COSTED_KEYS)
        told = ", ".join(f"{cost!r} for {n} keys" for n, cost in zip(COSTED_KEYS, dollars, strict=True))
        if all(cost is None for cost in dollars):
            return
        require(
            all(isinstance(cost, (int, float)) and cost >= 0 for cost in dollars),
            f"{self.contract_name}.estimate_cost gave {told}; it gives US dollars, 0 or more, or None",
        )
        require(
            dollars == sorted(dollars) and (dollars[-1] > dollars[0] or dollars[-1] == 0),
            f"{self.contract_name}.estimate_cost gave {told}, of a minute each; more keys cost more",
        )


def _other_versions(driver: Mapping[str, str], where: str, found: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is {driver[name]} here and {found.get(name, 'missing')} on {where}"
        for name in _SHARED
        if name in driver and _compared(name, driver) != _compared(name, found)
    ]


def _compared(name: str, versions: Mapping[str, str]) -> str:
    version = versions.get(name, "")
    return ".".join(version.split(".")[:2]) if name == "python" else version


def _is_private(ip: str) -> bool:
    address = ipaddress.ip_address(ip.partition("%")[0])
    return not address.is_unspecified and (address.is_loopback or address.is_private)


def _is_safe(address: str) -> bool:
    protocol, _, place = address.rpartition("://")
    if protocol != "tcp":
        return True
    try:
        return ipaddress.ip_address(place.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return place.rpartition(":")[0] == "localhost"
