"""Tables of a run: one row per key, one row per failed key, one row per withheld system, and the fleet's summary.

A number that cannot be trusted never stands among the results: for a system graded *withheld* the columns that its
grade touches are empty in `results_table`, and stand, with the reasons, in `withheld_table` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses import Analysis, Column, Grade
from sdt_dask_core.causes import fix_of
from sdt_dask_core.keys import key_label

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FRAME_COLUMNS",
    "errors_table",
    "result_columns",
    "results_table",
    "summary_table",
    "typed_table",
    "withheld_table",
]

#: Columns that the checks of a frame add to every row.
FRAME_COLUMNS: tuple[Column, ...] = (
    Column("n_timestamps", "count", "Number of time stamps in the frame."),
    Column("first_timestamp", "time", "The first time stamp, local standard time."),
    Column("last_timestamp", "time", "The last time stamp, local standard time."),
    Column("length_days", "d", "Days from the first to the last time stamp."),
    Column("missing_fraction", "1", "Share of the time stamps without a value."),
    Column("longest_gap_days", "d", "Longest stretch without any value."),
)

Rows = Iterable[Mapping[str, Any]]


def result_columns(analyses: Iterable[Analysis]) -> tuple[Column, ...]:
    """Return the result columns of these analyses, those of the frame first."""
    return (*FRAME_COLUMNS, *(column for analysis in analyses for column in analysis.provides))


def results_table(rows: Rows, columns: Iterable[Column]) -> pd.DataFrame:
    """Return one row per key, numbers of withheld systems left empty.

    Parameters
    ----------
    rows : iterable of mapping
        As `LedgerReader.rows` yields them.
    columns : iterable of Column
        The result columns.

    Returns
    -------
    pandas.DataFrame, shape (n_keys, 5 + n_columns)
        ``key`` (as `key_label` shows it), ``status`` (done, failed, skipped, todo), ``run_reason`` (why it ran or not:
        new, changed: data, unchanged, vanished …), ``grade`` (ok, caution, withheld), ``reasons`` (of the grade), then
        the result columns with their units in their names.
    """
    columns = list(columns)
    records = [{**_head(row), **_numbers(row, columns)} for row in rows]
    return _typed(
        _frame(records, ["key", "status", "run_reason", "grade", "reasons", *(c.name for c in columns)]), columns
    )


def withheld_table(rows: Rows, columns: Iterable[Column]) -> pd.DataFrame:
    """Return one row per withheld system with the numbers that `results_table` leaves empty, for diagnosis only."""
    hidden = [column for column in columns if column.is_withheld]
    records = []
    for row in rows:
        if row["grade"] == Grade.WITHHELD.value:
            values = (row["body"] or {}).get("columns", {})
            records.append({**_head(row), **{column.name: values.get(column.name) for column in hidden}})
    return _typed(_frame(records, ["key", "reasons", *(c.name for c in hidden)]), hidden)


def errors_table(rows: Rows) -> pd.DataFrame:
    """Return one row per failed key.

    Returns
    -------
    pandas.DataFrame, shape (n_failed, 6)
        ``key``, ``cause`` (stable code), ``message``, ``stage`` (plug, read, check, the analysis' name, or worker),
        ``fix``, ``attempt``.
    """
    names = ["key", "cause", "message", "stage", "fix", "attempt"]
    failed = [row for row in rows if row["state"] == "failed"]
    records = [
        {**{name: row.get(name) for name in names}, "key": _label(row["key"]), "fix": fix_of(str(row["cause"]))}
        for row in failed
    ]
    return _frame(records, names)


def summary_table(results: pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """Summarise a fleet over its trusted systems only.

    Parameters
    ----------
    results : pandas.DataFrame
        As `results_table` returns it.
    columns : iterable of Column
        The result columns.

    Returns
    -------
    pandas.DataFrame, shape (n_numeric_columns, 5)
        By column: ``unit``, ``median``, ``p10``, ``p90``, and ``n_used``, the number of systems that have the number
        and are not withheld. ``attrs["n_systems"]`` is the number of all.
    """
    import pandas as pd

    trusted = results[results["grade"].isin([Grade.OK.value, Grade.CAUTION.value])]
    records = []
    for column in columns:
        if column.unit in ("bool", "time", "text"):
            continue
        values = pd.to_numeric(trusted[column.name], errors="coerce").dropna()
        quantiles = {name: values.quantile(q) for name, q in (("median", 0.5), ("p10", 0.1), ("p90", 0.9))}
        records.append({"column": column.name, "unit": column.unit, **quantiles, "n_used": len(values)})
    summary = pd.DataFrame.from_records(records, columns=["column", "unit", "median", "p10", "p90", "n_used"])
    table: pd.DataFrame = summary.set_index("column")
    table.attrs["n_systems"] = len(results)
    return table


def typed_table(records: list[dict[str, Any]], columns: list[Column]) -> pd.DataFrame:
    """Return records as a table of these columns, each with the type of its unit."""
    return _typed(_frame(records, [column.name for column in columns]), columns)


def _label(text: str) -> str:
    label = key_label(text)
    # A file name that is no UTF-8 holds lone surrogates, which no table takes; its canonical text escapes them.
    return label if label.encode("utf-8", "ignore").decode("utf-8") == label else text


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    body = row["body"] or {}
    is_failed = row["status"] == "failed"
    return {
        "key": _label(row["key"]),
        "status": row["state"],
        "run_reason": row["reason"],
        "grade": None if is_failed else row["grade"],
        "reasons": "" if is_failed else "; ".join(body.get("reasons", [])),
    }


def _numbers(row: Mapping[str, Any], columns: Iterable[Column]) -> dict[str, Any]:
    values = (row["body"] or {}).get("columns", {})
    is_withheld = row["grade"] == Grade.WITHHELD.value or row["status"] == "failed"
    return {column.name: None if is_withheld and column.is_withheld else values.get(column.name) for column in columns}


def _frame(records: list[dict[str, Any]], names: list[str]) -> pd.DataFrame:
    import pandas as pd

    frame: pd.DataFrame = pd.DataFrame.from_records(records, columns=names)
    return frame


def _typed(table: pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """Give each column the type of its unit, so that an empty one is no column of objects."""
    import pandas as pd

    for column in columns:
        values = table[column.name]
        if column.unit == "time":
            table[column.name] = pd.to_datetime(values)
        elif column.unit in ("bool", "count"):
            table[column.name] = values.astype("boolean" if column.unit == "bool" else "Int64")
        elif column.unit != "text":
            table[column.name] = pd.to_numeric(values).astype("float64")
    return table
