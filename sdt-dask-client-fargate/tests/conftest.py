"""A fake AWS account whose tasks are processes here; after every test it holds nothing of ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .fake_aws import IMAGE, FakeAws


@pytest.fixture(scope="session")
def fake_aws() -> Iterator[FakeAws]:
    """The account, for the whole session."""
    fake = FakeAws()
    try:
        fake.ask("images", **{IMAGE: sys.prefix})
        yield fake
    finally:
        fake.close()


@pytest.fixture(autouse=True)
def aws(fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAws]:
    """The account, reached by environment variables; a leak fails the test."""
    fake_aws.set_environment(monkeypatch, tmp_path)
    fake_aws.ask("fault")
    fake_aws.ask("calls")
    yield fake_aws
    fake_aws.ask("fault")
    left = fake_aws.settled(fake_aws.held)
    assert not left, f"the account still holds: {left}"
