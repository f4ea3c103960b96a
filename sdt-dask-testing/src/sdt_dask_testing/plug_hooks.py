"""The tests of the hooks that a plug may have besides `get_data`: each is skipped where the plug has no such hook."""

from __future__ import annotations

import difflib
import inspect
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from sdt_dask_core.contract import HOOKS, hooks_of
from sdt_dask_core.errors import InvalidKeyError
from sdt_dask_core.keys import Key, as_key, canonical_text
from sdt_dask_core.reference import Reference
from sdt_dask_testing.metadata import metadata_problems
from sdt_dask_testing.plug_given import PlugGiven, opened
from sdt_dask_testing.verdict import bullets, refuse, require

__all__ = ["PlugHooks"]

_READ_OF_LISTED = 3
_LISTED = 10_000
_NEAR = 0.8
_MADE_BEFOREHAND = {
    *("list", "tuple", "set", "frozenset", "dict", "str", "dict_keys", "dict_values", "dict_items"),
    *("list_iterator", "tuple_iterator", "set_iterator", "dict_keyiterator", "dict_valueiterator", "dict_itemiterator"),
}


class PlugHooks(PlugGiven):
    """What holds for the other hooks of every plug."""

    # --- fingerprint

    def test_fingerprint_is_the_same_while_the_source_is(
        self, contract_facts: dict[str, Any], contract_reference: Reference, contract_known_key: Key
    ) -> None:
        """Asked twice, of a new instance and of a fresh process."""
        self.claims("fingerprint")
        with opened(contract_reference) as hooks:
            texts = [hooks.fingerprint(key=contract_known_key) for _ in range(2)]
        with opened(contract_reference) as hooks:
            texts.append(hooks.fingerprint(key=contract_known_key))
        kinds = {type(text).__name__ for text in texts} - {"str", "NoneType"}
        require(not kinds, f"fingerprint({contract_known_key!r}) is a {', '.join(kinds)}; return a text, or None")
        failed = contract_facts["errors"].get("fingerprint")
        require(not failed, f"fingerprint({contract_known_key!r}) raised in a fresh process: {failed}")
        there = (contract_facts["here"]["fingerprint"], contract_facts["fingerprint"])
        require(
            len(set(texts)) == 1 and len(set(there)) == 1,
            f"fingerprint({contract_known_key!r}) differs though the source is the same: asked twice and of a new "
            f"instance it was {', '.join(map(repr, texts))}, and here and in a fresh process "
            f"{', '.join(map(repr, there))}; take only what the source says into it: no time, no id(), no hash()",
        )

    def test_fingerprint_is_cheaper_than_reading(self, contract_facts: dict[str, Any], contract_known_key: Key) -> None:
        """It is asked for every key of a fleet before anything runs, on the driver."""
        self.claims("fingerprint")
        reason = contract_facts.get("not_cheaper")
        require(
            not reason,
            f"fingerprint({contract_known_key!r}) is not cheaper than get_data: {reason}; use what the source keeps "
            "beside the data (time and size of a file, an ETag, a count and the last timestamp), or return None",
        )

    def test_fingerprint_of_a_missing_key_raises_nothing(self, contract_hooks: Any, contract_missing_key: Key) -> None:
        """Reading the key will tell what is wrong with it."""
        self.claims("fingerprint")
        try:
            text = contract_hooks.fingerprint(key=contract_missing_key)
        except Exception as error:  # noqa: BLE001 - whatever the author's method raises
            refuse(
                f"fingerprint({contract_missing_key!r}) of a key that is not there raised {type(error).__name__}: "
                f"{error}; return None"
            )
        require(
            text is None or isinstance(text, str),
            f"fingerprint({contract_missing_key!r}) of a key that is not there is a {type(text).__name__}; return None",
        )

    # --- data_size

    def test_data_size_is_a_number_or_none(
        self, contract_hooks: Any, contract_known_key: Key, contract_missing_key: Key
    ) -> None:
        """Also of a key that is not there; the plan orders keys by it, and asks for every one."""
        self.claims("data_size")
        for key in (contract_known_key, contract_missing_key):
            try:
                size = contract_hooks.data_size(key=key)
            except Exception as error:  # noqa: BLE001 - whatever the author's method raises
                refuse(f"data_size({key!r}) raised {type(error).__name__}: {error}; return None where it is unknown")
            is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
            require(
                size is None or is_size,
                f"data_size({key!r}) is {size!r}; return bytes as a whole number, 0 or more, or None",
            )

    def test_fingerprint_follows_the_source(
        self,
        request: pytest.FixtureRequest,
        contract_reference: Reference,
        contract_options: dict[str, Any],
        contract_known_key: Key,
    ) -> None:
        """It differs once `change_source`, which the author may write, changed the data of the known key."""
        self.claims("fingerprint")
        change = getattr(self, "change_source", None)
        if change is None:
            pytest.skip(f"{type(self).__name__} has no method change_source(self, options) that changes the data")
        with opened(contract_reference) as hooks:
            before = hooks.fingerprint(key=contract_known_key)
        (change if inspect.ismethod(change) else request.getfixturevalue("change_source"))(contract_options)
        with opened(contract_reference) as hooks:
            after = hooks.fingerprint(key=contract_known_key)
        require(
            before is None or before != after,
            f"fingerprint({contract_known_key!r}) is still {before!r} after change_source changed the data, so a run "
            "would skip the key; take more into it, or return None",
        )

    # --- list_keys

    def test_list_keys_is_lazy(self, contract_facts: dict[str, Any]) -> None:
        """A source may hold a hundred thousand keys, and a run of ten looks at ten."""
        self.claims("list_keys")
        failed = contract_facts["errors"].get("list_keys")
        require(not failed, f"list_keys() raised in a fresh process: {failed}")
        found = contract_facts["listing"]
        require(
            found["type"] not in _MADE_BEFOREHAND,
            f"list_keys() returned a {found['type']}, so all keys were made beforehand; yield one after the other",
        )
        require(
            not found["touched"],
            f"list_keys() touched the source before the first key was asked for:{bullets(found['touched'])}\n"
            "Write it with yield, so that nothing happens until then.",
        )

    def test_list_keys_gives_valid_keys(self, contract_hooks: Any) -> None:
        """Each is a key, and none comes twice."""
        self.claims("list_keys")
        texts = []
        for value in self.listed(contract_hooks):
            try:
                texts.append(canonical_text(as_key(value)))
            except InvalidKeyError as error:
                refuse(f"list_keys() yielded what is no key: {error}")
        twice = [text for text, count in Counter(texts).items() if count > 1]
        require(not twice, f"list_keys() yielded keys more than once: {', '.join(twice[:5])}; yield each once")
        require(texts, "list_keys() yielded nothing with these options; give the tests a source that holds keys")

    def test_list_keys_gives_the_same_keys_again(self, contract_reference: Reference) -> None:
        """In the same order, from a new instance."""
        self.claims("list_keys")
        found = []
        for _ in range(2):
            with opened(contract_reference) as hooks:
                found.append([canonical_text(key) for key in self.listed(hooks)])
        require(
            found[0] == found[1],
            f"list_keys() yielded other keys when it was asked again: {found[0][:5]} and {found[1][:5]}; sort them, so "
            "that their order is the same each time",
        )

    def test_listed_keys_can_be_read(self, contract_hooks: Any) -> None:
        """The first three."""
        self.claims("list_keys")
        for value in islice(self.listed(contract_hooks), _READ_OF_LISTED):
            try:
                contract_hooks.get_data(key=as_key(value))
            except Exception as error:  # noqa: BLE001 - whatever the author's method raises
                refuse(f"list_keys() yielded {value!r}, and get_data of it raised {type(error).__name__}: {error}")

    def listed(self, hooks: Any) -> Iterator[Any]:
        """Return the listed keys, the first ten thousand of them."""
        keys = hooks.list_keys()
        if keys is None:
            pytest.skip(f"{self.contract_name} lists no keys with these options")
        return islice(iter(keys), _LISTED)

    # --- the others

    def test_system_metadata_is_plausible(self, contract_hooks: Any, contract_known_key: Key) -> None:
        """Known names, and values that can be true."""
        self.claims("system_metadata")
        problems = list(metadata_problems(contract_hooks.system_metadata(key=contract_known_key)))
        require(not problems, f"system_metadata({contract_known_key!r}) is not what it must return:{bullets(problems)}")

    def test_check_access_is_content(self, contract_hooks: Any) -> None:
        """The options of the tests work, so there is nothing to say; what it says are sentences."""
        self.claims("check_access")
        found = [sentence for sentences in contract_hooks.check_access() for sentence in sentences or ()]
        kinds = {type(sentence).__name__ for sentence in found} - {"str"}
        require(not kinds, f"check_access() yields a {', '.join(kinds)}; yield sentences, of type str")
        require(not found, f"check_access() is not content with the options of {type(self).__name__}:{bullets(found)}")

    def test_no_method_is_nearly_a_hook(self, contract_class: type) -> None:
        """A misspelt hook is never called, and nobody says so."""
        hooks = hooks_of(contract_class)
        near = {name: nearest_hook(name) for name in public_methods(contract_class) if name not in HOOKS}
        lines = [f"{name!r}; did you mean {hook!r}?" for name, hook in near.items() if hook and hook not in hooks]
        require(
            not lines,
            f"{contract_class.__name__} has methods that are nearly hooks, which nothing calls:{bullets(lines)}\n"
            "Spell it as the hook, or begin its name with an underscore.",
        )


def public_methods(cls: type) -> list[str]:
    """Return the names of the methods that are the author's own."""
    bases = (base for base in cls.__mro__ if not base.__module__.startswith("sdt_dask_core") and base is not object)
    names = (name for base in bases for name, member in vars(base).items() if inspect.isfunction(member))
    return list(dict.fromkeys(name for name in names if not name.startswith("_")))


def nearest_hook(name: str) -> str:
    """Return the hook that a name is nearly, or nothing."""
    return next(iter(difflib.get_close_matches(name, HOOKS, n=1, cutoff=_NEAR)), "")
