"""The bad frames: how each is made, the finding that it must give, and the facts that must be named.

What Solar Data Tools 2.1.5 does with many of them: an error that names no cause, minutes of work, or plausible numbers.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sdt_dask_core.frames.received import MAX_ROWS
from sdt_dask_core.window import Window

from .sound import at_random, missing_where, sound_frame, with_index, with_objects, with_stray, with_values
from .strange import BoolOfNothing, Deep, Hungry, LiesOfItsLength, RaisesOnAttributes, RaisesOnColumns, Unprintable

N = len(sound_frame())


@dataclass(frozen=True)
class Bad:
    """One bad frame.

    Attributes
    ----------
    make : callable
        Makes it.
    code : str
        The finding that it must give.
    evidence : mapping
        Facts that the finding must name; it may name more.
    fails : bool
        Whether the key fails, rather than being repaired or noted.
    options : mapping
        What `check_frame` is told besides units="kW".
    """

    make: Callable[[], Any]
    code: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fails: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def _kept(make: Callable[[], Any], code: str, options: Mapping[str, Any] | None = None, **evidence: Any) -> Bad:
    return Bad(make, code, evidence, fails=False, options=options or {})


def _refused(make: Callable[[], Any], code: str, options: Mapping[str, Any] | None = None, **evidence: Any) -> Bad:
    return Bad(make, code, evidence, options=options or {})


def _with_attr(name: str, value: Any) -> pd.DataFrame:
    frame = sound_frame()
    frame.attrs[name] = value
    return frame


def _contains_itself() -> list[Any]:
    notes: list[Any] = []
    notes.append(notes)
    return notes


def _replaced(rows: slice, value: float) -> pd.DataFrame:
    frame = sound_frame()
    frame.iloc[rows] = value
    return frame


def _jittered(seconds: int, **how: Any) -> pd.DataFrame:
    frame = sound_frame(**how)
    moves = np.random.default_rng(5).integers(-seconds, seconds, len(frame))
    return frame.set_axis(frame.index + pd.to_timedelta(moves, unit="s"), axis=0).sort_index()


def _too_large() -> pd.DataFrame:
    # One value seen 32 million times: nothing of the size is in memory, so whoever copied it would be seen.
    return pd.DataFrame(np.broadcast_to(np.zeros((1, 1)), (MAX_ROWS + 1, 1)), columns=["power"], copy=False)


def _one_second() -> pd.DataFrame:
    day = sound_frame(days=1)
    return day.reindex(pd.date_range(day.index[0], periods=86_400, freq="s")).interpolate()


def _daily_counter() -> pd.DataFrame:
    frame = sound_frame()
    frame["power"] = frame["power"].groupby(frame.index.date).cumsum()
    return frame


def _changed_interval() -> pd.DataFrame:
    return pd.concat([sound_frame(days=20, minutes=5), sound_frame(days=20, start="2020-03-21")])


_NO_FRAMES = {
    "nothing": _refused(lambda: None, "not_a_frame", type="NoneType"),
    "a list": _refused(lambda: [1.0, 2.0], "not_a_frame", type="list"),
    "an array": _refused(lambda: sound_frame().to_numpy(), "not_a_frame", type="numpy.ndarray"),
    "a dictionary of frames": _refused(lambda: {"a": sound_frame()}, "not_a_frame", type="dict"),
    "a generator of frames": _refused(lambda: iter([sound_frame()]), "not_a_frame", type="list_iterator"),
    "an Arrow table": _refused(lambda: pa.Table.from_pandas(sound_frame()), "not_a_frame", type="pyarrow.lib.Table"),
    "the class itself": _refused(lambda: pd.DataFrame, "not_a_frame", type="type"),
    "no rows": _refused(lambda: sound_frame().iloc[:0], "empty", n_rows=0),
    "no rows and no columns": _refused(pd.DataFrame, "empty", n_rows=0),
    "no columns": _refused(lambda: sound_frame()[[]], "no_columns", n_rows=N),
    "32 million rows": _refused(_too_large, "too_large", n_rows=MAX_ROWS + 1, max_rows=MAX_ROWS),
    "a subclass whose attrs raise": _refused(
        lambda: RaisesOnAttributes(sound_frame()), "unreadable_frame", error_type="RuntimeError"
    ),
    "an object that raises at the question whether it is missing": _refused(
        lambda: with_objects(decimal.Decimal("sNaN")), "unreadable_frame", error_type="InvalidOperation"
    ),
    "a note whose truth is no truth": _refused(
        lambda: _with_attr("notes", [{"message": "x", "repaired": BoolOfNothing()}]), "unreadable_frame"
    ),
}

_COLUMNS = {
    "two numeric columns": _refused(
        lambda: sound_frame().assign(irradiance=1.0), "ambiguous_column", columns=["power", "irradiance"]
    ),
    "two columns of one name": _refused(
        lambda: pd.concat([sound_frame(), sound_frame()], axis=1), "ambiguous_column", columns=["power", "power"]
    ),
    "ten thousand columns": _refused(
        lambda: pd.DataFrame(np.zeros((100, 10_000)), index=sound_frame().index[:100]),
        "ambiguous_column",
        columns=[str(number) for number in range(50)],
    ),
    "columns of two levels": _refused(
        lambda: pd.concat([sound_frame(), sound_frame()], axis=1, keys=["a", "b"]),
        "ambiguous_column",
        columns=["('a', 'power')", "('b', 'power')"],
    ),
    "text beside the power": _kept(
        lambda: sound_frame().assign(site="A", flag=True),
        "extra_columns_dropped",
        kept="power",
        dropped=["site", "flag"],
    ),
    "numbers as text": _refused(lambda: sound_frame().astype(str), "not_numeric"),
    "decimal commas": _refused(lambda: with_values("1,5"), "not_numeric"),
    "one text among numbers": _refused(lambda: with_objects("n/a"), "not_numeric", columns={"power": "object"}),
    "booleans": _refused(lambda: sound_frame() > 1, "not_numeric", columns={"power": "bool"}),
    "nullable booleans": _refused(
        lambda: (sound_frame() > 1).astype("boolean"), "not_numeric", columns={"power": "boolean"}
    ),
    "Arrow booleans": _refused(
        lambda: (sound_frame() > 1).astype("bool[pyarrow]"), "not_numeric", columns={"power": "bool[pyarrow]"}
    ),
    "Arrow lists": _refused(
        lambda: with_values(pd.array([[1.0]] * N, dtype=pd.ArrowDtype(pa.list_(pa.float64())))), "not_numeric"
    ),
    "complex numbers": _refused(lambda: sound_frame().astype(complex), "not_numeric", columns={"power": "complex128"}),
    "categories": _refused(lambda: sound_frame().astype("category"), "not_numeric", columns={"power": "category"}),
    "timestamps as values": _refused(lambda: with_values(sound_frame().index), "not_numeric"),
    "time spans as values": _refused(lambda: with_values(sound_frame().index - sound_frame().index[0]), "not_numeric"),
    "bytes": _refused(lambda: with_objects(b"1", everywhere=True), "not_numeric"),
    "frames in cells": _refused(lambda: with_objects(sound_frame()), "not_numeric"),
    "lists that contain themselves": _refused(lambda: with_objects(_contains_itself()), "not_numeric"),
    "a list ten thousand levels deep": _refused(lambda: with_objects(Deep.list()), "not_numeric"),
    "objects that eat memory when they become numbers": _refused(lambda: with_objects(Hungry()), "not_numeric"),
    "objects that cannot be printed": _refused(lambda: with_objects(Unprintable()), "not_numeric"),
    "objects that are numbers": _kept(lambda: sound_frame().astype(object), "converted_to_numbers", column="power"),
    "an integer beyond every float": _kept(lambda: with_objects(10**400), "infinite_masked", n_values=1),
    "Python decimals": _kept(
        lambda: with_values([decimal.Decimal(f"{x:.3f}") for x in sound_frame()["power"]]), "converted_to_numbers"
    ),
}

_NOTES = {
    "a sentence of the plug": _kept(lambda: _with_attr("notes", "dropped 3 rows"), "plug_note"),
    "notes that contain themselves": _kept(lambda: _with_attr("notes", _contains_itself()), "plug_note"),
    "a hundred thousand notes": _kept(lambda: _with_attr("notes", ["x"] * 100_000), "plug_note"),
}

_STAMPS = {
    "timestamps in a column": _kept(
        lambda: sound_frame().rename_axis("ts").reset_index(), "timestamp_column", column="ts"
    ),
    "row numbers": _refused(lambda: with_index(range(N)), "no_datetime_index", index_type="RangeIndex"),
    "numbers as index": _refused(lambda: with_index(np.arange(N) + 0.5), "no_datetime_index", dtype="float64"),
    "text as index": _refused(lambda: with_index(sound_frame().index.astype(str)), "no_datetime_index"),
    "an index of two levels": _refused(
        lambda: sound_frame().set_index(pd.Series("A", index=sound_frame().index), append=True),
        "no_datetime_index",
        index_type="MultiIndex",
    ),
    "periods": _refused(lambda: sound_frame().to_period("15min"), "no_datetime_index", index_type="PeriodIndex"),
    "time since the start": _refused(
        lambda: with_index(sound_frame().index - sound_frame().index[0]),
        "no_datetime_index",
        index_type="TimedeltaIndex",
    ),
    "intervals": _refused(
        lambda: sound_frame().iloc[:-1].set_axis(pd.IntervalIndex.from_breaks(sound_frame().index), axis=0),
        "no_datetime_index",
        index_type="IntervalIndex",
    ),
    "categories of timestamps": _refused(
        lambda: with_index(pd.CategoricalIndex(sound_frame().index)), "no_datetime_index", dtype="category"
    ),
    "Python datetimes": _refused(
        lambda: with_index(pd.Index(sound_frame().index.to_pydatetime(), dtype=object)),
        "no_datetime_index",
        dtype="object",
    ),
    "two time zones in one index": _refused(
        lambda: with_index(
            pd.Index([t.tz_localize("UTC" if t.hour % 2 else "Asia/Tokyo") for t in sound_frame().index], dtype=object)
        ),
        "no_datetime_index",
        dtype="object",
    ),
    "Arrow dates": _refused(
        lambda: with_index(pd.Index(sound_frame().index.date, dtype="date32[pyarrow]")), "no_datetime_index"
    ),
    "no timestamp at all": _refused(lambda: with_index(pd.DatetimeIndex([pd.NaT] * N)), "empty", n_rows=N),
    "a row without a timestamp": _kept(
        lambda: with_index(sound_frame().index.where(np.arange(N) != 7)), "missing_timestamps_dropped", n_rows=1
    ),
    "backwards": _kept(lambda: sound_frame().iloc[::-1], "sorted", n_rows=N - 1),
    "shuffled": _kept(lambda: sound_frame().sample(frac=1.0, random_state=1), "sorted"),
    "rows twice": _kept(lambda: pd.concat([sound_frame(), sound_frame()]), "duplicates_dropped", n_rows=N),
    "rows twice with other values": _kept(
        lambda: pd.concat([sound_frame(), sound_frame().iloc[40:50] + 1]),
        "conflicting_duplicates",
        n_rows=10,
        first="2020-03-01T10:00:00",
    ),
    "one timestamp repeated": _refused(
        lambda: with_index(pd.DatetimeIndex([sound_frame().index[50]] * N)), "too_few_values"
    ),
    "a row of 1970": _refused(
        lambda: with_stray("1970-01-01"), "stray_timestamps", n_rows=1, timestamps=["1970-01-01T00:00:00"]
    ),
    "a row of the year 1700": _refused(
        lambda: with_stray("1700-01-01"), "stray_timestamps", timestamps=["1700-01-01T00:00:00"]
    ),
    "a row of the year 2262": _refused(
        lambda: with_stray("2262-04-11"), "stray_timestamps", timestamps=["2262-04-11T00:00:00"]
    ),
    "a row of the year 9999": _refused(
        lambda: with_stray("9999-12-31").tz_localize("UTC").tz_convert("Asia/Tokyo"), "stray_timestamps"
    ),
    "a row before all calendars": _refused(lambda: with_stray("-146138510344-07-14T16:14:56"), "stray_timestamps"),
    "a row before all calendars, in a zone": _refused(
        lambda: with_stray("-290000-01-01").tz_localize("UTC").tz_convert("Asia/Tokyo"), "stray_timestamps"
    ),
    "seconds read as nanoseconds": _refused(
        lambda: with_index(pd.DatetimeIndex(sound_frame().index.as_unit("s").asi8)), "stray_timestamps"
    ),
    "all in the future": _refused(lambda: sound_frame(start="2150-01-01"), "stray_timestamps", n_rows=N),
    "twenty years without data": _refused(
        lambda: pd.concat([sound_frame(start="2000-03-01"), sound_frame()]), "too_sparse", n_days=80, n_days_span=7345
    ),
    "five days a year": _refused(
        lambda: pd.concat([sound_frame(days=5, start=f"{year}-06-01") for year in range(2015, 2021)]),
        "too_sparse",
        n_days=30,
    ),
    "two days": _refused(lambda: sound_frame(days=2), "too_short", n_days=2),
    "a zone with daylight saving": _kept(
        lambda: sound_frame().tz_localize("Etc/GMT+8").tz_convert("America/Los_Angeles"),
        "time_zone_converted",
        zone="America/Los_Angeles",
        utc_offset_hours=-8.0,
    ),
    "UTC of another continent": _refused(
        lambda: sound_frame().shift(freq="8h").tz_localize("UTC"), "midday_far_from_noon", utc_offset=-8
    ),
    "midday two hours late": _kept(lambda: sound_frame().shift(freq="2h"), "midday_off_noon", hours_from_noon=2.0),
}

_SAMPLING = {
    "daily": _refused(
        lambda: pd.DataFrame({"power": np.arange(60.0) % 7}, index=pd.date_range("2020-01-01", periods=60)),
        "sampling_too_coarse",
        sampling_interval_minutes=1440.0,
    ),
    "every 90 min": _kept(lambda: sound_frame(minutes=90), "sampling_coarse", sampling_interval_minutes=90.0),
    "every second": _refused(_one_second, "sampling_too_fine", sampling_interval_minutes=0.0167),
    "every 7 min": _refused(
        lambda: sound_frame(minutes=1).iloc[::7], "interval_does_not_fit_day", sampling_interval_minutes=7.0
    ),
    "5 min, then 15 min": _refused(_changed_interval, "mixed_sampling", n_changes=1),
    "scattered by more than the interval": _refused(lambda: _jittered(120, days=10, minutes=1), "mixed_sampling"),
    "jittered": _kept(lambda: _jittered(100).iloc[1:], "jitter_rounded", interval_minutes=15.0, n_merged=0),
    "60 % of the rows dropped": _kept(lambda: sound_frame()[at_random(0.4)], "missing_rows", interval_minutes=15.0),
    "80 % of the rows dropped": _refused(lambda: sound_frame()[at_random(0.2)], "too_thin", n_full_days=0),
    "half of the values missing": _kept(lambda: missing_where(at_random(0.5)), "daytime_missing", n_days=40),
    "every other value missing": _kept(
        lambda: missing_where(np.arange(N) % 2 == 0), "daytime_missing", missing_share=0.5
    ),
    "two values of three missing": _refused(
        lambda: missing_where(np.arange(N) % 3 != 0), "too_thin", n_full_days=0, n_days=40
    ),
}

_VALUES = {
    "nothing but NaN": _refused(lambda: with_values(np.nan), "all_missing", n_values=N, n_finite=0),
    "nothing but None": _refused(lambda: with_objects(None, everywhere=True), "all_missing", n_finite=0),
    "nothing but infinity": _refused(lambda: with_values(np.inf), "all_missing"),
    "some infinite": _kept(lambda: _replaced(slice(5, 7), -np.inf), "infinite_masked", n_values=2),
    "-9999 for missing": _kept(
        lambda: _replaced(slice(None, None, 100), -9999.0),
        "sentinel_masked",
        values=[{"value": -9999.0, "count": 39}],
        units="kW",
    ),
    "spikes of 1e12": _kept(lambda: _replaced(slice(50, 55), 1e12), "impossible_masked", n_values=5, largest_kw=1e12),
    "all of 1e300": _refused(lambda: sound_frame() * 1e300, "units_look_wrong"),
    "zero": _refused(lambda: with_values(0.0), "no_power", largest_kw=0.0),
    "night only": _refused(lambda: sound_frame().where(sound_frame() <= 0), "no_power"),
    "values of 1e-300": _refused(lambda: sound_frame() * 1e-300, "no_power"),
    "a constant": _refused(lambda: with_values(3.5), "constant", value_kw=3.5),
    "a sparse constant": _refused(lambda: with_values(3.5).astype(pd.SparseDtype("float64")), "constant"),
    "one row": _refused(lambda: sound_frame().iloc[50:51], "too_few_values", n_usable=1),
    "ten values": _refused(lambda: _replaced(slice(0, -10), np.nan), "too_few_values", n_usable=10),
    "the sign reversed": _refused(lambda: -sound_frame(), "mostly_negative", negative_share=1.0),
    "a counter": _refused(lambda: sound_frame().cumsum(), "looks_cumulative"),
    "a counter of each day": _refused(_daily_counter, "looks_cumulative"),
}

_UNITS = {
    "a unit of energy": _refused(sound_frame, "unknown_units", {"units": "kWh"}, units="kWh"),
    "a frame as the unit": _refused(lambda: _with_attr("units", sound_frame()), "unknown_units"),
    "no unit": _kept(sound_frame, "units_not_stated", {"units": None}, taken="kW"),
    "a column of W as kW": _refused(lambda: sound_frame(name="power_w"), "units_look_wrong", named="W", units="kW"),
    "a column of energy": _refused(lambda: sound_frame(name="energy_kwh"), "looks_like_energy", column="energy_kwh"),
    "W of a system of 5 kW": _refused(
        lambda: sound_frame() * 1000, "units_look_wrong", {"metadata": {"capacity_kw": 5}}, better_units="W"
    ),
    "five thousand megawatts": _kept(lambda: sound_frame() * 1e6, "implausible_size", units="kW"),
}

_WINDOW = {
    "rows before the window": _kept(sound_frame, "window_cut", {"window": Window.given(since="2020-03-11")}),
    "all rows before the window": _refused(sound_frame, "outside_window", {"window": Window.given(since="2021-03-11")}),
}

BAD_FRAMES: dict[str, Bad] = {
    **_NO_FRAMES,
    **_COLUMNS,
    **_NOTES,
    **_STAMPS,
    **_SAMPLING,
    **_VALUES,
    **_UNITS,
    **_WINDOW,
}

#: Frames that look odd and are nothing but power: each gives the power of `sound_frame`, without any finding.
SOUND_FRAMES: dict[str, Callable[[], Any]] = {
    "a subclass that lies of its length": lambda: LiesOfItsLength(sound_frame()),
    "a subclass whose columns raise": lambda: RaisesOnColumns(sound_frame()),
    "a Series": lambda: sound_frame()["power"],
    "attrs that contain themselves": lambda: _with_attr("me", _contains_itself()),
    "one column of two levels": lambda: sound_frame().set_axis(pd.MultiIndex.from_tuples([("a", "ac")]), axis=1),
    "a column named by a number": lambda: sound_frame(name=0),
    "a column whose name cannot be printed": lambda: sound_frame(name=Unprintable()),
    "a column with a name of a million letters": lambda: sound_frame(name="x" * 1_000_000),
    "sparse": lambda: sound_frame().astype(pd.SparseDtype("float64", 0.0)),
    "Float64": lambda: sound_frame().astype("Float64"),
    "Arrow": lambda: sound_frame().astype("double[pyarrow]"),
    "Arrow timestamps": lambda: with_index(sound_frame().index.astype("timestamp[us][pyarrow]")),
    "the other byte order": lambda: with_values(sound_frame()["power"].to_numpy().astype(">f8")),
    "stamps a nanosecond late": lambda: with_index(sound_frame().index.as_unit("ns") + pd.Timedelta(1, "ns")),
}
