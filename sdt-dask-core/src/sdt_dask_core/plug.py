"""Base classes of plugs, clients and publishers.

A provider's ``__init__`` parameters, typed, are its options: it keeps them and opens nothing. What it opens it opens on
first use, in the process that uses it, and gives back in ``close``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sdt_dask_core.errors import ClientError
from sdt_dask_core.hookspecs import API

if TYPE_CHECKING:
    import distributed
    import pandas as pd
    from typing_extensions import Self

    from sdt_dask_core.clusters import ClusterRecord
    from sdt_dask_core.keys import Key
    from sdt_dask_core.publishing import Chunk, Publication

__all__ = ["GIVEN", "Client", "Plug", "Publisher"]


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
    name : str, optional
        A class may say its name (``name: ClassVar[str] = "csv"``); an entry point that offers it must have the same.
    key_shape : str
        What a key looks like, for people: ``("name",)`` or ``(system_id, year)``.
    units : str
        Unit of the power it returns, "W", "kW" or "MW". Usually an option kept under this name. A plug that says
        nothing here nor in ``frame.attrs["units"]`` is taken to mean kW, and its systems are graded no better than
        *caution*.
    max_concurrent_reads : int or None
        Most `get_data` calls that may go on at once over the whole cluster, for a source that bears no more, such as a
        database; None for any number. Usually an attribute made from an option. Only the reads wait for each other, not
        the analyses; a plug that holds a connection for the read gives it back before `get_data` returns.
    worker_requires : sequence of str
        Requirements that the workers need beyond those of the plug's own distribution: ``("fastparquet>=2024",)``.
    """

    # `name` is not declared: an option may have that name, and is then set on the instance.
    api: ClassVar[tuple[int, int]] = API
    key_shape: ClassVar[str] = '("name",)'
    max_concurrent_reads: int | None = None
    worker_requires: Sequence[str] = ()

    @abstractmethod
    def get_data(self, key: Key) -> pd.DataFrame:
        """Read the power series of one key; see the hook of the same name."""

    def list_keys(self) -> Iterable[Any] | None:
        """Yield every key, lazily; None where the source cannot list."""
        return None

    def fingerprint(self, key: Key) -> str | None:
        """Return what changes with the data of the key; None where unknown."""
        return None

    def data_size(self, key: Key) -> int | None:
        """Return how large the data of the key are [bytes]; None where unknown."""
        return None

    def system_metadata(self, key: Key) -> Mapping[str, Any] | None:
        """Return what is known of the system behind the key."""
        return None

    def local_paths(self) -> Iterable[str]:
        """Yield the files and folders of this machine that `get_data` reads."""
        return ()

    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        return ()

    def close(self) -> None:
        """Give back what was opened; idempotent."""


class Client(_Provider, ABC):
    """Starts or joins a Dask cluster. Subclass it and write `make_client`.

    Attributes
    ----------
    api : tuple of int
        Version of the contract it was written for; another major version is refused.
    name : str, optional
        A class may say its name (``name: ClassVar[str] = "fargate"``); an entry point that offers it must have the
        same.
    shares_files : bool or None
        Whether the workers see the files of this machine under the same paths; None where only the live cluster tells.
    """

    # `name` is not declared: an option may have that name, and is then set on the instance.
    api: ClassVar[tuple[int, int]] = API
    shares_files: bool | None = None

    @abstractmethod
    def make_client(self) -> distributed.Client:
        """Return a ``distributed.Client`` of a live cluster; see the hook of the same name."""

    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a run from here."""
        return ()

    def estimate_cost(self, n_keys: int, seconds_per_key: float) -> float | None:
        """Return the cost of a run [US dollars]; None where unknown."""
        return None

    def cost_so_far(self) -> float | None:
        """Return what the cluster has cost up to now [US dollars], 0 before there is one; None where unknown."""
        return None

    def list_clusters(self) -> Iterable[ClusterRecord]:
        """Yield the clusters that this client made and that still hold something."""
        return ()

    def remove_cluster(self, name: str) -> Iterable[str]:
        """Remove everything that a cluster holds; yield what was removed; see the hook of the same name."""
        raise ClientError(f"there is no cluster {name!r}: this client makes nothing that could be left over")

    def close(self) -> None:
        """Give back what was opened; idempotent."""


class Publisher(_Provider, ABC):
    """Brings the results of a run to where others read them. Subclass it and write `publish_rows`.

    Attributes
    ----------
    api : tuple of int
        Version of the contract it was written for; another major version is refused.
    name : str, optional
        A class may say its name (``name: ClassVar[str] = "sql"``); an entry point that offers it must have the same.
    """

    # `name` is not declared: an option may have that name, and is then set on the instance.
    api: ClassVar[tuple[int, int]] = API

    @abstractmethod
    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Bring one chunk to the target, whole or not at all; see the hook of the same name."""

    def published_chunks(self, publication: Publication) -> Mapping[int, str] | None:
        """Return the digests of the chunks that the target holds whole, by their numbers."""
        return None

    def publish_finished(self, publication: Publication, chunks: Sequence[Chunk]) -> None:
        """Hear that every chunk is there."""

    def check_access(self) -> Iterable[str]:
        """Yield one sentence per problem that would stop a publication from here."""
        return ()

    def close(self) -> None:
        """Give back what was opened; idempotent."""
