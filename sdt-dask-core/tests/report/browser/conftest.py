"""A real Chromium without a window, and pages that are opened in it from the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from sdt_dask_core import Run

from ..generated import HOSTILE, big_fleet, failed, outcome, small_picture, write_run

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def _chromium() -> str:
    """Return where Chromium is; install Debian's where that is possible and none is there."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "--quiet", *command], check=False, stdout=subprocess.DEVNULL, timeout=500)
        found = shutil.which(_NAMES[0])
    if found is None:
        pytest.fail("these tests need Chromium, and none is there: install it (on Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=_chromium(), args=list(_QUIET))
        yield running
        running.close()


@dataclass
class Opened:
    """A page in the browser, with all that it complained of and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        def complain(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(message.text)

        def answer(dialog: Any) -> None:
            self.complaints.append(f"a dialog: {dialog.message}")
            dialog.dismiss()

        self.page.on("console", complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", answer)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def shown(self) -> list[str]:
        """Return the keys of the rows that are drawn."""
        return self.page.locator("#systems tbody tr:not(.gap) td:first-child").all_inner_texts()

    def count(self) -> str:
        return self.page.locator("#shown").inner_text()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Open a file; none may complain or ask anybody for anything."""
    opened: list[Opened] = []

    def start(path: Path, **how: Any) -> Opened:
        made = Opened(browser.new_page(**how))
        made.watch()
        made.page.goto(path.as_uri())
        opened.append(made)
        return made

    yield start
    for each in opened:
        each.page.close()
    assert [complaint for each in opened for complaint in each.complaints] == []
    assert [url for each in opened for url in each.requests if not url.startswith(("file:", "data:"))] == []


@pytest.fixture(scope="session")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fleet page of ten thousand systems."""
    return big_fleet(tmp_path_factory.mktemp("big"), 10_000).report(seconds=0)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Some systems of each kind, hostile ones among them."""
    picture = small_picture()
    return write_run(
        tmp_path_factory.mktemp("small"),
        [
            ("good", outcome("ok", picture=picture)),
            ("doubtful", outcome("caution", picture=picture)),
            ("bad", outcome("withheld", picture=picture)),
            ("later", None),
            *((key, failed(key, key)) for key in HOSTILE),
            *((("told", key), outcome("caution") | {"reasons": [f"caution: {key}"], "prints": key}) for key in HOSTILE),
        ],
        metadata={"good": {"latitude": 48.1, "longitude": 11.6}, **{key: {"name": key} for key in HOSTILE}},
    )


@pytest.fixture(scope="session")
def small(small_run: Run) -> Path:
    return small_run.report()
