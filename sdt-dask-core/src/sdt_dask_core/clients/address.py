"""The address client: join a scheduler that already runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdt_dask_core.errors import ClientError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Client

if TYPE_CHECKING:
    import distributed

__all__ = ["AddressClient"]


class AddressClient(Client):
    """Join a Dask scheduler that already runs; it is left running.

    Its workers need the same distributions as this environment, and a plug that reads files needs to see them there.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as tcp://127.0.0.1:8786.
    timeout : float
        How long to wait for it [s].
    """

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        self.address = address
        self.timeout = timeout
        self._client: distributed.Client | None = None

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Join the scheduler.

        Raises
        ------
        ClientError
            Nothing answers there, or it has no worker.
        """
        import distributed

        try:
            self._client = distributed.Client(self.address, timeout=self.timeout)
        except (OSError, ValueError) as error:
            raise ClientError(
                f"no Dask scheduler answers at {self.address!r} within {self.timeout:g} s: {error}; "
                "check the address and that it runs (dask scheduler)"
            ) from error
        self._wait_for_a_worker(self._client)
        return self._client

    def _wait_for_a_worker(self, client: distributed.Client) -> None:
        import distributed

        try:
            client.wait_for_workers(1, timeout=self.timeout)
        except distributed.TimeoutError as error:  # not Python's own before 3.11
            self.close()
            raise ClientError(
                f"the Dask scheduler at {self.address!r} has no worker and got none within {self.timeout:g} s; "
                f"start one (dask worker {self.address})"
            ) from error

    @hookimpl
    def close(self) -> None:
        """Leave the cluster; its scheduler and workers go on."""
        if self._client is not None:
            self._client.close()
            self._client = None
