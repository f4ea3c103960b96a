"""A picture as bytes: each array in 8 or 16 bits between its smallest and its largest value, all of it compressed.

Nothing is unpickled, and what does not fit its own header is refused: a ledger may come from somebody else.
"""

from __future__ import annotations

import json
import math
import zlib
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.picture.picture import Picture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["PictureError", "pack", "unpack"]

_VERSION = 1
_LONGEST = 16 * 1024 * 1024  # bytes of a picture before it is compressed; the longest of ours has half a megabyte

# Array and its type in the packed bytes. An unsigned integer counts steps, its largest value is NaN.
_ARRAYS = {
    "power": "u1",
    "energy": "u2",
    "flags": "flags",
    "levels": "flags",
    "noon": "u2",
    "clock": "u2",
    "daily_max": "u2",
    "point_masses": "u2",
    "samples": "u2",
}


class PictureError(SdtDaskError):
    """A picture in a ledger is damaged, or of a newer release."""


def pack(picture: Picture) -> bytes:
    """Return a picture as bytes, some 20 kB for a year by 5 minutes."""
    heads, blobs = {}, []
    for name, kind in _ARRAYS.items():
        heads[name], blob = _packed(getattr(picture, name), kind)
        blobs.append(blob)
    scalars = {name: getattr(picture, name) for name in ("first_day", "days_per_column", "max_kw")}
    head = json.dumps({"version": _VERSION, **scalars, "arrays": heads}, separators=(",", ":")).encode()
    return zlib.compress(head + b"\n" + b"".join(blobs), 6)


def unpack(data: bytes) -> Picture:
    """Return the picture that these bytes hold.

    Raises
    ------
    PictureError
        They are damaged, or a newer release wrote them.
    """
    try:
        unzip = zlib.decompressobj()
        text, _, body = unzip.decompress(data, _LONGEST).partition(b"\n")
        head = json.loads(text)
        if unzip.unconsumed_tail or head["version"] != _VERSION:
            raise PictureError("a picture in the ledger is of another release; sdt-dask run --force makes it anew")
        fields: dict[str, Any] = {**_scalars(head), **_arrays(head["arrays"], body)}
        return Picture(**fields)
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise PictureError(
            f"a picture in the ledger is damaged: {type(error).__name__}; sdt-dask run --force makes it anew"
        ) from error


def _scalars(head: dict[str, Any]) -> dict[str, Any]:
    return {
        "first_day": str(head["first_day"])[:10],
        "days_per_column": max(1, int(head["days_per_column"])),
        "max_kw": float(head["max_kw"]),
    }


def _packed(values: npt.NDArray[Any], kind: str) -> tuple[list[Any], bytes]:
    """Return the head of an array (shape, smallest value, step) and its bytes."""
    import numpy as np

    if kind == "flags":
        return [list(values.shape), 0, 1], np.ascontiguousarray(values, dtype="u1").tobytes()
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    missing = np.iinfo(kind).max
    step = (high - low) / (missing - 1) or 1.0
    steps = np.full(values.shape, missing, dtype=f"<{kind}")
    steps[np.isfinite(values)] = np.rint((known - low) / step)
    return [list(values.shape), low, step], steps.tobytes()


def _arrays(heads: dict[str, Any], body: bytes) -> dict[str, npt.NDArray[Any]]:
    import numpy as np

    arrays: dict[str, npt.NDArray[Any]] = {}
    start = 0
    for name, kind in _ARRAYS.items():
        shape, low, step = heads[name]
        dtype = np.dtype("u1" if kind == "flags" else f"<{kind}")
        n_values = math.prod(shape)
        steps = np.frombuffer(body, dtype, count=n_values, offset=start).reshape(shape)
        start += n_values * dtype.itemsize
        arrays[name] = steps.copy() if kind == "flags" else _unpacked(steps, float(low), float(step))
    return arrays


def _unpacked(steps: npt.NDArray[np.unsignedinteger[Any]], low: float, step: float) -> npt.NDArray[np.float64]:
    import numpy as np

    values = low + steps.astype(float) * step
    values[steps == np.iinfo(steps.dtype).max] = np.nan
    return values
