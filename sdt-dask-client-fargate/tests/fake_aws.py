"""The fake AWS account as the tests see it; its server is fake/server.py, in a process of its own."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from sdt_dask_client_fargate import FargateClient

__all__ = ["IMAGE", "FakeAws"]

IMAGE = "sdt-worker"
_PATIENCE = 60.0  # s for what goes soon
_STEP = 0.05  # s


class FakeAws:
    """The fake account; its methods are those of `Fake` in fake/server.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "fake" / "server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @functools.cached_property
    def facts(self) -> dict[str, str]:
        """What was there at first."""
        found: dict[str, str] = self.ask("facts")
        return found

    def ask(self, name: str, **arguments: Any) -> Any:
        """Ask the server for something; return what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the fake account ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def held(self) -> list[str]:
        """Return what is left of ours."""
        found: list[str] = self.ask("held")
        return found

    def running(self, part: str) -> list[dict[str, Any]]:
        """Return the tasks of a part that run."""
        return [task for task in self.ask("running") if task["part"] == part]

    @staticmethod
    def settled(look: Callable[[], Any], patience: float = _PATIENCE) -> Any:
        """Look until nothing is found, or the patience is over."""
        end = time.monotonic() + patience
        while (found := look()) and time.monotonic() < end:
            time.sleep(_STEP)
        return found

    @staticmethod
    def until(look: Callable[[], Any], patience: float = 120.0) -> Any:
        """Look until something is found; return it."""
        end = time.monotonic() + patience
        while not (found := look()):
            assert time.monotonic() < end, "it did not come"
            time.sleep(_STEP)
        return found

    @staticmethod
    def options(**more: Any) -> dict[str, Any]:
        """Options of a client that works here."""
        here = {"image": IMAGE, "n_workers": 1, "client_cidr": "127.0.0.0/8", "timeout": 120.0}
        return {**here, **more}

    @contextlib.contextmanager
    def client(self, **more: Any) -> Iterator[FargateClient]:
        """A client that works here; closed at the end."""
        with contextlib.closing(FargateClient(**self.options(**more))) as client:
            yield client

    @contextlib.contextmanager
    def cluster(self, **more: Any) -> Iterator[distributed.Client]:
        """A cluster that works here."""
        with self.client(**more) as client, client.make_client() as dask_client:
            yield dask_client

    def set_environment(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """Let this process, and those that it starts, reach the account, and nothing else of AWS."""
        settings = {
            "AWS_ENDPOINT_URL": self.facts["url"],
            "AWS_ACCESS_KEY_ID": "AKIATESTSDTDASK00001",
            "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-fake-account",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        }
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

    def close(self) -> None:
        """End it, and all its tasks."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
