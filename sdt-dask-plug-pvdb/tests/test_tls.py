"""TLS: the server must prove who it is, unless it is on loopback or the user says otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pvdb_proxy import Proxy
from pvdb_server import Server
from pvdb_source import Source, a_day

from sdt_dask_core.errors import AccessDeniedError


@pytest.fixture(params=["the server's own", "a proxy in front of it"])
def tls_port(request: pytest.FixtureRequest, server: Server) -> Iterator[int]:
    """A port that speaks TLS, with a certificate of the server's authority for 127.0.0.1 and localhost."""
    if request.param == "the server's own":
        if not server.has_tls:
            pytest.skip("this PostgreSQL was built without TLS; the proxy speaks it in its place")
        yield server.port
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    proxy = Proxy(server.port, tls=context)
    yield proxy.port
    proxy.close()


@pytest.fixture
def authority(server: Server, tmp_path: Path) -> str:
    """The file of the authority's certificate."""
    path = tmp_path / "ca.crt"
    server.authority.cert_pem.write_to_path(path)
    return str(path)


def verified(source: Source, port: int, **options: Any) -> Any:
    return source.plug(port=port, sslmode="verify-full", **options)


def test_a_server_that_proves_who_it_is_is_read(source: Source, tls_port: int, authority: str):
    source.add(a_day([1.0, 2.0]))
    for host in ("127.0.0.1", "localhost"):
        assert len(verified(source, tls_port, host=host, sslrootcert=authority).get_data(("a", "s"))) == 2


def test_the_connection_is_encrypted(source: Source, tls_port: int, authority: str):
    plug = verified(source, tls_port, sslrootcert=authority)
    list(plug.list_keys())
    assert plug.source._connection.info.ssl_in_use  # noqa: SLF001
    assert plug.source._connection.info.ssl_attribute("protocol") == "TLSv1.3"  # noqa: SLF001
    plug.close()


def test_a_certificate_of_another_authority_is_refused(source: Source, tls_port: int, tmp_path: Path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.crt")
    with pytest.raises(
        AccessDeniedError, match="certificate verify failed; its certificate is of no CA that is trusted"
    ):
        verified(source, tls_port, sslrootcert=str(tmp_path / "other.crt")).get_data(("a", "s"))


def test_the_authorities_of_the_system_do_not_vouch_for_a_private_one(
    source: Source, tls_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(AccessDeniedError, match="certificate verify failed"):
        verified(source, tls_port).get_data(("a", "s"))


def test_the_authorities_of_the_system_vouch_for_those_they_hold(
    source: Source, tls_port: int, authority: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    source.add(a_day([1.0]))
    assert len(verified(source, tls_port).get_data(("a", "s"))) == 1


def test_a_certificate_for_another_name_is_refused(source: Source, server: Server, authority: str):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.authority.issue_cert("db.example.org").configure_cert(context)
    proxy = Proxy(server.port, tls=context)
    try:
        with pytest.raises(
            AccessDeniedError, match=r'"db.example.org".* does not match host name .* set host to the name'
        ):
            verified(source, proxy.port, host="localhost", sslrootcert=authority).get_data(("a", "s"))
    finally:
        proxy.close()


def test_a_file_of_certificates_that_is_not_there(source: Source, tls_port: int):
    with pytest.raises(
        AccessDeniedError, match=r'root certificate file "/nowhere.crt" does not exist.* give sslrootcert'
    ):
        verified(source, tls_port, sslrootcert="/nowhere.crt").get_data(("a", "s"))


def test_a_server_without_tls_is_refused(source: Source, server: Server, authority: str):
    plain = Proxy(server.port, refuses_tls=True)
    try:
        with pytest.raises(
            AccessDeniedError, match="server does not support SSL, but SSL was required; the server off"
        ):
            verified(source, plain.port, sslrootcert=authority).get_data(("a", "s"))
    finally:
        plain.close()


def test_no_password_goes_to_a_server_that_does_not_prove_who_it_is(source: Source, tls_port: int, tmp_path: Path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.crt")
    since = len(source.server.log)
    with pytest.raises(AccessDeniedError):
        verified(source, tls_port, sslrootcert=str(tmp_path / "other.crt")).get_data(("a", "s"))
    assert "password" not in source.server.log[since:]
    assert source.user not in source.server.log[since:]
