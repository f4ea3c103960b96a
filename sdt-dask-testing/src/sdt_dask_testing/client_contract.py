"""`ClientContract`: what every client must keep, as tests that its author's class inherits."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_core.options import OptionSet
from sdt_dask_core.reference import refer_to
from sdt_dask_testing.client_cluster import ClientCluster
from sdt_dask_testing.client_ends import INTERRUPTED, ClientEnds
from sdt_dask_testing.client_given import Try
from sdt_dask_testing.client_held import ClientHeld
from sdt_dask_testing.client_request import Way
from sdt_dask_testing.client_visits import Visit
from sdt_dask_testing.provider_contract import ProviderContract
from sdt_dask_testing.verdict import bullets, require

__all__ = ["ClientContract", "PlainClientContract"]


class PlainClientContract(ClientCluster, ClientEnds):
    """What a plain client must keep: a class with ``init_client(self)`` that knows nothing of SDT Dask.

    A process of its own builds the client, as a run does, and uses it: it only looks at the cluster, or it runs two
    keys, and the run comes to its end, raises, or is interrupted. What fixtures set up must be reached from there:
    environment variables, files and servers are; a mock within the process of the tests is not, so wrap it into a
    subclass of the client.

    Attributes
    ----------
    client : type
        The author's class.
    options : dict
        What it is built with, secrets as references; or a fixture of that name. One worker is enough.
    joins : bool
        Whether it joins a cluster that runs already and goes on without it.
    patience : float
        How long anything may take [s]; nothing waits for it when all is well. More for a cloud.
    grace : float
        How long what was closed may take to be gone [s].
    time_to_end : float, optional
        How long a run may take to end once it was interrupted [s]; default the patience.
    """


class ClientContract(ProviderContract, PlainClientContract, ClientHeld):
    """What a client that a distribution offers must keep.

    Attributes
    ----------
    broken_options : dict, optional
        Options of the right types with which no cluster can come up; or a fixture of that name.

    Examples
    --------
    >>> class TestMyClient(ClientContract):  # doctest: +SKIP
    ...     client = MyClient
    ...     options = {"n_workers": 1}
    """

    broken_options: Any = None

    def test_leaves_dasks_configuration_as_it_was(self, contract_end: Visit) -> None:
        """It belongs to the process, and a later cluster would start with the settings of this one."""
        self.require_none_left(
            contract_end,
            "dask_config",
            "leaves Dask's configuration changed",
            "Set it with `with dask.config.set(…)`, kept open by a contextlib.ExitStack until close() when the "
            "cluster needs it as long as it lives.",
        )

    def test_an_interrupted_start_leaves_nothing(self, contract_try: Try, contract_look: Visit) -> None:
        """Ctrl-C while a cluster comes up: make_client has not returned, and close() must close it all the same."""
        found = contract_try(Way.START)
        name = self.contract_name
        require(not found.problem, f"Ctrl-C while {name} started was not heard: {found.problem}")
        raised = found.report.errors.get("end", "nothing")
        require(
            any(kind in found.report.kinds.get("end", ()) for kind in INTERRUPTED),
            f"Ctrl-C while {name} started should interrupt the run; it raised: {raised}\nCatch Exception at most, "
            "never BaseException or KeyboardInterrupt without raising it again.",
        )
        left = _all_left(found)
        require(
            not left,
            f"{name} leaves something behind when its start is interrupted:{bullets(left)}\nRegister each thing for "
            "close() before it is started, or close what there is in `except BaseException` and raise again; what is "
            "made in a thread of its own comes to its end first and can be closed.",
        )

    def test_options_that_cannot_work_are_told(
        self, request: pytest.FixtureRequest, contract_option_set: OptionSet
    ) -> None:
        """A cluster that does not come up is a ClientError, with what to do."""
        found = self.broken(request)
        raised = found.report.errors.get("make_client", "nothing")
        require(
            "ClientError" in found.report.kinds.get("make_client", ()),
            f"{self.contract_name}.make_client, with options that cannot work, raised: {raised}\nRaise "
            "sdt_dask_core.errors.ClientError, from the error, and say what failed, why, and what to do.",
        )

    def test_options_that_cannot_work_leave_nothing(self, request: pytest.FixtureRequest) -> None:
        """Also a cluster that did not come up is closed."""
        left = _all_left(self.broken(request))
        require(
            not left,
            f"{self.contract_name} leaves something behind when its cluster does not come up:{bullets(left)}\nClose "
            "in make_client what it had made, before it raises.",
        )

    def broken(self, request: pytest.FixtureRequest) -> Visit:
        """Return what came of options that cannot work."""
        if self.broken_options is None:
            pytest.skip(f"{type(self).__name__} gives no broken_options")

        def make() -> Visit:
            options = self.given(request, "broken_options")
            return self.visit(Way.BROKEN, refer_to("client", request.getfixturevalue("contract_class"), options))

        found: Visit = self.once(request, Way.BROKEN, make)
        require(not found.problem, f"with options that cannot work {self.contract_name} hung: {found.problem}")
        return found


def _all_left(found: Visit) -> list[str]:
    return [f"{kind}: {line}" for kind, lines in found.left.items() for line in lines]
