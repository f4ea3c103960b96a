"""What the author of a plug gives to its tests, and what all of these start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest

from sdt_dask_core.contract import hooks_of
from sdt_dask_core.keys import Key, as_key
from sdt_dask_core.reference import Reference
from sdt_dask_testing.probe import hooks_relay
from sdt_dask_testing.provider_contract import PlainProviderContract
from sdt_dask_testing.series import frame_digest

__all__ = ["PlugGiven", "opened"]


@contextmanager
def opened(reference: Reference) -> Iterator[Any]:
    """Build a plug, give its hooks, and close it."""
    hooks = hooks_relay(reference.build())
    try:
        yield hooks
    finally:
        with suppress(Exception):  # whether it closes is the matter of one test
            hooks.close()


def attempted(hook: Any, key: Key) -> Any:
    """Return what a hook says of a key; an error is the matter of another test."""
    with suppress(Exception):
        return hook(key=key)
    return None


class PlugGiven(PlainProviderContract):
    """The author's plug, its options and two keys."""

    kind: ClassVar[str] = "plug"
    build_question: ClassVar[str] = "sdt_dask_testing.probe_plug:plug_facts"
    secret_question: ClassVar[str] = "sdt_dask_testing.probe_plug:told_of_plug"  # noqa: S105 - a question

    plug: Any = None
    known_key: Any = None
    missing_key: Any = None

    @pytest.fixture
    def contract_known_key(self, request: pytest.FixtureRequest) -> Key:
        """Return a key that can be read."""
        return as_key(self.given(request, "known_key"))

    @pytest.fixture
    def contract_missing_key(self, request: pytest.FixtureRequest) -> Key:
        """Return a key that the source has not."""
        return as_key(self.given(request, "missing_key"))

    @pytest.fixture
    def contract_hooks(self, contract_reference: Reference) -> Iterator[Any]:
        """Give the hooks of a new instance, and close it afterwards."""
        with opened(contract_reference) as hooks:
            yield hooks

    def here(self, reference: Reference, request: pytest.FixtureRequest) -> dict[str, Any]:
        """Return what this process says of the questions that a fresh one was asked."""
        key = as_key(self.given(request, "known_key"))
        with opened(reference) as hooks:
            told = {"frame": frame_digest(hooks.get_data(key=key)), "fingerprint": attempted(hooks.fingerprint, key)}
        return {**super().here(reference, request), **told}

    def build_arguments(self, request: pytest.FixtureRequest) -> list[Any]:
        """Return the key that a fresh process reads."""
        return [as_key(self.given(request, "known_key"))]

    def secret_arguments(self, request: pytest.FixtureRequest) -> list[Any]:
        """Return the keys that a fresh process reads."""
        return [as_key(self.given(request, name)) for name in ("known_key", "missing_key")]

    def use(self, provider: Any, request: pytest.FixtureRequest) -> None:
        """Let the plug read the known key."""
        hooks_relay(provider).get_data(key=as_key(self.given(request, "known_key")))

    def claims(self, hook: str) -> None:
        """Skip the test where the plug does not implement a hook."""
        if hook not in hooks_of(self.plug):
            pytest.skip(f"{self.contract_name} has no {hook}()")
