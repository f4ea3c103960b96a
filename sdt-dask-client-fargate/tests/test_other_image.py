"""An image with another release of Dask than here is refused with the versions, not with what Dask makes of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdt_dask_core.errors import EnvironmentMismatchError

from .fake_aws import IMAGE, FakeAws

_OLD = ("dask==2024.5.2", "distributed==2024.5.2")


@pytest.fixture
def old_image(fake_aws: FakeAws, tmp_path: Path) -> Iterator[str]:
    """The name of an image whose Dask is two years older."""
    environment = tmp_path / "old"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(environment)], check=True)
    subprocess.run([*uv, "pip", "install", "--python", str(environment), *_OLD], check=True)
    fake_aws.ask("images", **{IMAGE: sys.prefix, "old": str(environment)})
    yield "old"
    fake_aws.ask("images", **{IMAGE: sys.prefix})


@pytest.mark.slow
def test_an_older_dask_is_refused_with_its_version_and_the_command(aws: FakeAws, old_image: str) -> None:
    with aws.client(image=old_image) as client, pytest.raises(EnvironmentMismatchError) as caught:
        client.make_client()
    assert [found for name, _, found in caught.value.found["scheduler"] if name == "distributed"] == ["2024.5.2"]
    assert "sdt-dask image" in caught.value.message
