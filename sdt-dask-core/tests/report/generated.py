"""Runs as a ledger holds them, made without Solar Data Tools, and a picture whose every array is known."""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sdt_dask_core import Run
from sdt_dask_core.job import Job
from sdt_dask_core.keys import canonical_text
from sdt_dask_core.ledger import Ledger, PlannedTask
from sdt_dask_core.picture import Picture, pack
from sdt_dask_core.reference import refer_to
from sdt_dask_core.settings import RunSettings

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "' onmouseover='alert(4)",
    "{{ 7 * 7 }}{% raw %}",
    "שלום عالم",
    "evil\u202egnp.exe",
    "x" * 5000,
    "$\\frac{1}{0}$",
    "../../etc/passwd",
    "&lt;b&gt; & <!-- -->",
    "new\nline\ttab\x00null",
]


def small_picture(**changes: Any) -> Picture:
    """Return a picture of two years in which each array tells another story."""
    days = np.arange(730)
    season = 1 + 0.3 * np.sin(2 * np.pi * days / 365)
    fields: dict[str, Any] = {
        "first_day": "2019-01-01",
        "days_per_column": 2,
        "power": np.outer(np.maximum(0, np.sin(np.linspace(-np.pi / 2, 3 * np.pi / 2, 96))), season[::2]) * 4,
        "energy": 20 * season * np.where(days < 400, 1.0, 0.8),
        "flags": np.where(days % 10 == 0, 0, np.where(days % 3 == 0, 3, 1)).astype("u1"),
        "levels": (days >= 400).astype("u1"),
        "noon": 12 + 0.2 * np.sin(days / 50) + (days >= 300),
        "clock": 12.0 + (days >= 300),
        "daily_max": np.clip(0.6 * season, 0, 0.75),
        "max_kw": 5.0,
        "point_masses": np.array([0.75]),
        "samples": np.linspace(-1.2, -0.4, 41),
    }
    return Picture(**{**fields, **changes})


def outcome(grade: str = "ok", *, picture: Picture | None = None, **columns: Any) -> dict[str, Any]:
    """Return the outcome of a system with such a grade."""
    values = {
        "capacity_kw": 5.0,
        "length_years": 2.0,
        "quality_score": 0.95,
        "inverter_clipping": True,
        "clipped_day_fraction": 0.3,
        "degradation_rate_pct_per_year": -0.8,
        "degradation_rate_lower_pct_per_year": -1.1,
        "degradation_rate_upper_pct_per_year": -0.5,
        "weather_loss_pct": -20.0,
        "outage_loss_pct": -1.0,
        "capacity_change_loss_pct": -3.0,
        "soiling_loss_pct": -2.0,
        "degradation_loss_pct": 0.5,
        "total_loss_pct": -25.5,
        **columns,
    }
    made: dict[str, Any] = {
        "status": "done",
        "grade": grade,
        "reasons": [] if grade == "ok" else [f"{grade}: degradation rate -12.00 %/yr is below -10"],
        "columns": values,
        "findings": [
            {"code": "unsorted", "message": "time stamps were not in order", "evidence": {}, "repaired": True}
        ],
        "seconds": {"read": 0.1, "quality": 3.0, "losses": 9.0},
        "seed": 7,
        "prints": "SDT says hello",
        "warnings": [],
        "sparkline": "0123456789abcdefghijklmnopqrstuvwxyz",
    }
    if picture is not None:
        made["picture"] = base64.b64encode(pack(picture)).decode()
    return made


def failed(cause: str = "key_not_found", message: str = "there is no such file") -> dict[str, Any]:
    """Return the outcome of a system that failed."""
    return {"status": "failed", "stage": "read", "cause": cause, "message": message, "traceback": "Traceback …"}


class NamedPlug:
    """A plug that no test lets read."""

    def __init__(self, path: str = "data") -> None:
        self.path = path

    def get_data(self, key: Any) -> Any:
        raise AssertionError


def settings() -> RunSettings:
    analyses = tuple(refer_to("analysis", name, {}) for name in ("quality", "losses"))
    return RunSettings(Job(refer_to("plug", NamedPlug, {}), analyses), refer_to("client", "local", {}))


def write_run(
    folder: Path,
    outcomes: Iterable[tuple[Any, Mapping[str, Any] | None]],
    *,
    metadata: Mapping[Any, dict[str, Any]] | None = None,
) -> Run:
    """Write a complete run whose keys came to these outcomes (None: to do)."""
    given = [(canonical_text(key), key, what) for key, what in outcomes]
    known = metadata or {}
    tasks = [PlannedTask(text, "todo", "new", "f1", "d1", {}, known.get(key, {})) for text, key, _ in given]
    with Ledger(folder) as ledger:
        run_id = ledger.begin_run(settings().as_dict(), {"python": "3.11", "packages": {"numpy": "2.4"}}, tasks)
        with ledger.transaction():
            for task, (_, _, what) in zip(tasks, given, strict=True):
                if what is not None:
                    ledger.record(run_id, task, ledger.start_attempt(run_id, task.key), what)
        ledger.end_run(run_id, "complete")
    return Run(folder, run_id)


def big_fleet(folder: Path, n: int) -> Run:
    """Write a run of so many systems, with all grades and with reasons as long as real ones."""
    chance = random.Random(1)

    def one(number: int) -> dict[str, Any]:
        grade = ("ok", "ok", "ok", "caution", "caution", "withheld", "failed")[number % 7]
        if grade == "failed":
            return failed(("no_power", "timeout", "key_not_found")[number % 3], "it took longer than 3600 s " * 3)
        rate = chance.gauss(-0.75, 0.6)
        made = outcome(
            grade,
            capacity_kw=math.exp(chance.gauss(2, 1)),
            quality_score=chance.uniform(0.4, 1),
            degradation_rate_pct_per_year=rate,
            total_loss_pct=chance.gauss(-25, 5),
        )
        made["reasons"] += [
            f"caution: only {chance.uniform(1, 2):.1f} years of data; two are wanted for a trend",
            f"caution: SDT moved the time stamps by +{number % 5} h to midday",
        ] * (grade != "ok")
        made["sparkline"] = "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=40))
        return made

    where = {
        (f"site {number:05d}", "inverter 1"): {"latitude": chance.gauss(45, 8), "longitude": chance.gauss(5, 12)}
        for number in range(n)
    }
    return write_run(folder, ((key, one(number)) for number, key in enumerate(where)), metadata=where)
