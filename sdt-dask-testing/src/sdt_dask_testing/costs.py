"""What a call costs, counted and not timed: files opened, bytes read, functions called, series returned."""

from __future__ import annotations

import functools
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ["Cost", "Meter", "why_not_cheaper"]

_MANY = 64 * 1024  # bytes; below, a listing or an index cannot be told from the data
_VERY_MANY = 1024 * 1024  # where it is not known which file was read
_SMALL_FILE = 1024


@dataclass(slots=True)
class Cost:
    """What one call cost.

    Attributes
    ----------
    files : dict
        Sizes of the files that Python opened, by path [bytes].
    bytes_read : int
        From files and databases; 0 where the system does not tell.
    bytes_received : int
        Through sockets of Python's.
    called : set of code
        The Python functions that ran; only where asked for.
    returned : list
        What these returned that has a length: ``(place, length, is a series)``.
    """

    files: dict[str, int] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_received: int = 0
    called: set[CodeType] = field(default_factory=set)
    returned: list[tuple[str, int, bool]] = field(default_factory=list)


class Meter:
    """Counts what calls cost in this process; made once, as an audit hook stays."""

    def __init__(self) -> None:
        self._cost: Cost | None = None
        sys.addaudithook(self._hear)
        for owner, names in ((socket.socket, ("recv", "recv_into")), (ssl.SSLSocket, ("read",))):
            for name in names:
                setattr(owner, name, self._counted(getattr(owner, name)))

    @contextmanager
    def on(self, *, with_calls: bool = False) -> Iterator[Cost]:
        """Count; the functions too, which makes the call slow."""
        cost = Cost()
        before = _bytes_read()
        self._cost = cost
        sys.setprofile(self._see if with_calls else None)
        try:
            yield cost
        finally:
            sys.setprofile(None)
            self._cost = None
            cost.bytes_read = _bytes_read() - before

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._cost is not None and event == "open" and isinstance(arguments[0], (str, os.PathLike)):
            path = os.path.realpath(arguments[0])
            if os.path.isfile(path):  # noqa: PTH113 - runs at each open
                self._cost.files[path] = os.path.getsize(path)  # noqa: PTH202

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if self._cost is None:
            return
        if event == "call":
            self._cost.called.add(frame.f_code)
        elif event == "return" and (length := _length(argument)):
            place = f"{frame.f_code.co_name}() at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            self._cost.returned.append((place, length, _is_series(argument)))

    def _counted(self, receive: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(receive)
        def counted(*arguments: Any, **more: Any) -> Any:
            received = receive(*arguments, **more)
            if self._cost is not None:
                self._cost.bytes_received += received if isinstance(received, int) else len(received)
            return received

        return counted


def _bytes_read() -> int:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return int(dict(line.split(": ") for line in lines)["rchar"])


def _length(value: Any) -> int:
    if isinstance(value, (str, bytes, bytearray)):
        return len(value)
    return len(value) if _is_series(value) else 0


def _is_series(value: Any) -> bool:
    """Tell whether this is a table with stamps, without importing pandas for it."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, (pandas.DataFrame, pandas.Series)):
        return False
    stamps = isinstance(value.index, pandas.DatetimeIndex)
    return stamps or any(dtype.kind == "M" for dtype in getattr(value, "dtypes", ()) if hasattr(dtype, "kind"))


def why_not_cheaper(first: Cost, second: Cost, read: Cost, *, code: CodeType | None, rows: int) -> str:
    """Return why a fingerprint is as dear as reading, or nothing.

    Parameters
    ----------
    first, second : Cost
        Of the fingerprint, on a new instance and once more.
    read : Cost
        Of `get_data`.
    code : code or None
        That of `get_data`.
    rows : int
        Number of rows that `get_data` gave.
    """
    if code in first.called:
        return "it calls get_data"
    for place, length, is_series in first.returned:
        if is_series and 2 * length >= rows:
            return f"{place} made a series of {length} rows for it, and get_data gives {rows}"
    files = [path for path in first.files if path in read.files]
    for path in files:
        whole = [p for p, length, is_series in first.returned if length == first.files[path] and not is_series]
        if whole and first.files[path] > _SMALL_FILE:
            return f"{whole[0]} read all of {Path(path).name} for it, as get_data does"
    if first.bytes_read > (_MANY if files else _VERY_MANY) and 2 * first.bytes_read > read.bytes_read:
        names = ", ".join(Path(path).name for path in files) or "the source"
        return f"it read {first.bytes_read} bytes of {names}, and get_data reads {read.bytes_read}"
    if second.bytes_received > _MANY and 2 * second.bytes_received > read.bytes_received:
        return f"it received {second.bytes_received} bytes, and get_data receives {read.bytes_received}"
    return ""
