"""What is published: the columns, and the rows in chunks, each with a digest that tells whether it is there already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses.base import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHUNK_ROWS", "RUN_COLUMN", "Chunk", "Publication", "chunks_of", "frame_of", "publication_of"]

#: Rows that are published at once.
CHUNK_ROWS = 10_000

#: The column that stands before those of the table of results.
RUN_COLUMN = Column("run_id", "text", "The run that the row is from.")


@dataclass(frozen=True, slots=True)
class Publication:
    """The results of one run, on their way to a target.

    Attributes
    ----------
    run_id : str
        The run.
    columns : tuple of Column
        Every column with its unit: ``run_id``, ``key``, and those of the table of results.
    n_rows, n_chunks : int
        How many there are.
    """

    run_id: str
    columns: tuple[Column, ...]
    n_rows: int
    n_chunks: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a publication, by what stands in its record.

    Attributes
    ----------
    number : int
        From 0 on. A row is in the same chunk whenever its run is published.
    n_rows : int
        Number of rows.
    digest : str
        Of the rows and the columns [hex]: a chunk that is there with this digest is not written again.
    """

    number: int
    n_rows: int
    digest: str


def publication_of(
    run_id: str, table: pd.DataFrame, columns: Sequence[Column], *, chunk_rows: int = CHUNK_ROWS
) -> Publication:
    """Return what tells a publisher of a table: its columns, and how many rows and chunks come."""
    return Publication(run_id, (RUN_COLUMN, *columns), len(table), -(-len(table) // chunk_rows))


def chunks_of(
    publication: Publication, table: pd.DataFrame, *, chunk_rows: int = CHUNK_ROWS
) -> Iterator[tuple[Chunk, list[dict[str, Any]]]]:
    """Yield each chunk with its rows, which hold text, numbers, truth, times and None by the names of the columns."""
    for number in range(publication.n_chunks):
        part = table.iloc[number * chunk_rows : (number + 1) * chunk_rows]
        rows = [{RUN_COLUMN.name: publication.run_id, **row} for row in _rows(part)]
        yield Chunk(number, len(rows), _digest(rows, publication.columns)), rows


def frame_of(rows: Iterable[Mapping[str, Any]], columns: Iterable[Column]) -> pd.DataFrame:
    """Return rows as a table with the types of their units, as exports have them."""
    from sdt_dask_core.report.tables import typed_table

    return typed_table([dict(row) for row in rows], list(columns))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    values = [_plain_values(table[name]) for name in table.columns]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*values, strict=True)]


def _plain_values(column: pd.Series[Any]) -> list[Any]:
    """Return the values of a column as Python has them: None where there is none, and text that any target takes."""
    import pandas as pd

    # astype(object): of a column of numbers, None would become NaN again.
    plain = column.astype(object).where(column.notna(), None)
    return [
        _text(value)
        if isinstance(value, str)
        else value.to_pydatetime(warn=False)
        if isinstance(value, pd.Timestamp)
        else value
        for value in plain.tolist()
    ]


def _text(text: str) -> str:
    return text.replace("\0", "\\x00")  # PostgreSQL takes no NUL


def _digest(rows: Sequence[Mapping[str, Any]], columns: Iterable[Column]) -> str:
    said = [[column.name, column.unit, column.description, column.source] for column in columns]
    text = json.dumps([said, list(map(dict, rows))], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
