"""The outcome: what became of one key in one attempt, as plain JSON.

It crosses from the child to the driver as text, so nothing is unpickled on the driver and nothing in it can fail to
travel.
"""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
from collections.abc import Mapping
from typing import Any

from sdt_dask_core.secret import redact

__all__ = ["DONE", "FAILED", "PICTURE", "Stage", "dump", "failure", "load", "plain", "without_picture"]

DONE = "done"
FAILED = "failed"
#: The field of an outcome with its picture, in base64; the ledger keeps it apart.
PICTURE = "picture"

_LONGEST_TEXT = 10_000


class Stage(str, enum.Enum):
    """Where in its path a key was."""

    PLUG = "plug"
    READ = "read"
    CHECK = "check"
    WORKER = "worker"


def plain(value: Any) -> Any:  # noqa: PLR0911 - one per kind of value
    """Return a value as strict JSON holds it: NumPy scalars as Python's, what is not finite as None.

    Text is cut at 10,000 characters and freed of secrets.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return _text(value)


def _text(value: Any) -> str:
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - an exception of a stranger whose __str__ raises
        text = f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
    # Cut to its length after it is redacted, so that no secret is cut in two; what is megabytes long need not be read.
    text = text[: 4 * _LONGEST_TEXT]
    # Lone surrogates are in no encoding that a database or a terminal takes.
    text = redact(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " … (cut)"


def failure(*, stage: str, cause: str, message: str, **more: Any) -> dict[str, Any]:
    """Return the outcome of a key that failed.

    Parameters
    ----------
    stage : str
        Where it failed: "plug", "read", "check", the name of an analysis, or "worker".
    cause : str
        Stable code, see `sdt_dask_core.causes`.
    message : str
        What failed, why, and what to do.
    **more : object
        Further facts, such as ``traceback`` or ``peak_rss_mb``.
    """
    return {"status": FAILED, "stage": stage, "cause": cause, "message": message, **more}


def without_picture(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return an outcome as all but the ledger take it."""
    return {name: value for name, value in outcome.items() if name != PICTURE}


def dump(outcome: Mapping[str, Any]) -> str:
    """Return an outcome as strict JSON text."""
    told = plain(without_picture(outcome))
    if PICTURE in outcome:
        told[PICTURE] = outcome[PICTURE]  # longer than a text may be, and none: nothing in it is a secret's
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def load(text: str) -> dict[str, Any]:
    """Return the outcome that this text holds."""
    outcome: dict[str, Any] = json.loads(text)
    return outcome
