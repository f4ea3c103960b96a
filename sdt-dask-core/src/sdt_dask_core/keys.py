"""Keys: the immutable tuple that names one series of a plug, and its canonical text.

The canonical text is compact JSON. Equal keys have equal text, and the text is what the ledger stores.
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeAlias

from sdt_dask_core.errors import InvalidKeyError

__all__ = ["Key", "as_key", "canonical_text", "key_from_text", "key_from_user_text", "key_label"]

Scalar: TypeAlias = "str | int | float | bool | None"
Key: TypeAlias = "tuple[Scalar | list[Scalar], ...]"


def as_key(value: Any) -> Key:
    """Turn what a caller, a manifest or a plug gave into a key.

    Parameters
    ----------
    value : object
        A tuple or list of JSON scalars or lists of them; a plain scalar becomes a tuple of one.

    Returns
    -------
    tuple
        The key, with whole floats as integers and NumPy scalars as Python's.

    Raises
    ------
    InvalidKeyError
        A part is not a JSON scalar or a list of them, is not finite, or the key is empty.
    """
    parts = value if isinstance(value, (tuple, list)) else (value,)
    if not parts:
        raise InvalidKeyError(f"the key {value!r} is empty; a key names one series, such as ('system_17',)")
    return tuple(_part(part, value) for part in parts)


def _part(part: Any, key: Any) -> Any:
    if isinstance(part, (tuple, list)):
        return [_scalar(item, key) for item in part]
    return _scalar(part, key)


def _scalar(value: Any, key: Any) -> Scalar:
    # NumPy scalars, as they come out of a manifest or an index, know their Python value; a date's would be its count.
    if getattr(getattr(value, "dtype", None), "kind", "") in ("b", "i", "u", "f") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidKeyError(f"the key {key!r} holds {value!r}; use finite numbers or text")
        # 1.0 equals 1 in Python, so both must have one text.
        return int(value) if value.is_integer() else float(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # an enum's own str() is the name of its member
    raise InvalidKeyError(
        f"the key {key!r} holds a {type(value).__name__}; use text, numbers, true/false, None, or lists of them"
    )


def canonical_text(key: Any) -> str:
    """Return the canonical text of a key: compact JSON, equal for equal keys.

    Raises
    ------
    InvalidKeyError
        See `as_key`.
    """
    parts = as_key(key)
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # File names that are no UTF-8 hold lone surrogates, which no database takes as they are.
        return json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return text


def key_from_text(text: str) -> Key:
    """Return the key whose canonical text this is.

    Raises
    ------
    InvalidKeyError
        The text is no JSON array.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidKeyError(f"{text[:200]!r} is not the text of a key: {error}") from error
    return as_key(value)


def key_from_user_text(text: str) -> Key:
    """Return the key that a user typed: a JSON array, or any other text as a key of one part.

    ``TAEFC1044741`` is ``("TAEFC1044741",)`` and ``[34, 2011]`` is ``(34, 2011)``.
    """
    stripped = text.strip()
    if stripped.startswith("["):
        return key_from_text(stripped)
    return as_key(text)


def key_label(text: str) -> str:
    """Return the shortest text that `key_from_user_text` reads as this key, given its canonical text.

    ``["TAEFC1044741"]`` is shown as ``TAEFC1044741``; a key of more parts stays as it is.
    """
    parts = json.loads(text)
    if len(parts) == 1 and isinstance(parts[0], str) and not parts[0].strip().startswith("["):
        return parts[0]
    return text
