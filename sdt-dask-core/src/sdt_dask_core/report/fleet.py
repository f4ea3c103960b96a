"""What the page of a fleet says, as values for its template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.causes import fix_of
from sdt_dask_core.report.figures_of_fleet import Distribution, Factor, distribution, factors, spread
from sdt_dask_core.report.words import command_for, one_line, shown_key
from sdt_dask_core.system_result import SystemResult

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = [
    "FACTOR_TITLES",
    "GRADES",
    "Failure",
    "Provenance",
    "distributions",
    "failures",
    "headline",
    "loss_factors",
    "provenance",
]

#: Grades in the order of the page, with a sign that says it without colour, and words.
GRADES: dict[str, tuple[str, str]] = {
    "ok": ("●", "trusted"),
    "caution": ("▲", "trusted with care"),
    "withheld": ("■", "numbers not shown"),
    "failed": ("✕", "no result"),
    "todo": ("○", "not analysed yet"),
}
FACTOR_TITLES = {
    "total": "total",
    "weather": "weather",
    "outage": "outages",
    "capacity_change": "capacity changes",
    "soiling": "soiling",
    "degradation": "degradation",
}
_DISTRIBUTIONS = {
    "degradation_rate_pct_per_year": "Degradation rate",
    "quality_score": "Quality score",
    "capacity_kw": "Capacity",
}
_EXAMPLES = 3
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Failure:
    """Systems that failed for one cause."""

    cause: str
    fix: str
    message: str
    systems: list[tuple[str, str]]
    count: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the numbers come from: facts by their words."""

    facts: dict[str, str]
    versions: dict[str, str]


def headline(systems: Sequence[SystemResult]) -> list[tuple[str, int, str, str]]:
    """Return grade, systems, sign and words, for each grade but those that only some runs have."""
    counts = {grade: sum(1 for system in systems if system.grade == grade) for grade in GRADES}
    shown = {grade: n for grade, n in counts.items() if n or grade != "todo"}
    return [(grade, n, *GRADES[grade]) for grade, n in shown.items()]


def distributions(run: Run, systems: Sequence[SystemResult]) -> list[Distribution]:
    """Return the distributions over the trusted systems."""
    units = {column.name: column.unit for column in run.columns}
    trusted = [system.values for system in systems if system.grade in ("ok", "caution")]
    found = []
    for name, title in _DISTRIBUTIONS.items():
        values = [float(row[name]) for row in trusted if row.get(name) is not None]
        unit = "" if units.get(name) == "1" else units.get(name, "")
        found.append(distribution(values, name=name, title=title, unit=unit, n_systems=len(systems)))
    return [each for each in found if each is not None]


def loss_factors(run: Run) -> tuple[list[Factor], tuple[float, float]] | None:
    """Return what each factor takes, and the ends of the axis; None without any."""
    found = factors(run.summary, FACTOR_TITLES)
    return (found, spread(found)) if found else None


def failures(systems: Sequence[SystemResult], pages: dict[str, str]) -> list[Failure]:
    """Return the failures by cause, the most frequent first."""
    causes: dict[str, list[SystemResult]] = {}
    for system in systems:
        if system.grade == "failed":
            causes.setdefault(system.cause, []).append(system)
    return [
        Failure(
            one_line(cause, 100),
            fix_of(cause),
            one_line(failed[0].message, _LONGEST_MESSAGE),
            [(shown_key(system.key, 60), pages.get(system.key, "")) for system in failed[:_EXAMPLES]],
            len(failed),
        )
        for cause, failed in sorted(causes.items(), key=lambda item: -len(item[1]))
    ]


def provenance(run: Run) -> Provenance:
    """Return what made the numbers: command, times, versions, seeds, fingerprints."""
    job = run.settings.job
    facts = {
        "Run": f"{run.run_id}, {run.state}",
        "Started": _time(run.started_at),
        "Ended": _time(run.ended_at),
        "Plug": f"{job.plug.name} of {job.plug.distribution} {job.plug.version}",
        "Client": f"{run.settings.client.name} of {run.settings.client.distribution} {run.settings.client.version}",
        "Analyses": ", ".join(analysis.name for analysis in job.analyses) or "none, frames were checked only",
        "Part of the record": str(job.window) or "all",
        "Why systems ran": "; ".join(f"{n:,} {reason}" for reason, n in run.reasons.items()),
        "Seeds": "the random numbers of each system are seeded from its key, so the same data give the same row",
        "Fingerprints": "those of each system's data and settings stand on its page and in the ledger",
        "To run it again": command_for(run.settings, run.output),
    }
    return Provenance({name: one_line(fact) for name, fact in facts.items()}, _versions(run.versions))


def _time(moment: str | None) -> str:
    return f"{moment[:19].replace('T', ' ')} UTC" if moment else "not yet"


def _versions(versions: dict[str, Any], above: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in versions.items():
        if isinstance(value, dict):
            flat |= _versions(value, f"{above}{name} ")
        else:
            flat[one_line(f"{above}{name}", 80)] = one_line(value, 120)
    return flat
