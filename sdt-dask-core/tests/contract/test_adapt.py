"""Plain classes made into providers."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_core.adapt import AdaptedClient, AdaptedPlug, adapted
from sdt_dask_core.contract import HookManager
from sdt_dask_core.errors import BrokenProviderError, ClientError
from sdt_dask_core.plug import Client, Plug
from sdt_dask_core.reference import refer_to


class PlainPlug:
    def get_data(self, keys: Any) -> Any:
        return ("frame", keys)


class FullPlug(PlainPlug):
    units = "W"
    worker_requires = ("fastparquet>=2024",)
    closed = False

    def list_keys(self) -> Any:
        return ["a", "b"]

    def fingerprint(self, k: Any) -> str:
        return f"print of {k}"

    def system_metadata(self, anything: Any) -> Any:
        return {"tilt": 20}

    def local_paths(self) -> Any:
        return ["/data"]

    def check_access(self) -> Any:
        return ["no way in"]

    def close(self) -> None:
        self.closed = True


class Closable:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class PlainClient:
    def __init__(self) -> None:
        self.cluster = Closable()

    def init_client(self) -> Any:
        return "a client"


def hooks_of(instance: Any, kind: str = "plug") -> Any:
    manager = HookManager()
    manager.register(adapted(kind, instance))
    return manager.hook


def test_a_plain_plug_is_called_by_position() -> None:
    assert hooks_of(PlainPlug()).get_data(key=("a",)) == ("frame", ("a",))


def test_what_a_plain_plug_lacks_is_answered_with_nothing() -> None:
    hooks = hooks_of(PlainPlug())
    assert (hooks.list_keys(), hooks.fingerprint(key=1), hooks.system_metadata(key=1)) == (None, None, None)
    assert (hooks.check_access(), list(hooks.local_paths())) == ([()], [])
    hooks.close()


def test_the_other_hooks_of_a_plain_plug_are_called() -> None:
    hooks = hooks_of(FullPlug())
    assert (hooks.list_keys(), hooks.fingerprint(key=1)) == (["a", "b"], "print of 1")
    assert (hooks.system_metadata(key=1), hooks.check_access()) == ({"tilt": 20}, [["no way in"]])
    assert hooks.local_paths() == ["/data"]


def test_closing_reaches_the_plain_plug() -> None:
    plug = FullPlug()
    hooks_of(plug).close()
    assert plug.closed


@pytest.mark.parametrize(("plug", "units"), [(FullPlug(), "W"), (PlainPlug(), None)])
def test_units_are_those_of_the_plain_plug(plug: Any, units: str | None) -> None:
    assert adapted("plug", plug).units == units


def test_what_workers_require_is_what_the_plain_plug_says() -> None:
    assert adapted("plug", FullPlug()).worker_requires == ("fastparquet>=2024",)
    assert adapted("plug", PlainPlug()).worker_requires == ()


def test_a_plug_of_ours_stays_as_it_is() -> None:
    class Ours(Plug):
        def get_data(self, key: Any) -> Any: ...

    plug = Ours()
    assert adapted("plug", plug) is plug


def test_a_client_of_ours_stays_as_it_is() -> None:
    class Ours(Client):
        def make_client(self) -> Any: ...

    client = Ours()
    assert adapted("client", client) is client


def test_a_plain_addon_stays_as_it_is() -> None:
    addon = Closable()
    assert adapted("addon", addon) is addon


def test_adapted_plugs_and_clients_are_plugs_and_clients() -> None:
    assert isinstance(adapted("plug", PlainPlug()), AdaptedPlug)
    assert isinstance(adapted("client", PlainClient()), AdaptedClient)


def test_init_client_makes_the_client() -> None:
    assert hooks_of(PlainClient(), "client").make_client() == "a client"


def test_make_client_of_a_plain_client_is_used_too() -> None:
    class Newer:
        def make_client(self) -> str:
            return "newer"

    assert hooks_of(Newer(), "client").make_client() == "newer"


def test_closing_reaches_the_cluster_that_a_plain_client_holds() -> None:
    client = PlainClient()
    hooks_of(client, "client").close()
    assert client.cluster.closed == 1


def test_what_a_plain_client_lacks_is_answered_with_nothing() -> None:
    hooks = hooks_of(PlainClient(), "client")
    assert (hooks.check_access(), hooks.estimate_cost(n_keys=1, seconds_per_key=1.0)) == ([()], None)
    assert (hooks.cost_so_far(), list(hooks.list_clusters())) == (None, [])
    with pytest.raises(ClientError, match="there is no cluster 'x': this client makes nothing that could be left"):
        hooks.remove_cluster(name="x")


def test_the_other_hooks_of_a_plain_client_are_called() -> None:
    class Priced(PlainClient):
        def check_access(self) -> Any:
            return ["no quota"]

        def estimate_cost(self, keys: int, seconds: float) -> float:
            return keys * seconds

        def cost_so_far(self) -> float:
            return 1.5

        def list_clusters(self) -> Any:
            return ["one"]

        def remove_cluster(self, which: str) -> Any:
            return [f"disk of {which}"]

    hooks = hooks_of(Priced(), "client")
    assert (hooks.check_access(), hooks.estimate_cost(n_keys=2, seconds_per_key=3.0)) == ([["no quota"]], 6.0)
    assert (hooks.cost_so_far(), hooks.list_clusters(), hooks.remove_cluster(name="a")) == (1.5, ["one"], ["disk of a"])


@pytest.mark.parametrize("shares", [True, False, None])
def test_a_plain_client_says_whether_its_workers_see_our_files(shares: bool | None) -> None:
    plain = PlainClient()
    if shares is not None:
        plain.shares_files = shares  # type: ignore[attr-defined]
    assert adapted("client", plain).shares_files is shares


def test_solar_data_tools_own_data_plug_is_adapted_when_built() -> None:
    dataplug = pytest.importorskip("sdt_dask.dataplugs.dataplug")

    class Theirs(dataplug.DataPlug):  # type: ignore[misc]
        def __init__(self, path: str = "x") -> None:
            self.path = path

        def get_data(self, keys: Any) -> Any:
            return (self.path, keys)

    manager = HookManager()
    manager.register(refer_to("plug", Theirs, {"path": "y"}).build())
    assert manager.hook.get_data(key=("a",)) == ("y", ("a",))


def test_a_class_without_get_data_is_no_plug() -> None:
    with pytest.raises(BrokenProviderError) as caught:
        refer_to("plug", Closable)
    assert str(caught.value) == (
        "plug class Closable breaks the contract: it has no method 'get_data', which a plug needs"
    )
