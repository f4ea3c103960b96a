"""The fast way through tables: taken where they are plain, and never with another result than the careful way."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.tables import TableFormat, csv_table, parquet_table, read_power
from sdt_dask_core.tables.plain import as_category

WIDE = "timestamp,power\n2020-01-01 11:00,1.5\n2020-01-01 12:00,\n"
LONG = "site,meas_name,ts,sensor,meas_val_f\ns,ac_power,2020-01-01 11:00:00,inv_1,1.0\ns,,2020-01-01 12:00:00,2,-7\n"

# Signs that mean something to one reader or the other.
SIGNS = " \t\r\n\"',;|.:-+/T_Zze0129\0\v\xa0\u2009é\ufeff"

ODD_NUMBERS = [
    "", "NaN", "NA", "-nan", "NAN", "nan(1)", "inf", "-Infinity", "True", "1e400", "1e-400", "4.9e-324", "0x1f",
    "18446744073709551616", "1_000", "1,5", "+1", ".5", "5.", "1e5", "1E+5", "1d5", "00017", "-0", "--", "Bad",
]  # fmt: skip


@st.composite
def misspelt(draw: st.DrawFn, texts: st.SearchStrategy[str], changes: int) -> str:
    text = draw(texts)
    for _ in range(draw(st.integers(0, changes))):
        place = draw(st.integers(0, len(text)))
        added = draw(st.sampled_from(["", *SIGNS]))
        text = text[:place] + added + text[place + draw(st.integers(0, 1)) :]
    return text


stamps = st.one_of(
    st.datetimes(pd.Timestamp("1600-01-01").to_pydatetime(), pd.Timestamp("2300-01-01").to_pydatetime()).flatmap(
        lambda stamp: st.sampled_from(
            [
                stamp.isoformat(" "),
                stamp.isoformat("T", "seconds"),
                stamp.isoformat(" ", "minutes"),
                stamp.isoformat("T", "hours"),
                stamp.isoformat("T", "milliseconds") + "Z",
                stamp.isoformat(" ", "seconds") + "-08:00",
                f"{stamp:%Y-%m-%d}",
                f"{stamp:%Y%m%dT%H%M}",
                f"{stamp:%Y-%m-%d %H%M}",
                f"{stamp:%d/%m/%Y %H:%M}",
            ]
        )
    ),
    st.dates(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2021-01-01").date()).map(lambda day: f"{day} 12:00"),
    st.sampled_from(["", "NaN", "1577880000", "2020-01-01 24:00", "2020-02-30 12:00", "2020-01-01 11:59:60", "Total"]),
)
numbers = st.one_of(
    st.floats().map(repr),
    st.floats().map(lambda number: f"{number:.25g}"),
    st.floats(0, 1e6).map(lambda number: f"{number:.3f}"),
    st.integers(-(10**22), 10**22).map(str),
    st.sampled_from(ODD_NUMBERS),
)
labels = st.sampled_from(["inv_1", "2", "02", "NA", "", " a", "a ", "é", "nan", "1.0"])
separators = st.sampled_from([",", ",", ";", "\t", "|"])
ends = st.sampled_from(["\n", "\n", "\r\n", "\r"])


@st.composite
def wide_tables(draw: st.DrawFn) -> str:
    end, separator = draw(ends), draw(separators)
    rows = draw(st.lists(st.tuples(misspelt(stamps, 1), misspelt(numbers, 1), misspelt(numbers, 0)), max_size=5))
    width = draw(st.sampled_from([2, 2, 3]))
    lines = [separator.join(row[:width]) for row in [("timestamp", "power", "spare"), *rows]]
    return draw(misspelt(st.just(end.join(lines) + draw(st.sampled_from(["", end, end * 3]))), 1))


@st.composite
def long_tables(draw: st.DrawFn) -> str:
    header = "site,meas_name,ts,sensor,meas_val_f\n"
    cells = st.tuples(labels, labels, misspelt(stamps, 0), labels, misspelt(numbers, 0)) if draw(st.booleans()) else (
        st.tuples(st.just("s"), st.just("ac"), stamps, st.sampled_from(["inv_1", "2"]), numbers)
    )  # fmt: skip
    return draw(misspelt(st.just(header + "\n".join(map(",".join, draw(st.lists(cells, max_size=5))))), 1))


def outcome(content: bytes, **options: Any) -> Any:
    """Return all that a reading gives or says."""
    sensor = options.pop("sensor", None)
    try:
        frame = read_power(io.BytesIO(content), name="x", table_format=TableFormat(**options), sensor=sensor)
    except SdtDaskError as error:
        return type(error), str(error)
    power = [None if np.isnan(value) else value for value in frame.iloc[:, 0].tolist()]
    return frame.columns.tolist(), frame.dtypes.tolist(), frame.index.asi8.tolist(), power, frame.attrs


def with_care(read: Callable[[], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "read_plain_csv", lambda *_, **__: None)
        patch.setattr(parquet_table, "with_plain_stamps", lambda table, _: table)
        return read()


def fast_only(content: bytes, **options: Any) -> pd.DataFrame:
    """Read, and fail where the careful way is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table.CsvTable, "_read_with_care", None)
        patch.setattr("sdt_dask_core.tables.stamps._from_texts", None)
        return read_power(io.BytesIO(content), name="x", table_format=TableFormat(**options))


