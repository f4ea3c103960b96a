"""What a run leaves and sends, collected to be searched: from real processes, which are watched."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

PATIENCE = 300.0  # s; nothing is faster or slower for it when all is well
HERE = Path(__file__).parent
_PAGES = (
    *("/", "/status", "/workers", "/tasks", "/system", "/profile", "/graph", "/groups", "/hardware"),
    *("/individual-plots.json", "/info/main/workers.html", "/info/main/logs.html", "/info/main/events.html"),
    *("/json/index.html", "/json/counts.json", "/json/identity.json", "/statistics", "/statistics.json", "/metrics"),
)
RUN_FILE = """
plug = "mine"
client = "local"
output = "out"
analyses = []

[plug_options]
password = "env:SDT_TEST_PASSWORD"
certificate = "file:certificate"
go = "go"
marker = "{marker}"
"""


def wait_until(is_so: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := is_so():
            return found
        time.sleep(0.1)
    pytest.fail(f"in {PATIENCE:g} s it never happened that {what}")


@dataclass
class Evidence:
    """All that a run left and sent, by what it is."""

    #: What every secret holds: a search for it finds any of them, whole or in part.
    core: str = field(default_factory=lambda: uuid.uuid4().hex[:20])
    #: What may be seen everywhere.
    marker: str = field(default_factory=lambda: f"marker{uuid.uuid4().hex[:8]}")
    found: dict[str, bytes] = field(default_factory=dict)
    #: Environments of the processes, by command line.
    environments: dict[str, str] = field(default_factory=dict)

    @property
    def password(self) -> str:
        return f"pa/ss+{self.core}"

    @property
    def certificate(self) -> str:
        return f'-----BEGIN "CERT"-----\nM&I\'{self.core}=\n-----END-----'

    def add(self, name: str, content: bytes | str) -> None:
        self.found[name] = content.encode() if isinstance(content, str) else content

    def add_folder(self, folder: Path, what: str) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.add(f"{what} {file.relative_to(folder)}", file.read_bytes())

    def shown(self) -> list[str]:
        """Return where a secret shows, and in which form."""
        data = self.core.encode()
        forms = {
            "plain": [data],
            "hex": [data.hex().encode(), data.hex().upper().encode()],
            # What the core alone decides, whatever stands before it.
            "base64": [base64.b64encode(b"\0" * n + data)[4 if n else 0 : -4] for n in range(3)],
            "reversed": [data[::-1]],
            "UTF-16": [self.core.encode("utf-16-le")],
        }
        return [
            f"{name} ({form}): {content[max(0, content.find(text) - 60) : content.find(text) + 20]!r}"
            for name, content in self.found.items()
            for form, texts in forms.items()
            for text in texts
            if text in content
        ]


class Processes:
    """Scheduler, worker and command line as processes of their own, each with a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("wb")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SDT_")}
        with log:
            process = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Compressed, what is sent could not be searched.
                env={
                    **clean,
                    "DASK_DISTRIBUTED__COMM__COMPRESSION": "False",
                    "SECURITY_MARK": self.mark,
                    **environment,
                },
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def own(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("SECURITY_MARK") == self.mark:
                    found.append(process)
        return found

    def stop(self) -> None:
        for process in self.own():
            with contextlib.suppress(psutil.Error):
                process.kill()
        for started in self._started:
            started.wait()


class Watch:
    """Looks at the command lines and environments of our processes, again and again."""

    def __init__(self, processes: Processes) -> None:
        self.command_lines: set[str] = set()
        self.environments: dict[str, str] = {}
        self._processes = processes
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(0.2):
            for process in self._processes.own():
                with contextlib.suppress(psutil.Error):
                    line = " ".join(process.cmdline())
                    self.command_lines.add(line)
                    self.environments[line] = json.dumps(process.environ())

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def crawl(evidence: Evidence, port: int, what: str) -> None:
    """Read every page of a dashboard that its pages link to, and those that Dask has by name."""
    pages = list(_PAGES)
    seen: set[str] = set()
    while pages:
        page = pages.pop()
        if page in seen or "/static/" in page:
            continue
        seen.add(page)
        with contextlib.suppress(OSError):  # 404 is one, too
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
                body = answer.read()
            evidence.add(f"{what} page {page}", body)
            pages += links_of(page, body.decode("utf-8", "replace"))


def links_of(page: str, text: str) -> list[str]:
    """Return the paths that a page leads to."""
    if page == "/individual-plots.json":
        return list(json.loads(text).values())
    base = page.rpartition("/")[0]
    local = [link for link in re.findall(r'href="([^"#?]+)"', text) if not link.startswith(("http", "//", "mailto"))]
    return [link if link.startswith("/") else os.path.normpath(f"{base}/{link}") for link in local]


def dump_database(path: Path) -> str:
    """Return all rows as text: in the file a long one is cut over pages."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return "\n".join(connection.iterdump())


def count_ended(output: Path) -> int:
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{output / 'ledger.sqlite'}?mode=ro", uri=True)) as connection,
    ):
        (n,) = connection.execute("SELECT count(*) FROM task WHERE state IN ('done', 'failed')").fetchone()
        return int(n)
    return 0
