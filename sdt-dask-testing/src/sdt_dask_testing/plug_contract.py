"""`PlugContract`: what every plug must keep, as tests that its author's class inherits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdt_dask_core.errors import KeyNotFoundError
from sdt_dask_core.keys import Key
from sdt_dask_testing.plug_hooks import PlugHooks
from sdt_dask_testing.plug_reading import PlugReading
from sdt_dask_testing.provider_contract import ProviderContract
from sdt_dask_testing.series import documented_problems

__all__ = ["PlainPlugContract", "PlugContract"]


class PlainPlugContract(PlugReading, PlugHooks):
    """What a plain plug must keep: a class with ``get_data(self, keys)`` that knows nothing of SDT Dask.

    It may come from no distribution, be undocumented and raise errors of its own, as long as they pickle. A plain class
    in a user's folder: ``plug = read_user_folder("my_folder").plug`` (from `sdt_dask_core.folder`).

    Attributes
    ----------
    plug : type
        The author's class.
    options : dict
        What it is built with, secrets as references; or a fixture of that name.
    known_key, missing_key : tuple
        A key that the source has, and one that it has not; or fixtures of these names.
    change_source : method, optional
        ``change_source(self, options)`` changes the data of the known key; or a fixture that gives such a function.
    """


class PlugContract(ProviderContract, PlainPlugContract):
    """What a plug that a distribution offers must keep; see `PlainPlugContract` for what an author gives.

    Examples
    --------
    >>> class TestAcmePlug(PlugContract):  # doctest: +SKIP
    ...     plug = AcmePlug
    ...     options = {"path": "tests/data"}
    ...     known_key = ("a",)
    ...     missing_key = ("no such",)
    """

    def frame_problems(self, frame: Any) -> list[str]:
        """Return what is not as the hook documents it."""
        return list(documented_problems(frame))

    def missing_key_problems(self, error: Exception, key: Key) -> list[str]:
        """Return what is wrong with the error that a missing key raised."""
        return list(_not_as_documented(error, key))


def _not_as_documented(error: Exception, key: Key) -> Iterator[str]:
    if not isinstance(error, KeyNotFoundError):
        yield "it is no KeyNotFoundError; raise KeyNotFoundError(message, key=key) from error"
    parts = [item for part in key for item in (part if isinstance(part, list) else [part])]
    if not any(str(part) in str(error) for part in parts):
        yield "its message names no part of the key; say which key was looked for"
