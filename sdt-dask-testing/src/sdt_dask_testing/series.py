"""Frames as `get_data` returns them: what is wrong with one, and whether two are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["difference", "documented_problems", "frame_digest", "shares_memory", "spoil", "unusable"]

_LONGEST = 200


def unusable(frame: Any, *, units: Any, metadata: Any) -> str:
    """Return why a run would fail a key with this frame, or nothing."""
    from sdt_dask_core.errors import FrameError
    from sdt_dask_core.frames import FINDINGS, check_frame

    try:
        check_frame(frame, units=units, metadata=metadata if isinstance(metadata, Mapping) else None)
    except FrameError as error:
        code = str(getattr(error, "finding", ""))
        return f"{error} ({code})\n{FINDINGS.get(code, '')}".rstrip()
    return ""


def documented_problems(frame: Any) -> Iterator[str]:
    """Yield what is not as the hook documents it, though a run could mend it."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if not isinstance(frame, pd.DataFrame):
        yield f"it is a {type(frame).__name__}; return a pandas.DataFrame"
        return
    if not isinstance(frame.index, pd.DatetimeIndex):
        yield f"its index is a {type(frame.index).__name__}; return the timestamps as a DatetimeIndex"
    if frame.shape[1] != 1:
        yield f"it has {frame.shape[1]} columns ({', '.join(map(str, frame.columns))}); return the power column alone"
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if not is_numeric_dtype(dtype) or is_bool_dtype(dtype):
            yield f"its column {name!r} is of type {dtype}; return numbers: pandas.to_numeric"


def difference(one: Any, other: Any) -> str:
    """Return in what two frames differ, or nothing."""
    import pandas as pd

    if not isinstance(one, (pd.DataFrame, pd.Series)) or type(one) is not type(other):
        same = type(one) is type(other) and not hasattr(one, "__array__") and bool(one == other)
        return "" if same else f"a {type(one).__name__} and a {type(other).__name__}"
    assert_equal: Any = pd.testing.assert_frame_equal
    if isinstance(one, pd.Series):
        assert_equal = pd.testing.assert_series_equal
    try:
        assert_equal(one, other, check_exact=True, check_freq=False)
    except AssertionError as error:
        return " ".join(str(error).split())[:_LONGEST]
    return "" if one.attrs == other.attrs else f"attrs {one.attrs!r} and {other.attrs!r}"


def frame_digest(frame: Any) -> str:
    """Return a digest of the values of a frame, the same in every process; of anything else its type."""
    import pandas as pd

    if not isinstance(frame, (pd.DataFrame, pd.Series)):
        return type(frame).__name__
    names = [str(name) for name in getattr(frame, "columns", [])]
    rows = pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes()
    return hashlib.sha256(rows + repr(names).encode()).hexdigest()[:16]


def shares_memory(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Tell whether a value of one frame can be changed by changing the other."""
    import numpy as np

    ours, theirs = list(_columns(one)), list(_columns(other))
    return any(np.shares_memory(mine, yours) for mine in ours for yours in theirs)


def _columns(frame: Any) -> Iterator[Any]:
    for place in range(frame.shape[1]):
        yield frame.iloc[:, place].to_numpy()


def spoil(frame: pd.DataFrame) -> None:
    """Change a frame in place in every way that a reader might."""
    for value in frame.attrs.values():
        if isinstance(value, list):
            value.append("changed by the reader")
    frame.attrs["changed"] = "by the reader"
    frame.index.name = "changed by the reader"
    for name in dict.fromkeys(frame.columns):
        del frame[name]
    frame["another"] = 1.0