@given(
    wide_tables(), st.sampled_from([{}, {}, {"decimal": ","}, {"encoding": "cp1252"}, {"timestamp_column": "power"}])
)
@example(WIDE, {})
@example("timestamp,power\n13/01/1677 00:00,1\n,1\n", {})
@example("timestamp,power\n2020-01-01 11:00,1\n\n2020-01-01 12:00,2\n", {})
@example("timestamp,power\n2020-01-01 11:00,0.1234567890123456789\n2020-01-01 12:00,9007199254740993\n", {})
@settings(max_examples=150, deadline=None, derandomize=True)
def test_wide_tables_are_the_same_either_way(text: str, options: dict[str, Any]):
    content = text.encode("utf-8")
    assert outcome(content, **options) == with_care(lambda: outcome(content, **options))


@given(long_tables(), st.sampled_from([None, "inv_1", "2", "NA", ""]))
@example(LONG, "2")
@settings(max_examples=100, deadline=None, derandomize=True)
def test_long_tables_are_the_same_either_way(text: str, sensor: str | None):
    content = text.encode("utf-8")
    assert outcome(content, sensor=sensor) == with_care(lambda: outcome(content, sensor=sensor))


@given(st.lists(misspelt(stamps, 1), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_parquet_tables_of_texts_are_the_same_either_way(texts: list[str]):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"timestamp": texts, "power": [float(i) for i in range(len(texts))]}), buffer)
    content = buffer.getvalue()
    assert outcome(content, sensor="power") == with_care(lambda: outcome(content, sensor="power"))


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (WIDE, {}),
        (WIDE.replace(",", ";").replace(".", ","), {"decimal": ","}),
        (WIDE.replace("\n", "\r\n") + "\r\n\r\n", {}),
        ("\ufeff" + WIDE.replace("power", "Süd"), {}),
        (WIDE, {"encoding": "cp1252"}),
        (WIDE.replace("\n", ",\n"), {}),
        (LONG.replace("s,,", "s,ac_power,").replace(",2,", ",inv_1,"), {}),
    ],
)
def test_plain_tables_take_the_fast_way(content: str, options: dict[str, Any]):
    assert len(fast_only(content.encode(), **options)) == 2


def test_parquet_tables_of_iso_texts_take_the_fast_way():
    buffer = io.BytesIO()
    pq.write_table(pa.table({"timestamp": ["2020-01-01 11:00", "2020-01-01 12:00"], "power": [1.5, 2.5]}), buffer)
    assert len(fast_only(buffer.getvalue())) == 2


def test_each_number_is_read_as_the_nearest_float():
    texts = [repr(number) for number in np.random.default_rng(1).random(1000).tolist()]
    rows = "".join(f"2020-01-01 {i // 60:02d}:{i % 60:02d},{text}\n" for i, text in enumerate(texts))
    content = ("timestamp,power\n" + rows).encode()
    assert outcome(content)[3] == with_care(lambda: outcome(content))[3] == [float(text) for text in texts]


def coded(*texts: str | None) -> pa.Array:
    return pa.array(texts).dictionary_encode()


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.chunked_array([["a", None], ["b", "a"]]), ["a", "", "b", "a"]),
        (pa.chunked_array([coded("a", None), coded("b")]), ["a", "", "b"]),
        (pa.chunked_array([[1, 2, 1]]), ["1", "2", "1"]),
        (pa.chunked_array([[1.0, float("nan"), None]]), ["1.0", "", ""]),
        (pa.chunked_array([pa.nulls(2)]), ["", ""]),
    ],
)  # fmt: skip
def test_parquet_labels_of_any_kind_are_texts_and_never_missing(values: pa.ChunkedArray, texts: list[str]):
    assert as_category(values).tolist() == texts
