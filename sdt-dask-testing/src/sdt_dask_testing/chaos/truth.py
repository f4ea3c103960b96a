"""The truth: what the rows of a fleet must say, and whether they do."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sdt_dask_core import Run
from sdt_dask_core.keys import Key, canonical_text
from sdt_dask_testing.chaos.fleet import true_columns
from sdt_dask_testing.chaos.tally import Tally
from sdt_dask_testing.faulty import FAULTS, Expected, FaultyPlug

__all__ = ["check_rows", "compare_tables", "read_table", "wrong_in"]

_WHY = "run_reason"


def check_rows(output: Path, plug: FaultyPlug, keys: Iterable[Key], tally: Tally) -> int:
    """Compare the rows of the newest run with the truth, and count harm in `tally`; return their number.

    Parameters
    ----------
    output : path
        The output folder.
    plug : FaultyPlug
        Reads the good ones once more, here.
    keys : iterable of key
        All of them; the first part names the fault, as in `FAULTS`.
    tally : Tally
        Where harm is counted.
    """
    rows = Run(output).rows
    bodies = {row["key"]: row["body"] or {} for row in rows}
    for key in keys:
        text = canonical_text(key)
        if text not in bodies:
            tally.harm("lost", f"the key {text} has no row")
        elif wrong := wrong_in(bodies[text], FAULTS[str(key[0])], partial(true_columns, plug, key)):
            tally.harm("wrong", f"the key {text}: {wrong}")
    return len(rows)


def wrong_in(body: Mapping[str, Any], wanted: Expected, truth: Callable[[], Mapping[str, Any]]) -> str:
    """Return what an outcome says that is not true, or nothing."""
    if body.get("status") != wanted.status:
        return f"it is {body.get('status')!r} and not {wanted.status!r}: {body.get('message')}"
    if wanted.status == "failed":
        said = (body.get("cause"), body.get("stage"))
        if said != (wanted.cause, wanted.stage) or wanted.says not in str(body.get("message")):
            return f"{said}, {body.get('message')!r} instead of {(wanted.cause, wanted.stage)}, {wanted.says!r}"
        return ""
    columns = body.get("columns", {})
    for name, value in truth().items():
        if not _is_same(columns.get(name), value):
            return f"{name} is {columns.get(name)!r} and not {value!r}"
    return ""


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


def read_table(output: Path) -> list[dict[str, str]]:
    """Return the records of ``results.csv`` as text."""
    with (output / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compare_tables(undisturbed: list[dict[str, str]], table: list[dict[str, str]], tally: Tally) -> None:
    """See that a table is that of an undisturbed run, cell by cell and in its order, and count harm in `tally`.

    Why a key ran may differ: what an earlier run had done before another one was started is ``skipped`` there, with the
    same numbers.
    """
    times = Counter(record["key"] for record in table)
    for record in undisturbed:
        if times[record["key"]] != 1:
            kind = "duplicated" if times[record["key"]] else "lost"
            tally.harm(kind, f"{record['key']} stands {times[record['key']]} times in results.csv")
    if [_told(record) for record in table] != [_told(record) for record in undisturbed]:
        pairs = itertools.zip_longest(map(_told, undisturbed), map(_told, table))
        different = [pair for pair in pairs if pair[0] != pair[1]]
        tally.harm("wrong", f"results.csv is not that of an undisturbed run: {different[:3]}")


def _told(record: Mapping[str, str]) -> dict[str, str]:
    return {**record, "status": record["status"].replace("skipped", "done"), _WHY: ""}
