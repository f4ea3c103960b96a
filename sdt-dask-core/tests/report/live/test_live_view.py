"""The live view as a browser asks it: its pages grow with the ledger, and nobody else gets them."""

from __future__ import annotations

import tempfile
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from sdt_dask_core import Progress
from sdt_dask_core.keys import canonical_text
from sdt_dask_core.live import live_view

from ..generated import outcome, small_picture, write_run
from .following import Followed, follow, until

LATER = canonical_text(("later",))


@contextmanager
def two_systems(folder: Path) -> Iterator[Followed]:
    run = write_run(folder, [("first", outcome("ok", picture=small_picture())), ("later", None)])
    with follow(run, dashboard="http://127.0.0.1:8787/status") as made:
        yield made


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """A view for the tests that only ask."""
    with two_systems(tmp_path_factory.mktemp("asked")) as made:
        yield made


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    """A view whose run goes on, or ends."""
    with two_systems(tmp_path) as made:
        yield made


def process_of(followed: Followed) -> psutil.Process:
    """Return the process of a view; that of the module's is older."""
    found = [each for each in psutil.Process().children() if "sdt_dask_core.live" in each.cmdline()]
    return max(found, key=lambda each: each.create_time())


def page_of_the_first(followed: Followed) -> str:
    return "systems/first-" + followed.get().partition('"systems/first-')[2].partition('"')[0]


def test_the_page_shows_what_has_landed(asked: Followed) -> None:
    page = asked.get()
    assert '["first","systems/first-' in page
    assert '["later",""' in page


def test_the_state_says_how_far_the_run_is(asked: Followed) -> None:
    state = asked.state()
    assert state["text"] == "0/2: 0 ok, 0 caution, 0 withheld, 0 failed"
    assert state["dashboard"] == "http://127.0.0.1:8787/status"
    assert state["end"] == ""


def test_the_page_grows_when_an_outcome_lands(followed: Followed) -> None:
    before = followed.state()["version"]
    followed.land(LATER, outcome("caution"), failed=0)
    until(lambda: followed.state()["version"] > before and '["later","systems/later-' in followed.get())


def test_a_system_is_drawn_when_somebody_asks(asked: Followed) -> None:
    assert "data:image/png;base64," in asked.get(page_of_the_first(asked))


@pytest.mark.parametrize("path", ["systems/none.html", "systems/../ledger.sqlite", "ledger.sqlite", "systems/"])
def test_nothing_else_is_there(asked: Followed, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        asked.get(path)


def test_who_does_not_know_the_address_gets_nothing(asked: Followed) -> None:
    stranger = Followed(asked.run, asked.view, asked.address.rpartition("/")[0].rpartition("/")[0] + "/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        stranger.get()


def test_a_name_that_resolves_to_loopback_gets_nothing(asked: Followed) -> None:
    port = urlsplit(asked.address).port
    with pytest.raises(urllib.error.HTTPError, match="404"):
        asked.get(Host=f"rebound.example:{port}")


def test_the_page_hears_how_the_run_ended(followed: Followed) -> None:
    followed.view.ended(followed.run)
    until(lambda: followed.state()["end"] == "The run has ended: complete.")


def test_nobody_serves_after_the_end(followed: Followed) -> None:
    followed.view.close()
    with pytest.raises(urllib.error.URLError, match="refused"):
        followed.get()


def test_a_view_that_hangs_does_not_hold_up_the_run(followed: Followed) -> None:
    hanging = process_of(followed)
    hanging.suspend()
    for _ in range(1000):
        followed.view.observe(Progress(total=2, failed=1))
    followed.view.close()
    assert not hanging.is_running()


def test_a_view_that_died_does_not_hold_up_the_run(followed: Followed) -> None:
    process_of(followed).kill()
    for number in range(3):
        followed.view.observe(Progress(total=2, failed=number))
        time.sleep(0.6)
    followed.view.ended(followed.run)


def test_a_view_that_died_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with two_systems(tmp_path / "run") as followed:
        assert followed.get(page_of_the_first(followed))
        process_of(followed).kill()
    assert list(temporary.iterdir()) == []


def test_without_progress_nothing_is_served(tmp_path: Path) -> None:
    said: list[str] = []
    with live_view(tmp_path, said.append):
        pass
    assert said == []
