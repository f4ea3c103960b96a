"""The address client: join a scheduler that already runs."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sdt_dask_core.clients.starting import closed, joined
from sdt_dask_core.errors import ClientError, EnvironmentMismatchError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Client

if TYPE_CHECKING:
    import distributed

__all__ = ["AddressClient"]

logger = logging.getLogger(__name__)


def _and_certificates(address: str) -> str:
    return ", and the certificates (tls_ca, tls_cert, tls_key)" if address.startswith("tls://") else ""


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AddressClient(Client):
    """Join a Dask scheduler that already runs; it is left running.

    Its workers need the same distributions as this environment, and a plug that reads files needs to see them there.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as tcp://127.0.0.1:8786.
    timeout : float
        How long to wait for it [s].
    tls_ca : pathlib.Path, optional
        Certificate of the authority that signed those of the scheduler and the workers, for tls:// addresses.
    tls_cert : pathlib.Path, optional
        Certificate that this machine shows them.
    tls_key : pathlib.Path, optional
        Key of that certificate.
    """

    def __init__(
        self,
        address: str,
        timeout: float = 30.0,
        tls_ca: Path | None = None,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        self.address = address
        self.timeout = timeout
        self.tls_ca = tls_ca
        self.tls_cert = tls_cert
        self.tls_key = tls_key
        self._open: contextlib.ExitStack | None = None

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Join the scheduler.

        Raises
        ------
        ClientError
            Nothing answers there, or it has no worker.
        EnvironmentMismatchError
            Its release of Dask is another one than here, and they do not understand each other.
        """
        self._open = contextlib.ExitStack()
        try:
            client = joined(self._open, self.address, timeout=self.timeout, security=self._security())
        except (OSError, ValueError) as error:
            self.close()
            raise ClientError(
                f"no Dask scheduler answers at {self.address!r} within {self.timeout:g} s: {error}; "
                f"check the address and that it runs (dask scheduler){_and_certificates(self.address)}"
            ) from error
        except EnvironmentMismatchError:
            self.close()
            raise
        except Exception as error:  # whatever two releases of Dask raise that nothing is known of
            self.close()
            raise ClientError(
                f"the Dask scheduler at {self.address!r} cannot be joined: {type(error).__name__}: {error}; look "
                f"whether it has another release of Dask: sdt-dask doctor --address {self.address}"
            ) from error
        self._wait_for_a_worker(client)
        return client

    def _security(self) -> distributed.Security:
        """Return how we speak with the scheduler: as the options say and, where they say nothing, as Dask's own do."""
        import distributed

        if self.address.startswith("tcp://") and not _is_loopback(self.address):
            logger.warning(
                "%s is not encrypted, and whoever reaches that port can run code on the cluster: use tls:// beyond "
                "this machine and networks of your own",
                self.address,
            )
        given = {"tls_ca_file": self.tls_ca, "tls_client_cert": self.tls_cert, "tls_client_key": self.tls_key}
        files = {name: str(file) for name, file in given.items() if file is not None}
        return distributed.Security(**files, **({"require_encryption": True} if files else {}))

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
        if self._open is not None:
            opened, self._open = self._open, None
            closed(opened)
