"""One known system, and the ways in which programs write it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

STAMP = "%Y-%m-%d %H:%M"
HEAD = "timestamp,power"
_INDEX = pd.date_range("2020-03-01", periods=40 * 96, freq="15min")
_HOURS = np.asarray(_INDEX.hour + _INDEX.minute / 60)
_CLOUDS = np.repeat(np.random.default_rng(7).uniform(0.3, 1.0, 40), 96)

#: The power of the system [kW], which every file that can be read must give; whole watts.
POWER = pd.Series((5 * np.maximum(0.0, np.sin((_HOURS - 6) / 12 * np.pi)) * _CLOUDS).round(3), index=_INDEX)


@dataclass(frozen=True)
class File:
    """One file.

    Attributes
    ----------
    make : callable
        Makes its content.
    says : str
        A piece of the message, or the finding, that it must give; empty where it gives neither.
    name : str
        Its name in the folder.
    options : mapping
        The options of the plug that a user would set.
    """

    make: Callable[[], bytes]
    says: str = ""
    name: str = "site.csv"
    options: Mapping[str, Any] = field(default_factory=dict)


def lines(*, stamp: str = STAMP, number: Callable[[float], str] = "{:g}".format, separator: str = ",") -> list[str]:
    """Return the rows as text."""
    return [f"{when:{stamp}}{separator}{number(value)}" for when, value in POWER.items()]


def text(rows: list[str] | None = None, *, head: str = HEAD, end: str = "\n") -> str:
    """Return a table as text: a header and its rows."""
    return end.join([head, *(lines() if rows is None else rows), ""])


def written(rows: Callable[[], list[str]], says: str = "", *, head: str = HEAD, **options: Any) -> File:
    """Return a file of these rows."""
    return File(lambda: text(rows(), head=head).encode(), says, options=options)


def said(content: Callable[[], str | bytes], says: str = "", *, name: str = "site.csv", **options: Any) -> File:
    """Return a file of this content."""

    def make() -> bytes:
        made = content()
        return made if isinstance(made, bytes) else made.encode()

    return File(make, says, name, options)


def parquet(table: Callable[[], Any], says: str = "", **options: Any) -> File:
    """Return a Parquet file of an Arrow table."""
    return File(lambda: as_parquet(table()), says, "site.parquet", options)


def as_parquet(table: Any) -> bytes:
    """Return an Arrow table as Parquet."""
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def arrow(stamps: Any = None, power: Any = None) -> Any:
    """Return the system as an Arrow table, with another type of its timestamps or its power."""
    stamps = pa.array(POWER.index.as_unit("us")) if stamps is None else stamps
    return pa.table({"timestamp": stamps, "power": pa.array(POWER.to_numpy()) if power is None else power})


def after(line: int, more: str) -> str:
    """Return the table with more text after so many lines."""
    rows = text().splitlines(keepends=True)
    return "".join([*rows[:line], more, *rows[line:]])


def grouped(sign: str, *, point: str = ".", digits: int = 1, separator: str = ";") -> list[str]:
    """Return the rows in W with a sign between thousands."""
    signs = str.maketrans({",": sign, ".": point})
    return [f"{when:{STAMP}}{separator}{f'{1000 * v:,.{digits}f}'.translate(signs)}" for when, v in POWER.items()]


def packed() -> bytes:
    """Return the table compressed."""
    return gzip.compress(text().encode(), mtime=0)
