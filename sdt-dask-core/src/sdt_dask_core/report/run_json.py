"""A run as JSON for programs: the format ``sdt-dask-run``, whose JSON Schema is ``run.schema.json`` beside this module.

Within a version fields are only added. What is missing or not finite is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses import Column, Grade
from sdt_dask_core.causes import fix_of
from sdt_dask_core.outcome import plain

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["FORMAT", "VERSION", "run_schema", "write_run_json"]

FORMAT = "sdt-dask-run"
VERSION = 1


def run_schema() -> dict[str, Any]:
    """Return the JSON Schema of the format."""
    schema: dict[str, Any] = json.loads((files(__package__) / "run.schema.json").read_text(encoding="utf-8"))
    return schema


def write_run_json(run: Run, path: Path) -> None:
    """Write a run, one line for each system, so that the text of a large fleet is never in memory as a whole."""
    head = {"format": FORMAT, "version": VERSION, "run": _run(run), "columns": [_column(c) for c in run.columns]}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{_text(head)[:-1]}, "systems": [')
        for number, row in enumerate(run.rows):
            file.write(("," if number else "") + "\n" + _text(_system(row, run.columns)))
        file.write("\n]}\n")


def _text(value: Any) -> str:
    # Escaped, because a key may hold what no encoding takes; `plain` makes null of what is not finite.
    return json.dumps(plain(value), allow_nan=False)


def _run(run: Run) -> dict[str, Any]:
    job = run.settings.job
    return {
        "run_id": run.run_id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "plug": job.plug.name,
        "client": run.settings.client.name,
        "analyses": [analysis.name for analysis in job.analyses],
        "counts": run.counts,
        "versions": run.versions,
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "unit": column.unit,
        "description": column.description,
        "sdt_name": column.source or None,
        "interval": list(column.interval) if column.interval else None,
    }


def _system(row: Mapping[str, Any], columns: Iterable[Column]) -> dict[str, Any]:
    body = row["body"] or {}
    is_failed = row["status"] == "failed"
    return {
        "key": json.loads(row["key"]),
        "status": row["state"],
        "run_reason": row["reason"],
        "grade": None if is_failed else row["grade"],
        "reasons": [] if is_failed else body.get("reasons", []),
        "results": _results(row, columns),
        "error": _error(row) if is_failed else None,
    }


def _results(row: Mapping[str, Any], columns: Iterable[Column]) -> dict[str, Any]:
    """Return the numbers as the table of results shows them: those that cannot be trusted are null."""
    values = (row["body"] or {}).get("columns", {})
    is_hidden = row["grade"] == Grade.WITHHELD.value or row["status"] == "failed"
    return {c.name: None if is_hidden and c.is_withheld else values.get(c.name) for c in columns}


def _error(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in ("cause", "message", "stage", "attempt")}
    return {**known, "fix": fix_of(str(row["cause"]))}
