"""Make the pictures of the documentation: the figures of a good, a doubtful and a bad system, and the fleet's page.

    python docs/screenshots.py

Takes some minutes, for Solar Data Tools runs a fleet of synthetic systems, three of which are shown by themselves. The
fleet's page needs playwright and Chromium.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from sdt_dask_core import Run, SDTDask
from sdt_dask_core.figures import image
from sdt_dask_testing import SyntheticSystem, synthetic_fleet, synthetic_system, write_fleet

PICTURES = Path(__file__).resolve().parent / "pictures"


def systems() -> list[SyntheticSystem]:
    """Return a system that is fine, one of which little is known, and one that tells nothing."""
    return [
        synthetic_system(seed=1, system_id="good", years=3.0, degradation_pct_per_year=-0.8),
        synthetic_system(
            seed=2,
            system_id="doubtful",
            years=1.6,
            capacity_kw=8.0,
            clip_fraction=0.7,
            time_shift=(1.0, 300),
            outage_days=8,
        ),
        synthetic_system(seed=7, system_id="bad", years=0.9, missing_fraction=0.3, outage_days=60),
    ]


def neighbours() -> list[SyntheticSystem]:
    """Return the rest of the fleet."""
    return list(synthetic_fleet(20, 3, years=(2.0, 3.0), interval_minutes=60))


def main() -> None:
    """Run the fleet and write its pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = systems()
        made = [*shown, *neighbours()]
        os.chdir(folder)  # so that no page shows where it was made
        write_fleet(".", made)
        Path("data/meter.csv").write_text("timestamp,power\n2020-01-01,none\n")
        places = "\n".join(f"{each.spec.system_id},{each.spec.latitude},{each.spec.longitude}" for each in made)
        manifest = Path("systems.csv")
        manifest.write_text(f"key,latitude,longitude\n{places}\nmeter,,\n")
        run = SDTDask("csv", plug_options={"path": "data", "units": "kW"}, manifest=manifest).execute()
        for each in shown:
            (PICTURES / f"{each.spec.system_id}.png").write_bytes(image(run.system(each.spec.system_id).plot()))
        photograph(run)


def photograph(run: Run) -> None:
    """Write a picture of the fleet's page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.goto(run.report().absolute().as_uri())
        page.screenshot(path=PICTURES / "fleet.png")
        browser.close()


if __name__ == "__main__":
    main()
