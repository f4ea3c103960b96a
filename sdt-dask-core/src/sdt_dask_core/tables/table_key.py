"""The keys of plugs whose source holds tables: the name of a table, and perhaps the sensor in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdt_dask_core.errors import KeyNotFoundError

if TYPE_CHECKING:
    from sdt_dask_core.keys import Key

__all__ = ["split_key"]


def split_key(key: Key, *, what: str, shape: str, example: str) -> tuple[str, str | None]:
    """Return the name of the table and the sensor, None where the key names none.

    Manifests give numbers for names such as 17, so that these are names too.

    Parameters
    ----------
    key : tuple
        ``(name,)`` or ``(name, sensor)``.
    what, shape, example : str
        What a name stands for, how keys look and a good one, for messages.

    Raises
    ------
    KeyNotFoundError
        The key has another shape.
    """
    match [str(part) if isinstance(part, int) and not isinstance(part, bool) else part for part in key]:
        case [str(name)]:
            return name, None
        case [str(name), (str() | None) as sensor]:
            return name, sensor
    raise KeyNotFoundError(f"the key {key!r} names no {what}; it must be {shape}, such as {example}")
