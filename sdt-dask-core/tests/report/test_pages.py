"""The pages of a run: what they say, that hostile text stays text, and that the ledger is all they need."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Run, ending
from sdt_dask_core.errors import ConfigurationError, InvalidKeyError
from sdt_dask_core.ledger import LEDGER_NAME, Ledger
from sdt_dask_core.report import fleet_table

from .generated import HOSTILE, big_fleet, failed, outcome, small_picture, write_run

_RUNS_CODE = re.compile(r"^on[a-z]+$")


class Page(HTMLParser):
    """What a browser makes of a page: its elements, its text, its scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._in: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._in.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._in and self._in[-1] == tag:
            self._in.pop()

    def handle_data(self, data: str) -> None:
        if not self._in:
            self.words.append(data)
        elif self._in[-1] == "script":
            self.scripts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def rows(self) -> list[list[Any]]:
        found: list[list[Any]] = json.loads(self.scripts[0])
        return found

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.elements if tag == "a" and "href" in attributes]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """One system of each grade, one that failed, one to do."""
    picture = small_picture()
    return write_run(
        tmp_path / "out",
        [
            ("good", outcome("ok", picture=picture)),
            ("doubtful", outcome("caution", picture=picture)),
            ("bad", outcome("withheld", picture=picture, degradation_rate_pct_per_year=-1.3e9)),
            ("gone", failed()),
            ("later", None),
        ],
        metadata={"good": {"latitude": 48.1, "longitude": 11.6, "name": "<b>Roof</b>"}},
    )


def pages(run: Run) -> dict[str, Page]:
    """Return the page of each system by the key that it shows."""
    found = [Page(path) for path in (run.output / "report" / "systems").glob("*.html")]
    return {page.text.split("← the fleet ")[1].split(" ")[0]: page for page in found}


def test_the_fleet_page_counts_grades_and_names_what_failed(run: Run) -> None:
    page = Page(run.report())
    for words in ("ok 1", "caution 1", "withheld 1", "failed 1", "todo 1", "key_not_found", "there is no such file"):
        assert words in page.text
    assert "check the key's spelling; sdt-dask keys lists what the plug offers" in page.text


def test_figures_use_only_trusted_systems(run: Run) -> None:
    page = Page(run.report())
    assert "median −0.8 %/yr, 2 used of 5" in page.text
    assert "1.3e" not in page.source
    assert "1,300,000,000" not in page.source


def test_those_that_need_attention_come_first(run: Run) -> None:
    assert [row[2] for row in Page(run.report()).rows] == ["failed", "withheld", "caution", "todo", "ok"]


def test_withheld_numbers_are_no_part_of_the_table(run: Run) -> None:
    bad = next(row for row in Page(run.report()).rows if row[0] == "bad")
    assert bad[9:11] == [None, None]
    assert bad[6] == 5.0


def test_every_link_resolves(run: Run) -> None:
    index = run.report()
    for path in [index, *index.parent.glob("systems/*.html")]:
        page = Page(path)
        addresses = [*page.links(), *(row[1] for row in page.rows if row[1])] if path == index else page.links()
        assert addresses
        assert all(address.startswith("#") or (path.parent / address).is_file() for address in addresses)


def test_the_page_of_a_system_says_what_was_found_said_and_how_to_do_it_again(run: Run) -> None:
    run.report()
    page = pages(run)["good"]
    for words in (
        "unsorted repaired time stamps were not in order",
        "SDT says hello",
        "Seed 7",
        "Fingerprint of the data f1",
        "name: <b>Roof</b>",
        f"sdt-dask run FOLDER -o {run.output} -k good --force # FOLDER holds the class NamedPlug",
        "degradation_rate_pct_per_year −0.8 %/yr",
    ):
        assert words in page.text


