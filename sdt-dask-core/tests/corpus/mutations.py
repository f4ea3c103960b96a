"""Frames made from a sound one by up to four mutations.

Random frames test the front door only: of 1,500 none gets past the first check. A sound frame with a few faults reaches
all the others, alone and together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import event
from hypothesis import strategies as st

from .sound import sound_frame

Mutation = Callable[[pd.DataFrame, np.random.Generator], Any]


def _values(change: Callable[[np.ndarray[Any, Any], np.random.Generator], Any]) -> Mutation:
    """Return a mutation of the values alone; frames whose values are no numbers are left as they are."""

    def mutated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        if frame.shape[1] == 0 or not pd.api.types.is_float_dtype(frame.dtypes.iloc[0]):
            return frame
        column = frame.iloc[:, 0].to_numpy(dtype=float, na_value=np.nan, copy=True)
        changed = frame.copy()
        changed.isetitem(0, change(column, rng))
        return changed

    return mutated


def _stamps(change: Callable[[pd.DatetimeIndex, np.random.Generator], Any]) -> Mutation:
    """Return a mutation of the timestamps alone; frames whose index is none are left as they are."""

    def mutated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        if not isinstance(frame.index, pd.DatetimeIndex):
            return frame
        return frame.set_axis(change(frame.index, rng), axis=0)

    return mutated


def _at_random(share: float, value: float) -> Mutation:
    return _values(lambda values, rng: np.where(rng.random(values.size) < share, value, values))


def _run_of(value: float) -> Mutation:
    def change(values: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
        start = int(rng.integers(0, max(values.size, 1)))
        values[start : start + int(rng.integers(1, 400))] = value
        return values

    return _values(change)


def _rows(choose: Callable[[int, np.random.Generator], Any]) -> Mutation:
    return lambda frame, rng: frame.iloc[choose(len(frame), rng)]


def _kept(share: float) -> Mutation:
    return _rows(lambda size, rng: np.flatnonzero(rng.random(size) < share))


def _shifted(span: pd.Timedelta) -> Mutation:
    return _stamps(lambda index, rng: index + span)


def _jittered(seconds: int) -> Mutation:
    return _stamps(
        lambda index, rng: index + pd.to_timedelta(rng.integers(-seconds, seconds + 1, len(index)), unit="s")
    )


def _stray(stamp: str) -> Mutation:
    def mutated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        if not isinstance(frame.index, pd.DatetimeIndex) or not len(frame):
            return frame
        when = pd.DatetimeIndex(np.array([stamp], dtype="M8[s]")).tz_localize(frame.index.tz)
        row = frame.iloc[[int(rng.integers(0, len(frame)))]].set_axis(when, axis=0)
        return pd.concat([frame.set_axis(frame.index.as_unit("s"), axis=0), row])

    return mutated


def _noon_doubled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[len(frame) // 3 : len(frame) // 2] * 2]) if _is_number(frame) else frame


def _is_number(frame: pd.DataFrame) -> bool:
    return all(pd.api.types.is_float_dtype(dtype) for dtype in frame.dtypes)


def _as(dtype: Any) -> Mutation:
    return lambda frame, rng: frame.astype(dtype) if _is_number(frame) and frame.notna().all(axis=None) else frame


def _named(name: Any) -> Mutation:
    return lambda frame, rng: frame.set_axis([name, *frame.columns[1:]], axis=1) if frame.shape[1] else frame


def _with_units(units: Any) -> Mutation:
    def mutated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        frame = frame.copy()
        frame.attrs["units"] = units
        return frame

    return mutated


def _in_zone(zone: str) -> Mutation:
    # From a fixed offset, so that no hour is doubled or left out.
    return _stamps(
        lambda index, rng: index if index.tz is not None else index.tz_localize("Etc/GMT+5").tz_convert(zone)
    )


def _indexed(change: Callable[[pd.Index], Any]) -> Mutation:
    return lambda frame, rng: frame.set_axis(change(frame.index), axis=0)


MUTATIONS: dict[str, Mutation] = {
    "an hour late": _shifted(pd.Timedelta("1h")),
    "five hours late": _shifted(pd.Timedelta("5h")),
    "seven minutes late": _shifted(pd.Timedelta("7min")),
    "in 1970": _shifted(pd.Timedelta(-18_300, "D")),
    "in the future": _shifted(pd.Timedelta(20_000, "D")),
    "jittered by seconds": _jittered(5),
    "jittered by minutes": _jittered(200),
    "a row of 1970": _stray("1970-01-01"),
    "a row of 1700": _stray("1700-01-01"),
    "a row of 2262": _stray("2262-01-01"),
    "some stamps missing": _stamps(lambda index, rng: index.where(rng.random(len(index)) > 0.02)),
    "all at once": _stamps(lambda index, rng: index[[0] * len(index)]),
    "microseconds": _stamps(lambda index, rng: index.as_unit("us")),
    "in New York": _in_zone("America/New_York"),
    "in UTC": _in_zone("UTC"),
    "in Kathmandu": _in_zone("Asia/Kathmandu"),
    "a tenth dropped": _kept(0.9),
    "half dropped": _kept(0.5),
    "nine tenths dropped": _kept(0.1),
    "one row": _rows(lambda size, rng: slice(0, 1)),
    "no row": _rows(lambda size, rng: slice(0, 0)),
    "the first half": _rows(lambda size, rng: slice(0, size // 2)),
    "every third": _rows(lambda size, rng: slice(None, None, 3)),
    "finer in the second half": _rows(lambda size, rng: np.r_[0 : size // 2 : 3, size // 2 : size]),
    "a long gap": _rows(lambda size, rng: np.r_[0 : size // 4, 3 * size // 4 : size]),
    "shuffled": _rows(lambda size, rng: rng.permutation(size)),
    "backwards": _rows(lambda size, rng: slice(None, None, -1)),
    "some rows twice": _rows(lambda size, rng: np.r_[0:size, rng.integers(0, max(size, 1), min(size, 50))]),
    "some rows twice with other values": _noon_doubled,
    "times ten": _values(lambda values, rng: values * 10),
    "times a thousand": _values(lambda values, rng: values * 1000),
    "times 1e9": _values(lambda values, rng: values * 1e9),
    "times 1e305": _values(lambda values, rng: values * 1e305),
    "times 1e-300": _values(lambda values, rng: values * 1e-300),
    "plus a little": _values(lambda values, rng: values + 0.01),
    "minus a lot": _values(lambda values, rng: values - 3),
    "negative": _values(lambda values, rng: -values),
    "summed up": _values(lambda values, rng: np.nancumsum(values)),
    "noise": _values(lambda values, rng: values + rng.normal(0, 0.2, values.size)),
    "only noise": _values(lambda values, rng: rng.random(values.size)),
    "constant": _values(lambda values, rng: np.full(values.size, 2.5)),
    "zero": _values(lambda values, rng: np.zeros(values.size)),
    "clipped": _values(lambda values, rng: np.minimum(values, 1.5)),
    "some missing": _at_random(0.1, np.nan),
    "many missing": _at_random(0.6, np.nan),
    "all missing": _at_random(1.1, np.nan),
    "a run missing": _run_of(np.nan),
    "a run stuck": _run_of(3.3),
    "some infinite": _at_random(0.01, np.inf),
    "some minus infinite": _at_random(0.01, -np.inf),
    "some -9999": _at_random(0.02, -9999.0),
    "some -1000000": _at_random(0.3, -1_000_000.0),
    "some 1e12": _at_random(0.01, 1e12),
    "the largest float": _at_random(0.01, 1.7976931348623157e308),
    "float32": _as("float32"),
    "Float64": _as("Float64"),
    "objects": _as(object),
    "text": _as(str),
    "complex": _as(complex),
    "booleans": _as(bool),
    "categories": _as("category"),
    "sparse": lambda frame, rng: frame.astype(pd.SparseDtype("float64")) if _is_number(frame) else frame,
    "named in W": _named("power_w"),
    "named in kWh": _named("energy_kwh"),
    "named by nothing": _named(None),
    "in W": _with_units("W"),
    "in MW": _with_units("MW"),
    "in no unit": _with_units("hp"),
    "text beside it": lambda frame, rng: frame.assign(site="A"),
    "numbers beside it": lambda frame, rng: frame.assign(irradiance=1.0),
    "a column of stamps": lambda frame, rng: frame.rename_axis("ts").reset_index(),
    "a Series": lambda frame, rng: frame.iloc[:, 0] if frame.shape[1] else frame,
    "rows numbered": _indexed(lambda index: pd.RangeIndex(len(index))),
    "stamps as text": _indexed(lambda index: index.astype(str)),
}

# A mutation after these would often have nothing to work on.
_LAST = ("a Series", "a column of stamps", "rows numbered", "stamps as text")


@st.composite
def mutated_frames(draw: st.DrawFn) -> Any:
    """Draw a sound frame and up to four mutations of it."""
    days, minutes = draw(st.integers(3, 40)), draw(st.sampled_from([5, 15, 30, 60]))
    frame: Any = sound_frame(days, minutes, start=draw(st.sampled_from(["2020-03-01", "2019-12-20", "1999-10-31"])))
    chosen = draw(st.lists(st.sampled_from(list(MUTATIONS)), max_size=4, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    for name in sorted(chosen, key=lambda name: name in _LAST):
        if isinstance(frame, pd.DataFrame):
            # What overflows here becomes infinite, which is meant; nanoseconds, which older pandas makes of everything,
            # end in 2262 and cannot be moved on from there.
            with np.errstate(all="ignore"), suppress(OverflowError, pd.errors.OutOfBoundsDatetime):
                frame = MUTATIONS[name](frame, rng)
    event(f"{len(chosen)} mutations")
    return frame
