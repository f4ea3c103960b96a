"""Faults of what is returned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sdt_dask_testing.faulty.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frames"]

_ENORMOUS = 60_000_000  # rows
_LONG = 100_000_000


class Frames(Reading):
    """Faults of what is returned."""

    def _fault_none(self) -> None:
        return None

    def _fault_text(self) -> str:
        return "a,b,c"

    def _fault_generator(self) -> Iterator[pd.DataFrame]:
        return (self._clear_days() for _ in range(2))

    def _fault_lock(self) -> Any:
        return threading.Lock()

    def _fault_strings(self) -> pd.DataFrame:
        frame: pd.DataFrame = self._clear_days().astype(str)
        return frame

    def _fault_empty(self) -> pd.DataFrame:
        frame: pd.DataFrame = self._clear_days().iloc[:0]
        return frame

    def _fault_missing(self) -> pd.DataFrame:
        frame: pd.DataFrame = self._clear_days() * float("nan")
        return frame

    def _fault_frame_that_raises(self) -> Any:
        import pandas as pd

        class Raises(pd.DataFrame):
            def __len__(self) -> int:
                raise RuntimeError("no length for you")

        return Raises()

    def _fault_recursive_cells(self) -> pd.DataFrame:
        frame = self._clear_days()
        cell: list[Any] = []
        cell.append(cell)
        frame["power"] = [cell] * len(frame)
        return frame

    def _fault_enormous(self) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        # Neither its index nor its zeros take memory before somebody looks at them.
        frame: pd.DataFrame = pd.DataFrame({"power": np.zeros(_ENORMOUS, dtype="int8")})
        return frame

    def _fault_good_with_a_huge_note(self) -> pd.DataFrame:
        frame = self._clear_days()
        frame.attrs["notes"] = ["x" * _LONG]
        return frame

    def _fault_good_with_recursive_attrs(self) -> pd.DataFrame:
        frame = self._clear_days()
        frame.attrs["source"] = frame.attrs
        return frame
