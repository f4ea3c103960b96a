"""What a provider holds: told as text, frozen for a comparison, and looked through for what two instances share."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import inspect
import json
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from sdt_dask_core.adapt import AdaptedClient, AdaptedPlug
from sdt_dask_core.secret import Secret

__all__ = ["changes", "class_state", "digests", "packages_of", "shared", "state_of", "unwrapped"]

_DEPTH = 6
_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_BY_IDENTITY: Any = object.__hash__
_LISTS = (list, tuple, set, frozenset, deque)
_OURS = ("sdt_dask_core", "builtins", "abc", "typing")


def unwrapped(instance: Any) -> Any:
    """Return the object of the author's class: a plain one stands inside an adapter."""
    return instance.inner if isinstance(instance, (AdaptedPlug, AdaptedClient)) else instance


def state_of(instance: Any) -> dict[str, Any]:
    """Return the attributes of an instance by name, those in slots too."""
    slots = [name for base in type(instance).__mro__ for name in _slots(base) if hasattr(instance, name)]
    return {**{name: getattr(instance, name) for name in slots}, **getattr(instance, "__dict__", {})}


def _slots(cls: type) -> tuple[str, ...]:
    names = vars(cls).get("__slots__", ())
    return (names,) if isinstance(names, str) else tuple(names)


def digests(instance: Any) -> dict[str, str]:
    """Return a digest of each attribute of an instance, the same in every process; no value shows in it."""
    told = {name: json.dumps(_told(value, _DEPTH)) for name, value in state_of(unwrapped(instance)).items()}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in told.items()}


def _told(value: Any, depth: int) -> Any:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if depth == 0:
        return kind
    if isinstance(value, (*_SCALARS, PurePath, enum.Enum, Secret, re.Pattern)):
        return [kind, repr(value)]
    if isinstance(value, Mapping):
        return [kind, [[_told(k, depth - 1), _told(v, depth - 1)] for k, v in value.items()]]
    if isinstance(value, _LISTS):
        items = [_told(item, depth - 1) for item in value]
        return [kind, items if not isinstance(value, (set, frozenset)) else sorted(items, key=repr)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [kind, [_told(getattr(value, field.name), depth - 1) for field in dataclasses.fields(value)]]
    return kind  # of anything else no more can be told from outside


class _Same:
    """Equal to itself alone; keeps the object alive, so that no other takes its identity."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


def class_state(cls: type) -> dict[str, Any]:
    """Return what a class and its bases hold, but for those of the core, to be compared with what they hold later."""
    bases = [base for base in cls.__mro__ if base.__module__.partition(".")[0] not in _OURS]
    return {
        f"{base.__name__}.{name}": _frozen(value, _DEPTH)
        for base in bases
        for name, value in vars(base).items()
        if not name.startswith(("__", "_abc_"))
    }


def packages_of(cls: type) -> list[str]:
    """Return the top-level packages of a class and its bases, but for the core's."""
    tops = (base.__module__.partition(".")[0] for base in cls.__mro__)
    return [top for top in dict.fromkeys(tops) if top not in _OURS]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names under which two states differ."""
    missing = object()
    return [name for name in {**before, **after} if before.get(name, missing) != after.get(name, missing)]


def _frozen(value: Any, depth: int) -> Any:
    function = getattr(value, "__func__", value)  # of a classmethod or a staticmethod
    if callable(getattr(function, "cache_info", None)):
        return _Same(value), function.cache_info().currsize
    if isinstance(value, _SCALARS):
        return type(value), value
    if depth == 0 or isinstance(value, (type, logging.Logger)) or inspect.ismodule(value) or inspect.isroutine(value):
        return _Same(value)
    if isinstance(value, Mapping):
        return _Same(value), [(_frozen(k, depth - 1), _frozen(v, depth - 1)) for k, v in value.items()]
    if isinstance(value, _LISTS):
        return _Same(value), [_frozen(item, depth - 1) for item in value]
    return _Same(value), _frozen(getattr(value, "__dict__", None), depth - 1)


def shared(one: Any, other: Any) -> list[str]:
    """Return the attributes under which two instances hold one and the same mutable object."""
    theirs = {id(value) for _, value in _mutables(other)}
    return sorted({name for name, value in _mutables(one) if id(value) in theirs})


def _mutables(instance: Any) -> Iterator[tuple[str, Any]]:
    for name, value in state_of(unwrapped(instance)).items():
        yield from ((name, found) for found in _mutable_parts(value, _DEPTH))


def _mutable_parts(value: Any, depth: int) -> Iterator[Any]:
    if _is_mutable(value):
        yield value
    if depth == 0:
        return
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, _LISTS) else ()
    for part in parts:
        yield from _mutable_parts(part, depth - 1)


def _is_mutable(value: Any) -> bool:
    if isinstance(value, (type, logging.Logger, enum.Enum)) or inspect.ismodule(value) or inspect.isroutine(value):
        return False
    if getattr(type(value), "__hash__", None) is None:
        return True
    # What is equal to itself alone and holds something: a session, a connection.
    holds_something = bool(getattr(value, "__dict__", None)) or hasattr(value, "close")
    return getattr(type(value), "__hash__", None) is _BY_IDENTITY and holds_something
