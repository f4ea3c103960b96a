"""The servers for tests: real ones, which are there as long as they are needed, and a proxy that spoils answers."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sdt_dask_testing.http_server import Answer, Proxy, Request, cut_after, serve_http, serve_proxy, unchanged
from sdt_dask_testing.s3_server import refusing, s3_error, serve_folder, serve_moto

CONTENT = b"timestamp,power\n2020-01-01 12:00,1.5\n"


def get(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def is_served(url: str) -> bool:
    place = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(place.hostname), int(place.port or 0))) == 0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    (root / "fleet" / "north").mkdir(parents=True)
    (root / "fleet" / "north" / "a.csv").write_bytes(CONTENT)
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with serve_folder(root) as url:
        yield url


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with serve_proxy(url) as proxy:
        yield proxy


def test_each_folder_is_a_bucket_and_each_file_an_object(url: str):
    assert get(f"{url}/fleet/north/a.csv") == (200, CONTENT)
    assert b"<Key>north/a.csv</Key>" in get(f"{url}/fleet?list-type=2")[1]
    assert get(f"{url}/fleet/north/b.csv")[0] == 404


def test_what_is_written_later_is_served_at_once(url: str, root: Path):
    (root / "fleet" / "later.csv").write_bytes(b"1")
    assert get(f"{url}/fleet/later.csv")[1] == b"1"
    (root / "fleet" / "later.csv").write_bytes(b"22")
    assert get(f"{url}/fleet/later.csv")[1] == b"22"


def test_with_an_access_key_unsigned_requests_are_refused(root: Path):
    with serve_folder(root, access_key=("AKIATEST", "secret")) as url:
        assert get(f"{url}/fleet/north/a.csv")[0] >= 400


def test_a_server_ends_with_its_block(root: Path):
    with serve_folder(root) as url:
        assert is_served(url)
    assert not is_served(url)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'no luck today'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(RuntimeError, match=r"did not start: no luck today"), serve_moto():
        pass


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(RuntimeError, match=r"no such' is no folder"), serve_folder(tmp_path / "no such"):
        pass


def test_moto_is_an_account_of_aws():
    with serve_moto() as url:
        assert get(f"{url}/fleet", "PUT", **{"x-amz-acl": "public-read-write"})[0] == 200
        assert get(f"{url}/fleet/a.csv", "PUT", CONTENT, **{"Content-Type": "text/csv"})[0] == 200
        assert b"<Key>a.csv</Key>" in get(f"{url}/fleet?list-type=2")[1]
        scope = (
            "AWS4-HMAC-SHA256 Credential=AKIATEST/20200101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
        )
        assert b"<Arn>" in get(url, "POST", b"Action=GetCallerIdentity&Version=2011-06-15", Authorization=scope)[1]


def test_a_proxy_passes_on_what_it_is_asked(proxy: Proxy):
    assert get(f"{proxy.url}/fleet/north/a.csv", Range="bytes=0-8")[1] == CONTENT[:9]
    (asked,) = proxy.asked
    assert (asked.method, asked.path, asked.headers["range"]) == ("GET", "/fleet/north/a.csv", "bytes=0-8")


def test_faults_come_in_their_order_and_then_always(proxy: Proxy):
    proxy.faults = [refusing(503, "SlowDown"), unchanged]
    proxy.always = refusing(403, "AccessDenied")
    assert [get(f"{proxy.url}/fleet/north/a.csv")[0] for _ in range(4)] == [503, 200, 403, 403]


def test_a_body_breaks_off_where_it_is_told_to(proxy: Proxy):
    proxy.faults = [cut_after(10)]
    with pytest.raises(IncompleteRead) as caught:
        get(f"{proxy.url}/fleet/north/a.csv")
    assert caught.value.partial == CONTENT[:10]


def test_many_requests_at_once_take_one_fault_each(proxy: Proxy):
    proxy.faults = [refusing(503, "SlowDown")] * 20
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: get(f"{proxy.url}/fleet/north/a.csv")[0], range(40)))
    assert sorted(found) == [200] * 20 + [503] * 20


def test_an_error_of_s3_is_one_that_a_client_can_read():
    answer = s3_error(400, "Odd", "a < b", **{"x-amz-bucket-region": "eu-west-3"})
    assert answer.body == b"<?xml version='1.0'?><Error><Code>Odd</Code><Message>a &lt; b</Message></Error>"
    assert (answer.status, answer.headers["x-amz-bucket-region"]) == (400, "eu-west-3")


def test_a_function_answers(tmp_path: Path):
    def handle(request: Request) -> Answer:
        return Answer(201, {"X-Method": request.method}, request.body[::-1])

    with serve_http(handle) as server:
        assert get(server.url, "POST", b"abc") == (201, b"cba")
        assert get(server.url, "HEAD") == (201, b"")
        assert server.methods == ["POST", "HEAD"]