def test_the_page_of_a_withheld_system_hides_the_numbers(run: Run) -> None:
    run.report()
    page = pages(run)["bad"]
    assert "degradation_rate_pct_per_year withheld %/yr" in page.text
    assert "-12.00 %/yr is below -10" in page.text
    assert "e+09" not in page.source


def test_the_page_of_a_failure_has_its_message_fix_and_traceback(run: Run) -> None:
    run.report()
    page = pages(run)["gone"]
    for words in ("key_not_found there is no such file", "What to do: check the key's spelling", "Traceback …"):
        assert words in page.text
    assert "There are no figures" in page.text


def test_a_page_of_a_system_has_at_most_300_kilobytes(run: Run) -> None:
    run.report()
    assert max(len(page.source) for page in pages(run).values()) < 300_000


def test_the_ledger_is_all_that_a_report_needs(run: Run, tmp_path: Path) -> None:
    """A report made later, of the ledger alone, has the same bytes as that after the run."""
    first = run.report()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / LEDGER_NAME).write_bytes((run.output / LEDGER_NAME).read_bytes())
    again = Run(tmp_path / "copy").report()
    for path in [first, *first.parent.glob("systems/*")]:
        other = again.parent / path.relative_to(first.parent)
        there = other.read_text(encoding="utf-8").replace(str(tmp_path / "copy"), str(run.output))
        unlike = re.compile(r'<meta name="sdt-dask-digest"[^>]*>')  # of the command, which names the folder
        assert unlike.sub("", there) == unlike.sub("", path.read_text(encoding="utf-8"))


def test_hostile_keys_messages_and_metadata_stay_text(tmp_path: Path) -> None:
    harmless = Page(write_run(tmp_path / "tame", [("a", failed()), ("b", outcome())]).report())
    keys = [(key, failed(key, key)) for key in HOSTILE]
    more = [(("ok", key), outcome("caution") | {"reasons": [f"caution: {key}"], "prints": key}) for key in HOSTILE]
    run = write_run(tmp_path / "out", [*keys, *more], metadata={key: {"name": key} for key in HOSTILE})
    index = run.report()
    paths = list(index.parent.glob("systems/*.html"))
    assert len(paths) == len(keys) + len(more)
    for path in [index, *paths]:
        page = Page(path)
        assert not [tag for tag, _ in page.elements if tag in ("img", "iframe", "object") and path == index]
        assert not [name for _, attributes in page.elements for name in attributes if _RUNS_CODE.match(name)]
        assert "\u202e" not in page.source
    assert {tag for tag, _ in Page(index).elements} <= {tag for tag, _ in harmless.elements} | {"select", "option"}
    assert Page(index).elements.count(("script", {})) == 1
    assert {row[0] for row in Page(index).rows} >= {"<script>alert(1)</script>", "שלום عالم", "evil\\u202egnp.exe"}


def test_the_browser_is_told_to_load_and_run_nothing_else(run: Run) -> None:
    index = run.report()
    for path in [index, *index.parent.glob("systems/*.html")]:
        page = Page(path)
        policy = next(a["content"] or "" for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
        assert policy.startswith("default-src 'none'; img-src data:;")
        assert "unsafe" not in policy
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.source)


def test_a_page_that_did_not_change_is_kept(run: Run) -> None:
    index = run.report()
    before = {path: path.stat().st_mtime_ns for path in index.parent.glob("systems/*")}
    again = Run(run.output).report()
    assert again == index
    assert {path: path.stat().st_mtime_ns for path in index.parent.glob("systems/*")} == before


def test_pages_of_systems_that_are_no_more_go_and_other_files_stay(run: Run) -> None:
    folder = run.report().parent / "systems"
    (folder / "old-0123456789ab.html").write_text("an older report")
    (folder / "notes.html").write_text("mine")
    run.report()
    assert not (folder / "old-0123456789ab.html").exists()
    assert (folder / "notes.html").exists()


