"""The contract: what a class must keep, and how its methods are found and called."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from sdt_dask_core.contract import HOOKS, HookManager, hooks_of, is_plain, near_hooks, validate_class
from sdt_dask_core.errors import BrokenProviderError
from sdt_dask_core.hookspecs import API, hookimpl
from sdt_dask_core.plug import Client, Plug


class GoodPlug(Plug):
    def get_data(self, key: Any) -> Any:
        return f"data of {key}"


class PlainPlug:
    def get_data(self, keys: Any) -> Any:
        return keys


def broken(kind: str, cls: Any) -> str:
    with pytest.raises(BrokenProviderError) as caught:
        validate_class(kind, cls, blame="plug 'x' of acme 1.0")
    return str(caught.value)


def test_hooks_are_those_of_the_contract() -> None:
    assert HOOKS == {
        "get_data": ("key",),
        "list_keys": (),
        "fingerprint": ("key",),
        "data_size": ("key",),
        "system_metadata": ("key",),
        "local_paths": (),
        "check_access": (),
        "close": (),
        "make_client": (),
        "estimate_cost": ("n_keys", "seconds_per_key"),
        "cost_so_far": (),
        "list_clusters": (),
        "remove_cluster": ("name",),
        "published_chunks": ("publication",),
        "publish_rows": ("publication", "chunk", "rows"),
        "publish_finished": ("publication", "chunks"),
        "admit_key": ("key",),
        "run_started": ("run",),
        "key_finished": ("run", "outcome"),
        "run_finished": ("run",),
    }


@pytest.mark.parametrize("cls", [GoodPlug, PlainPlug])
def test_a_class_that_keeps_the_contract_is_returned(cls: type) -> None:
    assert validate_class("plug", cls, blame="x") is cls


def test_a_decorated_method_of_no_hooks_name_is_named() -> None:
    class Misspelt(GoodPlug):
        @hookimpl
        def finger_print(self, key: Any) -> str:
            return ""

    assert broken("plug", Misspelt) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        "'finger_print' is decorated with hookimpl but no hook has that name; did you mean 'fingerprint'?"
    )


def test_an_argument_that_the_hook_does_not_pass_is_named() -> None:
    class Wrong(Plug):
        def get_data(self, keys: Any) -> Any: ...

    assert broken("plug", Wrong) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        "'get_data' takes an argument 'keys' that the hook does not pass; it passes: key"
    )


def test_an_argument_with_a_default_is_named() -> None:
    class Defaulted(Plug):
        def get_data(self, key: Any = None) -> Any: ...

    assert broken("plug", Defaulted) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        "'get_data' gives its argument 'key' a default, so pluggy would never pass it; drop it"
    )


def test_every_breach_is_named_at_once() -> None:
    class Twice(Plug):
        def get_data(self, keys: Any) -> Any: ...

        def fingerprint(self, key: Any = None) -> str: ...  # type: ignore[empty-body]

    text = broken("plug", Twice)
    assert "'get_data' takes an argument 'keys'" in text
    assert "'fingerprint' gives its argument 'key' a default" in text


@pytest.mark.parametrize(("kind", "method"), [("plug", "get_data"), ("client", "make_client"), ("analysis", "run")])
def test_a_missing_method_is_named(kind: str, method: str) -> None:
    class Nothing: ...

    assert broken(kind, Nothing) == (
        f"plug 'x' of acme 1.0 breaks the contract: it has no method {method!r}, which a {kind} needs"
    )


def test_an_abstract_method_left_is_named() -> None:
    class Unwritten(Plug): ...

    assert broken("plug", Unwritten) == (
        "plug 'x' of acme 1.0 breaks the contract: its abstract methods get_data are not written"
    )


def test_another_major_version_of_the_contract_is_refused() -> None:
    class Future(GoodPlug):
        api = (2, 0)

    assert broken("plug", Future) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        f"it was written for API 2, this core has API {API[0]}.{API[1]}; install a release made for it"
    )


@pytest.mark.parametrize("minor", [0, API[1], API[1] + 1])
def test_any_minor_version_of_the_contract_is_taken(minor: int) -> None:
    class Other(GoodPlug):
        api = (API[0], minor)

    assert validate_class("plug", Other, blame="x") is Other


@pytest.mark.parametrize("version", [2, "2.0", ()])
def test_an_api_that_is_no_version_is_named(version: Any) -> None:
    class Odd(GoodPlug):
        api = version

    assert broken("plug", Odd) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        f"its api is {version!r}; write a major and a minor version, such as {API}"
    )


def test_a_name_that_is_not_that_of_the_entry_point_is_named() -> None:
    class Named(GoodPlug):
        name = "csv"

    with pytest.raises(BrokenProviderError) as caught:
        validate_class("plug", Named, blame="plug 'x' of acme 1.0", entry_point="x")
    assert str(caught.value) == (
        "plug 'x' of acme 1.0 breaks the contract: it calls itself 'csv' but its entry point is 'x'; give both one name"
    )


def test_a_name_of_a_class_without_an_entry_point_is_its_own_affair() -> None:
    class Named(GoodPlug):
        name = "csv"

    assert validate_class("plug", Named, blame="x") is Named


def test_the_name_of_the_entry_point_is_taken() -> None:
    class Named(GoodPlug):
        name = "x"

    assert validate_class("plug", Named, blame="x", entry_point="x") is Named


def test_the_name_of_a_base_class_is_not_ones_own() -> None:
    class Base(GoodPlug):
        name = "csv"

    class Derived(Base): ...

    assert validate_class("plug", Derived, blame="x", entry_point="x") is Derived


def test_an_option_called_name_is_no_name_of_the_class() -> None:
    @dataclass
    class Table(GoodPlug):
        name: str = "measurements"

    assert validate_class("plug", Table, blame="x", entry_point="x") is Table


def test_a_method_nearly_named_like_a_hook_is_found() -> None:
    class Misspelt(GoodPlug):
        def listkeys(self) -> Any: ...
        def finger_print(self, key: Any) -> Any: ...

    assert near_hooks(Misspelt) == {"finger_print": "fingerprint", "listkeys": "list_keys"}


def test_a_method_beside_the_hook_that_it_resembles_is_no_misspelling() -> None:
    class Dated(GoodPlug):
        def get_date(self) -> Any: ...
        def read(self) -> Any: ...
        def _lst_keys(self) -> Any: ...

    assert near_hooks(Dated) == {}


def test_a_later_minor_version_of_the_contract_is_taken() -> None:
    class Later(GoodPlug):
        api = (1, 7)

    assert validate_class("plug", Later, blame="x") is Later


def test_the_api_of_a_plain_class_is_its_own_affair() -> None:
    class Weather(PlainPlug):
        api = "https://example.org/v2"

    assert validate_class("plug", Weather, blame="x") is Weather


def test_a_function_is_no_provider() -> None:
    def plug() -> None: ...

    assert broken("plug", plug) == "plug 'x' of acme 1.0 is a function, not a class; an entry point names a class"


def test_arguments_of_a_plain_plug_have_free_names() -> None:
    class Free(PlainPlug):
        def get_data(self, keys: Any, verbose: bool = False) -> Any: ...

    assert validate_class("plug", Free, blame="x") is Free


def test_arguments_of_a_plain_addon_are_those_of_the_hook() -> None:
    class Watcher:
        def key_finished(self, run: Any, result: Any) -> None: ...

    assert broken("addon", Watcher) == (
        "plug 'x' of acme 1.0 breaks the contract: "
        "'key_finished' takes an argument 'result' that the hook does not pass; it passes: run, outcome"
    )


def test_an_addon_may_take_fewer_arguments_than_the_hook_passes() -> None:
    class Watcher:
        def key_finished(self, outcome: Any) -> None: ...

    assert validate_class("addon", Watcher, blame="x") is Watcher


def test_init_client_makes_a_client() -> None:
    class Old:
        def init_client(self) -> Any: ...

    assert validate_class("client", Old, blame="x") is Old
    assert hooks_of(Old) == ["make_client"]


def test_hooks_of_a_plug_are_those_it_writes_itself() -> None:
    class Lister(GoodPlug):
        def list_keys(self) -> Iterable[Any]:
            return ()

    assert hooks_of(Lister) == ["get_data", "list_keys"]


def test_plain_is_what_knows_nothing_of_us() -> None:
    class Decorated:
        @hookimpl
        def get_data(self, key: Any) -> Any: ...

    assert [is_plain(cls) for cls in (PlainPlug, GoodPlug, Client, Decorated)] == [True, False, False, False]


def test_an_undecorated_method_implements_its_hook() -> None:
    manager = HookManager()
    manager.register(GoodPlug())
    assert manager.hook.get_data(key=("a",)) == "data of ('a',)"


def test_a_property_is_not_evaluated() -> None:
    class Eager(GoodPlug):
        @property
        def connection(self) -> Any:
            raise AssertionError("opened")

    manager = HookManager()
    manager.register(Eager())
    assert manager.hook.get_data(key=1) == "data of 1"


def test_a_property_of_a_hooks_name_is_not_evaluated() -> None:
    class Eager(GoodPlug):
        @property
        def run_started(self) -> Any:
            raise AssertionError("opened")

    manager = HookManager()
    manager.register(Eager())
    assert manager.hook.run_started.get_hookimpls() == []


def test_an_attribute_of_a_hooks_name_is_no_implementation() -> None:
    class Holder(GoodPlug):
        estimate_cost = None

    manager = HookManager()
    manager.register(Holder())
    assert manager.hook.estimate_cost.get_hookimpls() == []


def test_a_wrapper_of_an_addon_composes_around_get_data() -> None:
    class Louder:
        @hookimpl(wrapper=True)
        def get_data(self, key: Any) -> Generator[None, str, str]:
            return (yield).upper()

    manager = HookManager()
    manager.register(GoodPlug())
    manager.register(Louder())
    assert manager.hook.get_data(key="a") == "DATA OF A"


def test_a_wrapper_keeps_the_contract() -> None:
    class Cache:
        @hookimpl(wrapper=True)
        def get_data(self, key: Any) -> Generator[None, str, str]:
            return (yield)

    assert validate_class("addon", Cache, blame="x") is Cache


def test_an_addon_may_know_what_the_plug_does_not() -> None:
    class Register:
        def system_metadata(self, key: Any) -> Any:
            return {"latitude": 1.0}

    manager = HookManager()
    manager.register(GoodPlug())
    manager.register(Register())
    assert manager.hook.system_metadata(key="a") == {"latitude": 1.0}
