"""Who can reach a cluster: this machine only, or whoever shows a certificate."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme
from distributed import LocalCluster, Security

from sdt_dask_core.clients.address import AddressClient
from sdt_dask_core.errors import ClientError

TIMEOUT = 30.0


class Authority:
    """Signs certificates; keeps its own and one for whoever is told to use it, as files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1", "localhost")
        self.ca, self.cert, self.key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        issued.private_key_pem.write_to_path(str(self.key))
        for part in issued.cert_chain_pems:
            part.write_to_path(str(self.cert), append=True)

    @property
    def options(self) -> dict[str, Path]:
        return {"tls_ca": self.ca, "tls_cert": self.cert, "tls_key": self.key}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "another")


@pytest.fixture(scope="module")
def encrypted(authority: Authority) -> Iterator[LocalCluster]:
    roles = {f"tls_{role}_{what}": str(getattr(authority, what))
             for role in ("scheduler", "worker", "client") for what in ("cert", "key")}  # fmt: skip
    security = Security(tls_ca_file=str(authority.ca), require_encryption=True, **roles)
    with LocalCluster(
        n_workers=1, processes=False, protocol="tls://", host="127.0.0.1", security=security,
        dashboard_address="127.0.0.1:0", silence_logs=50,
    ) as cluster:  # fmt: skip
        yield cluster


def join(address: str, **options: Any) -> int:
    """Join a cluster; return how many threads it has."""
    client = AddressClient(address, timeout=TIMEOUT, **options)
    try:
        return sum(client.make_client().nthreads().values())
    finally:
        client.close()


def test_who_shows_a_certificate_of_the_right_authority_is_let_in(
    encrypted: LocalCluster, authority: Authority
) -> None:
    assert join(encrypted.scheduler_address, **authority.options) > 0


def test_who_shows_one_of_another_authority_is_not(encrypted: LocalCluster, stranger: Authority) -> None:
    with pytest.raises(
        ClientError, match=r"tls://127\.0\.0\.1:\d+.* and the certificates \(tls_ca, tls_cert, tls_key\)"
    ):
        join(encrypted.scheduler_address, **stranger.options)


def test_a_scheduler_of_another_authority_is_not_trusted(
    encrypted: LocalCluster, authority: Authority, stranger: Authority
) -> None:
    with pytest.raises(ClientError, match=r"tls://127\.0\.0\.1:\d+"):
        join(encrypted.scheduler_address, **{**authority.options, "tls_ca": stranger.ca})


def test_who_shows_none_is_not_let_in(encrypted: LocalCluster, authority: Authority) -> None:
    with pytest.raises(ClientError, match=r"tls://127\.0\.0\.1:\d+"):
        join(encrypted.scheduler_address, tls_ca=authority.ca)


def test_who_speaks_without_encryption_is_not_let_in(encrypted: LocalCluster) -> None:
    with pytest.raises(ClientError, match=r"tcp://127\.0\.0\.1:\d+"):
        join(
            encrypted.scheduler_address.replace("tls://", "tcp://"),
        )


def test_certificates_are_never_sent_in_the_clear(encrypted: LocalCluster, authority: Authority) -> None:
    with pytest.raises(ClientError):
        join(encrypted.scheduler_address.replace("tls://", "tcp://"), **authority.options)


@pytest.mark.parametrize(
    ("address", "is_warned"),
    [
        ("tcp://10.1.2.3:8786", True),
        ("tcp://scheduler.example.org:8786", True),
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://localhost:8786", False),
        ("tls://10.1.2.3:8786", False),
    ],
)
def test_an_address_beyond_this_machine_without_encryption_is_a_warning(
    address: str, is_warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "sdt_dask_core"):
        AddressClient(address)._security()  # noqa: SLF001 - nothing is connected to
    assert ("is not encrypted, and whoever reaches that port can run code" in caplog.text) is is_warned


def test_an_encrypted_cluster_listens_on_loopback_only(encrypted: LocalCluster) -> None:
    listening = {c.laddr.ip for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::1"}
    assert listening
