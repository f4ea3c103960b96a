"""What the author of a client gives to its tests, and what all of these start from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import pytest

from sdt_dask_core.reference import Reference
from sdt_dask_testing.client_request import Way
from sdt_dask_testing.client_visits import Visit, visit
from sdt_dask_testing.provider_contract import PlainProviderContract
from sdt_dask_testing.verdict import bullets, refuse, require

__all__ = ["ENDS", "ClientGiven", "Try"]

#: How a run ends.
ENDS = (Way.SUCCESS, Way.ERROR, Way.CTRL_C, Way.SIGTERM)

Try = Callable[[str], Visit]


class ClientGiven(PlainProviderContract):
    """The author's client, its options, and what came of using it in a process of its own.

    Attributes
    ----------
    client : type
        The author's class.
    options : dict
        What it is built with, secrets as references; or a fixture of that name. One worker is enough.
    joins : bool
        Whether it joins a cluster that runs already and goes on without it.
    patience : float
        How long anything may take [s]; nothing waits for it when all is well.
    grace : float
        How long what was closed may take to be gone [s].
    time_to_end : float, optional
        How long a run may take to end once it was interrupted [s]; default the patience.
    """

    kind = "client"
    joins: ClassVar[bool] = False
    patience: ClassVar[float] = 90.0
    grace: ClassVar[float] = 20.0
    time_to_end: ClassVar[float | None] = None

    secret_question = "sdt_dask_testing.client_driver:told_of_client"  # noqa: S105 - a question

    def leftovers(self) -> Iterable[str]:
        """Name what of the client's is left beyond this machine: tasks, machines, roles, addresses, disks.

        Asked again and again while a cluster starts and after it closed, so it should be cheap. By default nothing.
        """
        return ()

    # --- what the tests share

    @pytest.fixture
    def contract_try(self, request: pytest.FixtureRequest) -> Try:
        """Use the client in one of the ways; done once for the class."""

        def make(way: str) -> Visit:
            return self.visit(way, request.getfixturevalue("contract_reference"))

        def once(way: str) -> Visit:
            if way in (Way.CTRL_C, Way.START) and not hasattr(os, "killpg"):
                pytest.skip("this system knows no SIGINT for a group of processes")
            found: Visit = self.once(request, way, lambda: make(way))
            return found

        return once

    @pytest.fixture
    def contract_client(self, contract_try: Try) -> Visit:
        """Look at the client; a test of what only a cluster has is left out when none came up."""
        found = contract_try(Way.LOOK)
        if not found.report.values.get("is a client"):
            pytest.skip("no cluster came up; see test_make_client_gives_a_client")
        return found

    @pytest.fixture
    def contract_look(self, contract_client: Visit) -> Visit:
        """Look at the cluster; a test of what its workers do is left out when it has none."""
        if contract_client.report.values.get("workers") == []:
            pytest.skip("the cluster has no worker; see test_the_cluster_has_a_worker")
        return contract_client

    @pytest.fixture(params=ENDS)
    def contract_way(self, request: pytest.FixtureRequest) -> str:
        """How a run ends."""
        return str(request.param)

    @pytest.fixture
    def contract_end(self, contract_way: str, contract_try: Try, contract_look: Visit) -> Visit:
        """Run to that end; what it left is left out when it came to none."""
        found = contract_try(contract_way)
        if found.problem:
            pytest.skip("the run came to no end; see test_a_run_ends_as_it_should")
        return found

    def visit(self, way: str, reference: Reference) -> Visit:
        """Use a client in a process of its own."""
        return visit(
            way,
            reference,
            patience=self.patience,
            grace=self.grace,
            time_to_end=self.time_to_end,
            joins=self.joins,
            leftovers=self.leftovers,
        )

    def value(self, found: Visit, step: str) -> Any:
        """Return what a step gave; what it raised fails the test."""
        if step in found.report.errors:
            refuse(f"{self.contract_name}: {step} raised:\n{found.report.errors[step]}")
        return found.report.values.get(step)

    def require_none_left(self, found: Visit, kind: str, what: str, advice: str) -> None:
        """Fail the test with what was left of a kind."""
        left = found.left.get(kind, ())
        require(not left, f"{self.contract_name} {what}:{bullets(left)}\n{advice}")
