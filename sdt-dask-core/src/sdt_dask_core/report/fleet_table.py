"""The table of all systems as data for the page: small enough for ten thousand, and bounded beyond."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.report.words import one_line, pattern, shortened
from sdt_dask_core.system_result import SystemResult

__all__ = ["COLUMNS", "FleetTable", "as_script", "fleet_table", "worst_first"]

#: Result columns of the table with their headings.
COLUMNS: dict[str, str] = {
    "capacity_kw": "kW",
    "length_years": "years",
    "quality_score": "quality",
    "degradation_rate_pct_per_year": "rate %/yr",
    "total_loss_pct": "losses %",
}
_DIGITS = 4
_LONGEST_KEY = 120
_LONGEST_WHY = 160
_MOST_BYTES = 4_200_000  # of a page of at most 5 MB
_MOST_PATTERNS = 40
# What needs attention comes first.
_ORDER = {"failed": 0, "withheld": 1, "caution": 2, "todo": 3, "ok": 4}


@dataclass(frozen=True, slots=True)
class FleetTable:
    """Rows for the page.

    Attributes
    ----------
    text : str
        JSON, safe inside a ``<script>``.
    n_rows, n_systems : int
        How many rows it has, and how many there would be.
    patterns : list of tuple
        ``(reason without its numbers, systems)``, the most frequent first.
    """

    text: str
    n_rows: int
    n_systems: int
    patterns: list[tuple[str, int]]


def fleet_table(systems: Sequence[SystemResult], pages: dict[str, str]) -> FleetTable:
    """Return the table of systems, those that need attention first.

    Parameters
    ----------
    systems : sequence of SystemResult
        All of the run.
    pages : dict
        The address of a system's page by its key, of those that have one.
    """
    ordered = worst_first(systems)
    of = {system.key: set(_patterns(system)) for system in systems}
    counts = Counter(name for names in of.values() for name in names)
    patterns = counts.most_common(_MOST_PATTERNS)
    position = {name: index for index, (name, _) in enumerate(patterns)}
    rows = []
    for system in ordered:
        known = sorted(position[name] for name in of[system.key] if name in position)
        rows.append(_row(system, pages.get(system.key, ""), known))
    text, n_rows = _fitting(rows)
    return FleetTable(text, n_rows, len(rows), patterns)


def _row(system: SystemResult, page: str, patterns: list[int]) -> list[Any]:
    return [
        shortened(system.label, _LONGEST_KEY),
        page,
        system.grade,
        1 if system.row["state"] == "skipped" else 0,
        shortened("; ".join(_why(system)), _LONGEST_WHY),
        patterns,
        *(_rounded(system.values.get(name)) for name in COLUMNS),
        str(system.body.get("sparkline", ""))[:40],
    ]


def _why(system: SystemResult) -> Iterator[str]:
    """Yield the reasons that decided the grade, without the grade before each."""
    if system.grade == "failed":
        yield one_line(f"{system.cause}: {system.message}")
    for reason in system.reasons:
        grade, _, words = reason.partition(": ")
        if grade == system.grade:
            yield words


def _patterns(system: SystemResult) -> Iterator[str]:
    if system.grade == "failed":
        yield one_line(f"failed: {system.cause}")
    else:
        yield from map(pattern, system.reasons)


def _rounded(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def _fitting(rows: list[list[Any]]) -> tuple[str, int]:
    """Return as many rows as fit in the page, as JSON, and how many these are."""
    parts: list[str] = []
    size = 0
    for row in rows:
        part = as_script(row)
        size += len(part.encode()) + 2
        if size > _MOST_BYTES:
            break
        parts.append(part)
    return "[" + ",\n".join(parts) + "]", len(parts)


def as_script(value: Any) -> str:
    """Return JSON that no HTML parser takes for the end of its script, nor for anything but text."""
    found = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        found = found.replace(character, f"\\u{ord(character):04x}")
    return found


def worst_first(systems: Iterable[SystemResult]) -> list[SystemResult]:
    """Return systems with those first that need attention."""
    return sorted(systems, key=lambda system: _ORDER.get(system.grade, 0))
