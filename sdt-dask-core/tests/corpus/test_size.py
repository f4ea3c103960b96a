"""What a check costs: work and memory, counted rather than timed."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import FrameError
from sdt_dask_core.frames import check_frame
from sdt_dask_core.frames.received import MAX_ROWS

from .bad_frames import BAD_FRAMES
from .sound import sound_frame, with_stray

#: Times its own memory that a frame may take while it is checked, the result included; 2.4 when last measured.
MOST_TIMES = 3.0
#: The same where it is unsorted, off its grid and in another zone; 3.1 when last measured.
MOST_TIMES_TO_REPAIR = 4.0


def years_of(years: int, minutes: int) -> pd.DataFrame:
    """Return a sound frame whose index holds each timestamp, as one that was read does."""
    frame = sound_frame(days=years * 365, minutes=minutes, start="2012-01-01")
    return frame.set_axis(pd.DatetimeIndex(frame.index.to_numpy()), axis=0)


@pytest.fixture(scope="module")
def ten_years_of_minutes() -> pd.DataFrame:
    return years_of(10, 1)


@pytest.fixture(scope="module")
def five_years() -> pd.DataFrame:
    return years_of(5, 5)


def peak_of(work: Callable[[], Any]) -> int:
    """Return the most memory that was held at once while something was done [bytes]."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def checked(frame: pd.DataFrame) -> Any:
    try:
        return check_frame(frame, units="kW")
    except FrameError as error:
        return error


def bytes_of(frame: pd.DataFrame) -> int:
    return int(frame.memory_usage().sum())


def test_ten_years_of_minutes_are_checked_in_three_times_their_memory(ten_years_of_minutes: pd.DataFrame) -> None:
    assert len(ten_years_of_minutes) == 5_256_000
    peak = peak_of(lambda: checked(ten_years_of_minutes))
    assert peak < MOST_TIMES * bytes_of(ten_years_of_minutes)


def test_what_needs_every_repair_takes_four_times_its_memory(ten_years_of_minutes: pd.DataFrame) -> None:
    year = ten_years_of_minutes.iloc[: 365 * 1440]
    rng = np.random.default_rng(1)
    jittered = year.set_axis(year.index + pd.to_timedelta(rng.integers(0, 10, len(year)), unit="s"), axis=0)
    worst = jittered.iloc[rng.permutation(len(year))].tz_localize("UTC")
    codes = {finding.code for finding in checked(worst).findings}
    assert {"sorted", "jitter_rounded", "time_zone_converted"} <= codes
    assert peak_of(lambda: checked(worst)) < MOST_TIMES_TO_REPAIR * bytes_of(worst)


@pytest.mark.parametrize("stamp", ["1970-01-01", "1700-01-01", "2262-01-01"])
def test_a_stray_row_takes_less_memory_than_the_check_of_a_sound_frame(five_years: pd.DataFrame, stamp: str) -> None:
    """Solar Data Tools lays out the half century: minutes, and gigabytes."""
    assert len(five_years) == 525_600
    frame = with_stray(stamp, five_years)
    assert checked(frame).finding == "stray_timestamps"
    assert peak_of(lambda: checked(frame)) <= peak_of(lambda: checked(five_years))


def test_a_stray_row_takes_less_work_than_the_check_of_a_sound_frame(
    five_years: pd.DataFrame, record_property: Callable[[str, object], None]
) -> None:
    stray = with_stray("1970-01-01", five_years)
    # Of the processor, not of the clock, and the best of several: what else the machine does is left out.
    seconds = {name: min(_processor_seconds(frame) for _ in range(5)) for name, frame in
               {"stray": stray, "sound": five_years}.items()}  # fmt: skip
    record_property("milliseconds", {name: round(1000 * value, 1) for name, value in seconds.items()})
    assert seconds["stray"] <= seconds["sound"]


def _processor_seconds(frame: pd.DataFrame) -> float:
    start = time.process_time()
    checked(frame)
    return time.process_time() - start


def test_a_frame_that_is_too_large_is_refused_before_anything_is_copied() -> None:
    frame = BAD_FRAMES["32 million rows"].make()
    assert peak_of(lambda: checked(frame)) < 1024**2


def test_the_largest_frame_is_ten_years_of_ten_seconds() -> None:
    assert MAX_ROWS == 10 * 366 * 86_400 / 10
