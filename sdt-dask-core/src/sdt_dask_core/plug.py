"""Base classes of plugs and clients.

A provider's ``__init__`` parameters, typed, are its options: it keeps them and opens nothing. What it opens it opens on
first use, in the process that uses it, and gives back in ``close``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sdt_dask_core.hookspecs import API

if TYPE_CHECKING:
    import distributed
    import pandas as pd
    from typing_extensions import Self

    from sdt_dask_core.keys import Key

__all__ = ["GIVEN", "Client", "Plug"]


#: Attribute under which an instance keeps the arguments that it was built with.
GIVEN = "_sdt_dask_given"


class _Provider:
    """Remembers what it was built with, so that an instance can be told as class and options."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        instance = super().__new__(cls)
        setattr(instance, GIVEN, (args, kwargs))
        return instance


class Plug(_Provider, ABC):
    """Reads one kind of source. Subclass it and write `get_data`; the other hooks are optional.

    Attributes
    ----------
    api : tuple of int
        Version of the contract it was written for; another major version is refused.
    key_shape : str
        What a key looks like, for people: ``("name",)`` or ``(system_id, year)``.
    units : str
        Unit of the power it returns, "W", "kW" or "MW". Usually an option kept under this name. A plug that says
        nothing here nor in ``frame.attrs["units"]`` is taken to mean kW, and its systems are graded no better than
        *caution*.
    """

    api: ClassVar[tuple[int, int]] = API
    key_shape: ClassVar[str] = '("name",)'

    @abstractmethod
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key; see the hook of the same name."""

    def list_keys(self) -> Iterable[Any] | None:
        """Yield every key, lazily; None where the source cannot list."""
        return None

    def fingerprint(self, key: Key) -> str | None:
        """Return what changes with the data of the key; None where unknown."""
        return None

    def system_metadata(self, key: Key) -> Mapping[str, Any] | None:
        """Return what is known of the system behind the key."""
        return None

    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        return ()

    def close(self) -> None:
        """Give back what was opened; idempotent."""


class Client(_Provider, ABC):
    """Starts or joins a Dask cluster. Subclass it and write `make_client`."""

    api: ClassVar[tuple[int, int]] = API

    @abstractmethod
    def make_client(self) -> distributed.Client:
        """Return a ``distributed.Client`` of a live cluster; see the hook of the same name."""

    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        return ()

    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float | None:
        """Return the cost of a run [US dollars]; None where unknown."""
        return None

    def close(self) -> None:
        """Give back what was opened; idempotent."""
