"""What a fresh process finds out about a plug."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from sdt_dask_core.keys import as_key
from sdt_dask_testing.costs import Meter, why_not_cheaper
from sdt_dask_testing.probe import Blueprint, Talk, build_facts, told_of_provider
from sdt_dask_testing.series import frame_digest

if TYPE_CHECKING:
    from types import CodeType

    from sdt_dask_testing.watching import Watch

__all__ = ["plug_facts", "told_of_plug"]

_LISTED = 1000


def plug_facts(text: str, packages: Sequence[str], key: Any) -> dict[str, Any]:
    """Build a plug, list, read a key, and close; see `build_facts`.

    Returns
    -------
    dict
        Besides what `build_facts` tells: ``listing`` (what `list_keys` returned and touched), ``fingerprint``,
        ``frame`` (a digest), ``not_cheaper`` (why the fingerprint is not), ``errors`` (by hook).
    """
    code = inspect.unwrap(Blueprint(text).cls.get_data).__code__  # type: ignore[attr-defined]

    def work(hooks: Any, warm: Any, watch: Watch) -> dict[str, Any]:
        return _Visit(hooks, warm, as_key(key)).facts(watch, code)

    return build_facts(text, packages, work)


class _Visit:
    """One plug that is asked, and another that has warmed up what is imported on first use."""

    def __init__(self, hooks: Any, warm: Any, key: Any) -> None:
        self.hooks = hooks
        self.warm = warm
        self.key = key
        self.errors: dict[str, str] = {}

    def facts(self, watch: Watch, code: CodeType) -> dict[str, Any]:
        listing = self._try("list_keys", lambda: self._listing(watch))
        self._try("fingerprint", lambda: self.warm.fingerprint(key=self.key))
        self._try("get_data", lambda: self.warm.get_data(key=self.key))
        counted = self._try("fingerprint", lambda: self._counted(code)) or {}
        for hooks in (self.hooks, self.warm):
            self._try("close", hooks.close)
        return {"listing": listing, **counted, "errors": self.errors}

    def _try(self, hook: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever a stranger's method raises
            self.errors.setdefault(hook, f"{type(error).__name__}: {error}")
            return None

    def _listing(self, watch: Watch) -> dict[str, Any]:
        with watch.on() as touched:
            keys = self.hooks.list_keys()
        return {"type": type(keys).__name__, "touched": touched}

    def _counted(self, code: CodeType) -> dict[str, Any]:
        meter = Meter()
        with meter.on(with_calls=True) as first:
            text = self.hooks.fingerprint(key=self.key)
        with meter.on() as second:
            self.hooks.fingerprint(key=self.key)
        with meter.on() as read:
            frame = self._try("get_data", lambda: self.hooks.get_data(key=self.key))
        found = {"fingerprint": text, "frame": frame_digest(frame)}
        if text is None or not hasattr(frame, "index"):
            return {**found, "not_cheaper": ""}
        return {**found, "not_cheaper": why_not_cheaper(first, second, read, code=code, rows=len(frame))}


def told_of_plug(text: str, known: Any, missing: Any) -> list[tuple[str, str]]:
    """Build a plug, let it work on a key that is there and one that is not, and return all that it said."""
    acts: dict[str, Callable[[Any], Any]] = {
        "list_keys": lambda hooks: list(islice(hooks.list_keys() or (), _LISTED)),
        "fingerprint": lambda hooks: hooks.fingerprint(key=as_key(known)),
        "system_metadata": lambda hooks: hooks.system_metadata(key=as_key(known)),
        "get_data(known_key)": lambda hooks: _shown(hooks.get_data(key=as_key(known))),
        "get_data(missing_key)": lambda hooks: _shown(hooks.get_data(key=as_key(missing))),
    }

    def work(hooks: Any, talk: Talk) -> None:
        for name, act in acts.items():
            with talk.during(name):
                talk.hear("answer", act(hooks))

    return told_of_provider(text, work)


def _shown(frame: Any) -> Any:
    """Return what a user sees of a frame: its head, its names and its attrs."""
    names = [getattr(frame, "attrs", {}), list(getattr(frame, "columns", ())), getattr(frame, "index", None)]
    return [frame, *names]
