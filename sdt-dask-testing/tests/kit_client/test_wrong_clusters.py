"""Clients whose cluster is wrong in one point fail the one test that looks at it, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sdt_dask_core import Client
from sdt_dask_testing.client_contract import ClientContract
from sdt_dask_testing.client_request import Report
from sdt_dask_testing.client_visits import Visit

from .conftest import Case, Outcome

OutcomeOf = Callable[[str], Outcome]

#: What looks at the cluster, and starts no run.
LOOK = "client or cluster or worker or versions or listens or encrypted or access or cost or close_may"
LOOK = f"({LOOK}) and not interrupted and not cannot_work and not joined"

CASES = {
    "no client": Case(
        """
        class Wrong(Good):
            def make_client(self):
                return super().make_client().cluster
        """,
        select=LOOK,
    ),
    "no cluster": Case(
        """
        class Wrong(Good):
            def make_client(self):
                raise ConnectionError("the quota is used up")
        """,
        select=LOOK,
    ),
    "no worker": Case(body="options = {'n_workers': 0}", select=LOOK),
    # Each of its faults is looked at by a test of its own.
    "many faults": Case(
        """
        import distributed

        class Far(distributed.Client):
            def nthreads(self, workers=None):
                return {"tcp://10.0.0.1:1234": 1}

            def run(self, function, *args, **kwargs):
                return {"tcp://10.0.0.1:1234": {**function(), "numpy": "1.19.5", "python": "3.9.1"}}

        class Wrong(Good):
            def __init__(self, n_workers: int = 1) -> None:
                super().__init__(n_workers)
                socket.create_server(("127.0.0.1", 0)).close()

            def make_client(self):
                cluster = super().make_client().cluster
                self._open.enter_context(socket.create_server(("0.0.0.0", 0)))
                return self._open.enter_context(Far(cluster))

            def check_access(self):
                return ["no credentials; log in"]

            def estimate_cost(self, n_keys, seconds_per_key):
                return 5.0 / n_keys

            def cost_so_far(self):
                return 5.0

            def list_clusters(self):
                return ["the cluster"]

            def remove_cluster(self, name):
                return []

            def close(self):
                self._open.close()
        """,
        select=f"({LOOK}) or test_building_it_touches_nothing",
    ),
}


def assert_fails(outcome: Outcome, name: str, *said: str) -> None:
    """One test failed, and said this."""
    assert set(outcome.failed) == {name}
    for text in said:
        assert text in outcome.failed[name]


@pytest.mark.slow
def test_make_client_must_return_a_client(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("no client")
    assert_fails(
        outcome,
        "test_make_client_gives_a_client",
        "Wrong.make_client returned a distributed.deploy.local.LocalCluster",
        "it must return a distributed.Client",
    )
    assert "test_the_cluster_computes" in outcome.skipped


@pytest.mark.slow
def test_a_cluster_that_does_not_come_up_fails_one_test_with_its_reason(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("no cluster")
    assert_fails(outcome, "test_make_client_gives_a_client", "ConnectionError: the quota is used up")


@pytest.mark.slow
def test_there_must_be_a_worker(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("no worker")
    assert_fails(outcome, "test_the_cluster_has_a_worker", "call client.wait_for_workers(1, timeout=…)")


#: Each fault of the client with many: the test that finds it, and what that says.
FAULTS = {
    "test_driver_and_workers_have_the_same_versions": (
        "and 1.19.5 on tcp://10.0.0.1:1234",
        "and 3.9.1 on",
        "Install the same versions",
    ),
    "test_nothing_listens_to_the_world": ("  - 0.0.0.0:", "Bind scheduler, workers and dashboard"),
    "test_what_leaves_this_machine_is_encrypted": ("tcp://10.0.0.1:1234", "security="),
    "test_close_may_be_called_twice": ("close before make_client raised; ", "close only what is open"),
    "test_check_access_finds_no_problem": ("no credentials; log in",),
    "test_estimate_cost_grows_with_the_keys": ("for 100000 keys",),
    "test_cost_so_far_never_falls": ("5.0, 5.0, 5.0, 5.0; before make_client nothing was spent",),
    "test_list_clusters_names_the_live_cluster": ("yields str; it yields ClusterRecord",),
    "test_remove_cluster_of_an_unknown_name_is_a_client_error": ("raised: nothing, and yielded []",),
    "test_building_it_touches_nothing": ("open what you need in the method that needs it first",),
}


@pytest.mark.slow
@pytest.mark.parametrize("test", FAULTS)
def test_a_fault_is_found_by_the_test_that_looks_at_it(outcome_of_case: OutcomeOf, test: str) -> None:
    for text in FAULTS[test]:
        assert text in outcome_of_case("many faults").failed[test]


@pytest.mark.slow
def test_no_other_test_fails_for_these_faults(outcome_of_case: OutcomeOf) -> None:
    assert set(outcome_of_case("many faults").failed) == set(FAULTS)


# --- what the tests say of an answer, without a process that gives it


class Wrong(Client):
    """A client with every hook, of which only the answers are looked at."""

    def make_client(self) -> Any: ...

    def cost_so_far(self) -> Any: ...

    def list_clusters(self) -> Any: ...

    def remove_cluster(self, name: str) -> Any: ...


class Contract(ClientContract):
    __test__ = False
    client = Wrong


def answered(test: str, values: Mapping[str, Any], *, errors: dict[str, str] | None = None) -> str:
    """Return what a test of the contract says of the answers, by step; nothing when it passes."""
    visit = Visit(Report(values={"is a client": True, **values}, errors=errors or {}), "", {})
    method = getattr(Contract(), test)
    taken = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    try:
        method(*((lambda _way: visit) if name == "contract_try" else visit for name in taken))
    except pytest.fail.Exception as failure:
        return str(failure)
    return ""


@pytest.mark.parametrize("step", ["close before make_client", "close", "close again"])
def test_close_must_not_raise(step: str) -> None:
    said = answered("test_close_may_be_called_twice", {}, errors={step: "AttributeError"})
    assert f"{step} raised; " in said


@pytest.mark.parametrize("found", [[], None])
def test_check_access_has_nothing_to_say_when_all_is_well(found: Any) -> None:
    assert answered("test_check_access_finds_no_problem", {"check_access": found}) == ""


def test_check_access_must_yield_sentences() -> None:
    said = answered("test_check_access_finds_no_problem", {"check_access": [17]})
    assert "it yields sentences, each a str" in said


@pytest.mark.parametrize("dollars", [[-1.0] * 3, ["much"] * 3, [5.0, 0.5, 0.00005], [5.0] * 3, [None, 1.0, 2.0]])
def test_a_cost_that_makes_no_sense_is_told(dollars: list[Any]) -> None:
    assert "for 100000 keys" in answered("test_estimate_cost_grows_with_the_keys", {"estimate_cost": dollars})


@pytest.mark.parametrize("dollars", [[None] * 3, [0, 0, 0], [0.51, 0.6, 1000.5]])
def test_a_cost_that_makes_sense_passes(dollars: list[Any]) -> None:
    assert answered("test_estimate_cost_grows_with_the_keys", {"estimate_cost": dollars}) == ""


@pytest.mark.parametrize(
    ("before", "costs", "said"),
    [
        (0.0, [1.0, 0.5], "what was spent never falls"),
        (0.0, [1.0, None], "or None at any time"),
        (None, [1.0, 2.0], "or None at any time"),
        (0.0, ["much"], "it gives US dollars"),
        (0.0, [True], "it gives US dollars"),
        (0.0, [float("nan")], "it gives US dollars"),
        (0.1, [0.2, 0.3], "before make_client nothing was spent: give 0"),
    ],
)
def test_what_a_cluster_cost_must_make_sense(before: Any, costs: list[Any], said: str) -> None:
    assert said in answered("test_cost_so_far_never_falls", {"cost_so_far before": before, "cost_so_far": costs})


@pytest.mark.parametrize(("before", "costs"), [(0.0, [0.1, 0.1, 0.2]), (0, [0, 0]), (None, [None, None])])
def test_what_a_cluster_cost_may_stand_still_or_be_unknown(before: Any, costs: list[Any]) -> None:
    assert answered("test_cost_so_far_never_falls", {"cost_so_far before": before, "cost_so_far": costs}) == ""


LIVE = {"name": "mine", "running": True, "zone": True, "resources": ["task"]}
OLD = {"name": "old", "running": True, "zone": True, "resources": ["task"]}


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([OLD], "did not name before: none;"),
        ([OLD, {**LIVE, "running": False}], "did not name before: none;"),
        ([LIVE, {**LIVE, "name": "another"}], "did not name before: ['mine', 'another'];"),
        ([{**LIVE, "resources": []}], "names the cluster 'mine' and no piece of it"),
        ([{**LIVE, "zone": False}], "gives a time without a time zone"),
        ([{"type": "dict"}], "yields dict; it yields ClusterRecord"),
    ],
)
def test_the_live_cluster_must_be_listed(listed: list[Any], said: str) -> None:
    told = answered("test_list_clusters_names_the_live_cluster", {"clusters before": [OLD], "clusters": listed})
    assert said in told


def test_the_live_cluster_beside_others_passes() -> None:
    told = answered("test_list_clusters_names_the_live_cluster", {"clusters before": [OLD], "clusters": [OLD, LIVE]})
    assert told == ""


def test_what_is_listed_after_close_is_told_with_its_pieces() -> None:
    told = answered("test_list_clusters_names_nothing_that_was_closed", {"clusters after": [LIVE]})
    assert "  - mine: task\nRemove in close() all" in told


def test_a_service_that_does_not_answer_is_told() -> None:
    errors = {"clusters": "ConnectionError: no route"}
    told = answered("test_list_clusters_names_the_live_cluster", {"clusters before": []}, errors=errors)
    assert "clusters raised:\nConnectionError: no route" in told


def test_who_lists_must_remove() -> None:
    class Listing(Client):
        def make_client(self) -> Any: ...

        def list_clusters(self) -> Any: ...

    class Half(Contract):
        client = Listing

    with pytest.raises(pytest.fail.Exception, match=r"has list_clusters and no remove_cluster"):
        Half().test_what_it_lists_it_can_remove()
