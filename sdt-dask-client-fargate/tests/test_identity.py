"""Certificates of one cluster: strict enough for any Python, small enough for a task, and nobody else's."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest

from sdt_dask_client_fargate.environment import variables
from sdt_dask_client_fargate.identity import Identity


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity.make("sdt-dask-12345678")


def _context(identity: Identity, part: str, folder: Path, *, serves: bool) -> ssl.SSLContext:
    """Return a context as Python 3.13 makes it: with all checks that OpenSSL knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if serves else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=identity.authority)
    file = folder / f"{part}.pem"
    file.write_text("".join(identity.parts[part]), encoding="utf-8")
    context.load_cert_chain(file)
    return context


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [server.wrap_bio(up, down, server_side=True), client.wrap_bio(down, up)]
    for _ in range(5):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    for end in ends:
        end.do_handshake()  # raises where it did not come to its end


@pytest.mark.parametrize("part", ["worker", "client"])
def test_the_scheduler_knows_its_parts_under_strict_checks(identity: Identity, tmp_path: Path, part: str) -> None:
    server = _context(identity, "scheduler", tmp_path, serves=True)
    _shake_hands(server, _context(identity, part, tmp_path, serves=False))


def test_a_part_of_another_cluster_is_refused(identity: Identity, tmp_path: Path) -> None:
    server = _context(identity, "scheduler", tmp_path, serves=True)
    client = _context(Identity.make("sdt-dask-other"), "worker", tmp_path, serves=False)
    with pytest.raises(ssl.SSLError):
        _shake_hands(server, client)


def test_a_part_gets_its_own_key_alone(identity: Identity) -> None:
    text = str(identity.config("worker"))
    assert identity.parts["worker"][1].splitlines()[1] in text
    assert identity.parts["scheduler"][1].splitlines()[1] not in text
    assert identity.parts["client"][1].splitlines()[1] not in text


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_a_task_has_room_for_variables_of_the_users(identity: Identity, part: str) -> None:
    assert len(variables(part, identity, {})["DASK_INTERNAL_INHERIT_CONFIG"]) < 4096


def test_variables_beyond_what_aws_takes_are_refused(identity: Identity) -> None:
    from sdt_dask_client_fargate.environment import check_overrides
    from sdt_dask_core.errors import ClientError

    with pytest.raises(ClientError, match="8,192"):
        check_overrides({"environment": variables("worker", identity, {"LONG": "x" * 8192})})
