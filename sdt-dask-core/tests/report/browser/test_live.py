"""The page that follows a run, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sdt_dask_core.keys import canonical_text

from ..generated import outcome, small_picture, write_run
from ..live.following import Followed, follow

LATER = canonical_text(("later",))
SLOW = 90_000  # ms, on a busy machine


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    run = write_run(tmp_path, [("first", outcome("ok", picture=small_picture())), ("later", None)])
    with follow(run, dashboard="http://127.0.0.1:8787/status") as made:
        yield made


@pytest.fixture
def page(browser: Browser, followed: Followed) -> Iterator[Page]:
    opened = browser.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(followed.address)
    expect(opened.locator("#live-text")).to_have_text("0/2: 0 ok, 0 caution, 0 withheld, 0 failed")
    yield opened
    opened.close()
    assert complaints == []


def test_an_outcome_that_lands_appears_by_itself(page: Page, followed: Followed) -> None:
    followed.land(LATER, outcome("caution"))
    expect(page.get_by_role("link", name="later")).to_be_visible(timeout=SLOW)
    expect(page.locator(".cards")).to_contain_text("caution1")


def test_a_search_stays_when_the_page_renews(page: Page, followed: Followed) -> None:
    search = page.get_by_label("Search key and reasons")
    search.fill("lat")
    expect(page.locator("#shown")).to_have_text("1 of 2 systems shown")
    followed.land(LATER, outcome("caution"))
    expect(page.get_by_role("link", name="later")).to_be_visible(timeout=SLOW)
    expect(page.locator("#shown")).to_have_text("1 of 2 systems shown")
    expect(search).to_have_value("lat")
    expect(search).to_be_focused()


def test_numbers_that_were_opened_stay_open(page: Page, followed: Followed) -> None:
    numbers = page.locator("details", has_text="Median").first
    numbers.locator("summary").click()
    followed.land(LATER, outcome("caution", capacity_kw=9.0))
    expect(page.get_by_role("link", name="later")).to_be_visible(timeout=SLOW)
    expect(numbers).to_have_attribute("open", "")


def test_the_dashboard_of_dask_is_linked(page: Page) -> None:
    expect(page.get_by_role("link", name="Dask's dashboard")).to_have_attribute("href", "http://127.0.0.1:8787/status")


def test_a_link_leads_to_the_figures_of_a_system(page: Page) -> None:
    page.get_by_role("link", name="first").click()
    expect(page.locator("img")).to_be_visible(timeout=SLOW)


def test_the_end_is_told_with_the_last_page(page: Page, followed: Followed) -> None:
    followed.land(LATER, outcome("caution"))
    followed.view.ended(followed.run)
    followed.view.close()
    expect(page.get_by_role("link", name="later")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("status").first).to_have_text("The run has ended: complete.", timeout=SLOW)
