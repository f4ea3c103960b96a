"""What the kinds of faults know of the plug that they are part of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reading"]


class Reading(ABC):
    """A plug at work on a key."""

    seconds: float
    hog_mib: int
    _hangs_in_close: bool

    @abstractmethod
    def _clear_days(self) -> pd.DataFrame:
        """Return a good frame."""

    @abstractmethod
    def _leave_a_process(self) -> None:
        """Leave a process behind that holds all pipes of this one."""

    @abstractmethod
    def _times_before(self, fault: str) -> int:
        """Count one more time, and return how often it happened before."""