def test_without_time_the_pages_that_are_missing_are_told(run: Run) -> None:
    page = Page(run.report(seconds=-1))
    assert "5 systems have no page yet" in page.text
    assert not [row for row in page.rows if row[1]]


def test_without_time_the_pages_that_hold_are_kept(run: Run) -> None:
    index = run.report()
    before = set(index.parent.glob("systems/*"))
    assert "have no page yet" not in Page(run.report(seconds=-1)).text
    assert set(index.parent.glob("systems/*")) == before


def test_the_page_of_a_run_is_known_until_the_run_goes_on(run: Run) -> None:
    index = run.report()
    assert Run(run.output).report_page == index
    with Ledger(run.output) as ledger:
        ledger.reopen_run(run.run_id)
    assert Run(run.output).report_page is None


@pytest.mark.slow
def test_ten_thousand_systems_fit_into_five_megabytes(tmp_path: Path) -> None:
    index = big_fleet(tmp_path, 10_000).report(seconds=0)
    assert index.stat().st_size <= 5_000_000
    assert len(Page(index).rows) == 10_000


def test_what_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_table, "_MOST_BYTES", 20_000)
    why = "withheld: " + "ü<" * 500
    systems = [((number, "k" * 500), outcome("withheld") | {"reasons": [why]}) for number in range(90)]
    page = Page(write_run(tmp_path, systems).report(seconds=-1))
    assert len(page.scripts[0].encode()) <= 20_002
    assert 10 < len(page.rows) < 90
    assert f"The table has the first {len(page.rows):,} of 90 systems" in page.text


def test_the_report_of_a_very_large_fleet_is_left_to_the_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ending, "_MOST_REPORTED", 1)
    assert ending.reported(run, wanted=True) is run
    assert not (run.output / "report").exists()
    assert f"more than 1: sdt-dask report {run.output}" in caplog.text


def test_another_format_comes_as_a_file_beside_the_page(run: Run) -> None:
    index = run.report(formats=["pdf"])
    assert len(list(index.parent.glob("systems/good-*.pdf"))) == 1
    with pytest.raises(ConfigurationError, match="cannot be written as 'gif'"):
        run.report(formats=["gif"])


def test_a_report_that_cannot_be_written_says_where(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"the report cannot be written to .*file"):
        run.report(tmp_path / "file")


def test_a_damaged_picture_costs_the_figures_only(tmp_path: Path) -> None:
    damaged = outcome() | {"picture": "bm9uZQ=="}
    run = write_run(tmp_path, [("a", damaged)])
    run.report()
    assert "a picture in the ledger is damaged" in pages(run)["a"].text


def test_a_run_of_nothing_has_a_report(tmp_path: Path) -> None:
    assert "0 systems" in Page(write_run(tmp_path, []).report()).text


def test_a_system_is_found_by_its_key_and_by_its_text(tmp_path: Path) -> None:
    run = write_run(tmp_path, [((34, "a"), outcome()), ("b", outcome(picture=small_picture()))])
    assert run.system((34, "a")).label == run.system('[34,"a"]').label
    assert run.system("b").picture is not None
    assert run.system((34, "a")).picture is None
    with pytest.raises(InvalidKeyError, match="has no key 'c'"):
        run.system("c")


def test_a_notebook_shows_counts_a_link_and_no_html_of_others(run: Run, tmp_path: Path) -> None:
    assert "the report" not in run._repr_html_()
    assert run.report_page is None
    run.report()
    shown = run._repr_html_()
    assert "3 done" in shown
    assert f'<a href="file://{run.output}/report/index.html">the report</a>' in shown
    view = run.system("bad")._repr_html_()
    assert 'src="data:image/png;base64,' in view
    assert "is below -10" in view
    hostile = write_run(tmp_path / "hostile", [("<b>x", failed(message="<i>"))]).system("<b>x")
    assert "<b>x" not in hostile._repr_html_()
    assert "<i>" not in hostile._repr_html_()
