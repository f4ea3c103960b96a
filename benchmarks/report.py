"""What a report costs: drawing a system against analysing it, and the page of a fleet of ten thousand in a browser.

    python benchmarks/report.py [YEARS]

Four synthetic systems are analysed once (quality and losses) and drawn five times. Then a run of ten thousand systems
is written into a ledger and its fleet page is made and, where Chromium and playwright are there, opened. The bounds: a
picture and a page take at most 10 % of the analysis; the page has at most 5 MB and is usable within 2 s. Exit code 1
when one is broken. The time is compared with that of the run before, which stands in ``report.json``.
"""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sdt-dask-core"))

from tests.report.generated import big_fleet  # type: ignore[import-not-found]

from sdt_dask_core import Run, SDTDask
from sdt_dask_testing import synthetic_system, write_fleet

N_SYSTEMS = 10_000
N_DRAWN = 4
SHARE, MEGABYTES, SECONDS = 0.10, 5.0, 2.0
LAST = Path(__file__).with_suffix(".json")
ROUNDS = 5


def main() -> int:
    """Measure, print and judge."""
    years = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as name:
        share = drawing(Path(name), years)
        size, seconds = fleet(Path(name))
    return int(share > SHARE or size > MEGABYTES or seconds > SECONDS)


def drawing(folder: Path, years: float) -> float:
    """Analyse some systems and draw them; return what their pictures and pages take of the analyses [1]."""
    write_fleet(folder, [synthetic_system(seed=n, system_id=f"system {n}", years=years) for n in range(N_DRAWN)])
    tool = SDTDask("csv", plug_options={"path": str(folder / "data"), "units": "kW"}, output=folder / "drawn")
    run = tool.execute(report=False)
    spent = [row["body"]["seconds"] for row in run.rows]
    analysis = sum(each["quality"] + each.get("losses", 0.0) for each in spent) / N_DRAWN
    picture = sum(each["picture"] for each in spent) / N_DRAWN
    run.report(folder / "warm")  # matplotlib's own imports
    pages = [timed(lambda number=number: run.report(folder / str(number))) for number in range(ROUNDS)]
    page = statistics.median(pages) / N_DRAWN
    share: float = (picture + page) / analysis
    print(f"{years:g} years, a system: analysis {analysis:.1f} s, picture {picture * 1000:.0f} ms, page {page:.2f} s")
    print(f"that is {share:.1%} of the analysis, bound {SHARE:.0%}: {'kept' if share <= SHARE else 'BROKEN'}")
    return share


def fleet(folder: Path) -> tuple[float, float]:
    """Make the page of ten thousand systems and open it; return its size [MB] and when it is usable [s]."""
    run = Run(big_fleet(folder / "fleet", N_SYSTEMS).output)
    seconds = timed(lambda: run.report(seconds=0))
    page = folder / "fleet" / "report" / "index.html"
    size = page.stat().st_size / 1e6
    print(f"{N_SYSTEMS:,} systems: page made in {seconds:.1f} s, {size:.1f} MB, bound {MEGABYTES:g} MB")
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("first usable in a browser: not measured, no chromium or no playwright")
        return size, 0.0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        usable = opened(browser, page)
        browser.close()
    return size, usable


def opened(browser: Any, page: Path) -> float:
    """Return how long Chromium takes until the first rows are drawn [s]; print that, and how long it sorts all."""
    tab = browser.new_page()

    def use() -> None:
        tab.goto(page.as_uri())
        tab.locator("#systems tbody tr a, #systems tbody tr bdi").first.wait_for()

    usable = float(statistics.median(timed(use) for _ in range(ROUNDS)))
    sorting = timed(lambda: tab.locator("th[data-column='3'] button").click())
    last: float = json.loads(LAST.read_text())["usable_seconds"] if LAST.is_file() else usable
    LAST.write_text(json.dumps({"usable_seconds": round(usable, 3), "python": platform.python_version()}) + "\n")
    ratio = f"{usable / last:.2f} times the run before"
    print(f"first usable in a browser after {usable:.2f} s, bound {SECONDS:g} s, {ratio}; sorted in {sorting:.2f} s")
    return usable


def timed(work: Any) -> float:
    """Return how long a call takes [s]."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    raise SystemExit(main())
