"""A real S3 server on loopback, moto's, and a proxy before it that makes faults."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core.options import options_of
from sdt_dask_publisher_s3 import S3Publisher
from sdt_dask_testing.http_server import Proxy, serve_proxy
from sdt_dask_testing.s3_server import serve_moto

BUCKET = "published"
KEY_ID, SECRET = "AKIATESTSDTDASK00001", "the-secret-of-the-test-store"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let botocore's older releases use ``utcnow``, of which Python 3.12 and later warn."""
    utcnow = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow:DeprecationWarning:botocore")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(utcnow)


@dataclass
class Bucket:
    """A bucket on a server, and the prefix of a test in it."""

    url: str
    prefix: str

    def options(self, **more: Any) -> dict[str, Any]:
        """Options of a publisher to it; no retries, so that what fails fails at once."""
        keys = {"access_key_id": KEY_ID, "secret_access_key": "env:S3_TEST_SECRET", "region": "us-east-1"}
        place = {"bucket": BUCKET, "prefix": self.prefix, "endpoint_url": self.url}
        return {**place, **keys, "max_attempts": 1, **more}

    def publisher(self, **more: Any) -> S3Publisher:
        """Return a publisher, built as `sdt-dask publish` does it."""
        option_set = options_of(S3Publisher, kind="publisher", name="s3")
        return S3Publisher(**option_set.build_arguments(option_set.resolve(self.options(**more), environment={})))

    def objects(self) -> dict[str, bytes]:
        """Return every object below the prefix, by the rest of its name."""
        with closing(client(self.url)) as s3:
            found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.prefix}/").get("Contents", [])
            names = [entry["Key"] for entry in found]
            read = {name: s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}
        return {name.removeprefix(f"{self.prefix}/"): content for name, content in read.items()}

    def tables(self) -> dict[str, bytes]:
        """Return the Parquet objects."""
        return {name: content for name, content in self.objects().items() if name.endswith(".parquet")}

    def rows(self) -> list[dict[str, Any]]:
        """Return every row of every run."""
        tables = [pd.read_parquet(io.BytesIO(content)) for content in self.tables().values()]
        return pd.concat(tables).to_dict("records") if tables else []

    def manifests(self) -> list[bytes]:
        """Return the manifests of all runs."""
        return [content for name, content in self.objects().items() if name.endswith("/manifest.json")]


def client(url: str) -> Any:
    """Return a client of the tests' own."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )


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


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A store with the bucket."""
    with serve_moto() as url:
        with closing(client(url)) as s3:
            s3.create_bucket(Bucket=BUCKET)
        yield url


@pytest.fixture
def bucket(server: str, tmp_path: Path) -> Bucket:
    """The bucket, with a prefix of the test's own."""
    return Bucket(server, f"fleet/{tmp_path.name}")


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    """A proxy before the store."""
    with serve_proxy(server) as running:
        yield running
