"""The report in a real browser: it works, it is quiet, and it can be read by everybody."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from sdt_dask_core import Run

from ..generated import HOSTILE
from .conftest import Opened

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def page_of(run: Run, name: str) -> Path:
    (found,) = (run.output / "report" / "systems").glob(f"{name}-*.html")
    return found


def test_ten_thousand_rows_are_there_and_few_are_drawn(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    assert opened.count() == "10,000 of 10,000 systems shown"
    assert 10 < len(opened.shown()) < 100


def test_the_last_of_ten_thousand_rows_is_reached_by_scrolling(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    first = opened.shown()
    opened.page.locator("#systems").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    last = opened.page.locator('tr[aria-rowindex="10001"]')
    last.wait_for()
    assert last.locator("td").first.inner_text() not in first
    assert len(opened.shown()) < 100


def test_a_click_on_a_heading_sorts_ten_thousand_rows(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    heading = opened.page.locator("th", has_text="rate %/yr")
    for wanted in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == wanted
        cells = opened.page.locator("#systems tbody tr:not(.gap) td:nth-child(6)").all_inner_texts()
        numbers = [float(cell.replace("−", "-")) for cell in cells]
        assert numbers == sorted(numbers, reverse=wanted == "descending")
        assert abs(numbers[0]) > 1.5


def test_a_search_finds_among_ten_thousand(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    opened.page.get_by_label("Search key and reasons").fill("site 07777")
    expect(opened.page.locator("#shown")).to_have_text("1 of 10,000 systems shown")
    assert opened.shown() == ['["site 07777","inverter 1"]']


def test_grades_and_reasons_filter_ten_thousand(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    opened.page.get_by_label("■ withheld").check()
    assert opened.count() == "1,428 of 10,000 systems shown"
    opened.page.get_by_label("■ withheld").uncheck()
    opened.page.locator("#pattern").select_option(label="failed: timeout (476)")
    assert opened.count() == "476 of 10,000 systems shown"


def test_a_doubt_is_shown_in_the_table(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    opened.page.get_by_label("Show the systems with: withheld: degradation rate # %/yr is below #").click()
    assert opened.count() == "1,428 of 10,000 systems shown"


def test_the_keyboard_alone_sorts_and_opens_a_system(open_page: Callable[..., Opened], small: Path) -> None:
    opened = open_page(small)
    opened.page.get_by_label("Search key and reasons").fill("")
    opened.page.locator("#systems").focus()
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("th[data-column=key]").get_attribute("aria-sort") == "ascending"
    opened.page.get_by_role("link", name="good").focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/systems/good-*.html")
    assert opened.page.locator("h1").inner_text() == "good"


def test_hostile_text_is_text(open_page: Callable[..., Opened], small: Path) -> None:
    opened = open_page(small)
    shown = "\n".join(opened.shown())
    assert "<script>alert(1)</script>" in shown
    assert "evil\\u202egnp.exe" in shown
    assert opened.page.locator("script").count() == 3
    assert opened.page.locator("#main img").count() == 0


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_the_pages_of_hostile_systems_are_quiet(
    open_page: Callable[..., Opened], small_run: Run, small: Path, number: int
) -> None:
    paths = sorted((small.parent / "systems").glob("*.html"))
    for path in paths[number :: len(HOSTILE)]:
        opened = open_page(path)
        assert opened.page.locator("script").count() == 0
        assert opened.page.locator("h1").inner_text()


def serious(opened: Opened) -> list[Any]:
    """Return what axe finds serious or critical, with all that is folded away unfolded."""
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    opened.page.evaluate(AXE)
    found = opened.page.evaluate("axe.run().then(result => result.violations)")
    return [
        (each["id"], each["help"], [node["html"] for node in each["nodes"][:3]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["fleet", "good", "bad"])
def test_axe_finds_nothing_serious(
    open_page: Callable[..., Opened], small_run: Run, small: Path, which: str, scheme: str
) -> None:
    path = small if which == "fleet" else page_of(small_run, which)
    assert serious(open_page(path, color_scheme=scheme)) == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "sdt_dask_core.cli", "demo", "--keep", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder / "results" / "report" / "index.html"


def test_every_link_of_the_demo_leads_to_figures(open_page: Callable[..., Opened], demo: Path) -> None:
    opened = open_page(demo)
    addresses = opened.page.locator("#main a").evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) == 2
    for address in addresses:
        opened.page.goto(address)
        assert opened.page.locator("img").evaluate("image => image.naturalWidth") > 1000


def test_the_demo_sorts_and_filters(open_page: Callable[..., Opened], demo: Path) -> None:
    opened = open_page(demo)
    opened.page.locator("th", has_text="years").locator("button").click()
    assert [key[:2] for key in opened.shown()] == ["ZT", "TA"]
    opened.page.get_by_label("Search key and reasons").fill("ZT16")
    expect(opened.page.locator("#shown")).to_have_text("1 of 2 systems shown")


def test_axe_finds_nothing_serious_in_the_demo(open_page: Callable[..., Opened], demo: Path) -> None:
    assert serious(open_page(demo)) == []


def test_a_narrow_screen_does_not_scroll_sideways(open_page: Callable[..., Opened], small: Path) -> None:
    opened = open_page(small, viewport={"width": 390, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_table_is_printed_whole(open_page: Callable[..., Opened], big: Path) -> None:
    opened = open_page(big)
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(opened.shown()) == 500
