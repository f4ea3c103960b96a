"""A frame without any finding, which the bad ones are made from."""

from __future__ import annotations

import numpy as np
import pandas as pd

NOW = pd.Timestamp("2024-01-01")


def sound_frame(days: int = 40, minutes: int = 15, start: str = "2020-03-01", name: object = "power") -> pd.DataFrame:
    """Return power [kW] of clear and cloudy days, up to 5 kW at noon, without noise or gaps."""
    per_day = 24 * 60 // minutes
    index = pd.date_range(start, periods=days * per_day, freq=f"{minutes}min")
    hour = np.asarray(index.hour + index.minute / 60)
    clouds = np.repeat(np.random.default_rng(7).uniform(0.3, 1.0, days), per_day)
    return pd.DataFrame({name: 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * clouds}, index=index)


def with_values(values: object) -> pd.DataFrame:
    """Return the frame with other values: one for all rows, or one for each."""
    frame = sound_frame()
    return pd.DataFrame({"power": values}, index=frame.index)


def with_objects(value: object, *, everywhere: bool = False) -> pd.DataFrame:
    """Return the frame as Python objects, one of them (in row 3) or all of them this one."""
    objects = np.empty(len(sound_frame()), dtype=object)
    objects[:] = sound_frame()["power"].tolist()
    for row in range(len(objects)) if everywhere else [3]:
        objects[row] = value
    return with_values(objects)


def with_index(index: object) -> pd.DataFrame:
    """Return the frame with another index of the same length."""
    frame: pd.DataFrame = sound_frame().set_axis(index, axis=0)
    return frame


def with_stray(stamp: str, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a frame with one more row, first in the table."""
    stray = pd.DataFrame({"power": [1.0]}, index=pd.DatetimeIndex(np.array([stamp], dtype="M8[s]")))
    frame = sound_frame() if frame is None else frame
    return pd.concat([stray, frame.set_axis(frame.index.as_unit("s"))])


def missing_where(flags: object) -> pd.DataFrame:
    """Return the frame without the values of these rows."""
    return sound_frame().mask(np.asarray(flags)[:, None])


def at_random(share: float, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return flags for the rows of the frame, this share of them true."""
    flags: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.random.default_rng(seed).random(len(sound_frame())) < share
    return flags
