"""The rows of one object, of the columns that could be the power."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STAMP", "UTC", "VALUE", "Rows"]

STAMP, UTC, VALUE = "measured_on", "utc_measured_on", "value"


@dataclass(frozen=True, slots=True)
class Rows:
    """What one object holds.

    Attributes
    ----------
    columns : tuple of str
        All its columns of measurements.
    of : dict
        By column, of those that were read: a frame of `STAMP`, `VALUE` and, where the source has it, `UTC`.
    units : dict
        By column, what the source says of its unit besides the name.
    """

    columns: tuple[str, ...]
    of: dict[str, pd.DataFrame]
    units: dict[str, str] = field(default_factory=dict)
