"""Real S3 servers on loopback: rclone serves a folder, moto knows permissions, a proxy before them makes faults."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_plug_s3 import S3Plug, clients
from sdt_dask_testing.http_server import Proxy, serve_proxy
from sdt_dask_testing.s3_server import serve_folder, serve_moto

KEY_ID, SECRET = "AKIATESTSDTDASK00001", "the-secret-of-the-test-store"
TABLE = "timestamp,power\n2020-01-01 11:00,1.5\n2020-01-01 12:00,2.5\n"
_PATIENCE = 60.0  # s


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let botocore's older releases use ``utcnow``, of which Python 3.12 and later warn."""
    utcnow = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow:DeprecationWarning:botocore")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(utcnow)


@dataclass
class Store:
    """A server, and the folder that it serves: each folder in it is a bucket."""

    url: str
    root: Path
    signed: bool = True
    table: str = TABLE

    def options(self, bucket: str, **more: Any) -> dict[str, Any]:
        """Options of a plug for a bucket here; retries are few, so that what fails fails soon."""
        keys = {"access_key_id": KEY_ID, "secret_access_key": "env:S3_TEST_SECRET"} if self.signed else {}
        return {"bucket": bucket, "endpoint_url": self.url, **keys, "max_attempts": 2, **more}

    def plug(self, bucket: str, **more: Any) -> S3Plug:
        """Return a plug for a bucket here."""
        return made(self.options(bucket, **more))

    def put(self, bucket: str, **files: str | bytes) -> Path:
        """Write objects into a bucket, made if it is not there; a double underscore is a slash, a single one a dot."""
        for name, content in files.items():
            self.put_as(bucket, name.replace("__", "/").replace("_", "."), content)
        return self.root / bucket

    def put_as(self, bucket: str, key: str, content: str | bytes) -> Path:
        """Write one object."""
        path = self.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def made(options: dict[str, Any]) -> S3Plug:
    """Build a plug as a run does it, from options with references to secrets."""
    from sdt_dask_core.options import options_of

    option_set = options_of(S3Plug, kind="plug", name="s3")
    return S3Plug(**option_set.build_arguments(option_set.resolve(options, environment={})))


@pytest.fixture(scope="module", autouse=True)
def _no_account_of_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave out whatever AWS configuration the machine has."""
    nowhere = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("S3_TEST_SECRET", SECRET)
        yield


@pytest.fixture(autouse=True)
def _no_client_left() -> Iterator[None]:
    """Close the clients that a test left open."""
    yield
    for shared in list(clients._open.values()):  # noqa: SLF001 - the plugs that opened them are gone
        shared.client.close()
    clients._open.clear()  # noqa: SLF001


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that both rclone servers serve."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def store(root: Path) -> Iterator[Store]:
    """A store that takes signed requests only."""
    with serve_folder(root, access_key=(KEY_ID, SECRET)) as url:
        yield Store(url, root)


@pytest.fixture(scope="session")
def open_store(root: Path) -> Iterator[Store]:
    """The same folder, open to everybody."""
    with serve_folder(root) as url:
        yield Store(url, root, signed=False)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a moto server."""
    with serve_moto() as url:
        yield url


@pytest.fixture
def proxy_to() -> Iterator[Callable[[str], Proxy]]:
    """Start proxies before servers."""
    with ExitStack() as running:
        yield lambda target: running.enter_context(serve_proxy(target))


@pytest.fixture
def proxy(store: Store, proxy_to: Callable[[str], Proxy]) -> Proxy:
    """A proxy before the signed store."""
    return proxy_to(store.url)


@pytest.fixture
def behind_proxy(store: Store, proxy: Proxy) -> Store:
    """The signed store, seen through the proxy."""
    return replace(store, url=proxy.url)


@pytest.fixture
def moto_bucket(moto_url: str) -> Callable[..., None]:
    """Fill the public bucket ``marks`` of a fresh moto: names that no folder can have, and headers."""

    def fill(**objects: Any) -> None:
        ask(f"{moto_url}/moto-api/reset", "POST")
        ask(f"{moto_url}/marks", "PUT", headers={"x-amz-acl": "public-read"})
        for key, content in objects.items():
            body, headers = content if isinstance(content, tuple) else (content, {})
            ask(f"{moto_url}/marks/{key}", "PUT", body, {**headers, "x-amz-acl": "public-read"})

    return fill


def ask(url: str, method: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """Make a request, refuse an error, and return the answer."""
    # Without a type it would be taken for a form.
    typed = {"Content-Type": "application/octet-stream", **(headers or {})}
    request = urllib.request.Request(url, data=body, method=method, headers=typed)
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        content: bytes = answer.read()
    return content
