"""Objects that a plug may put into a frame, and frames that are more than a frame."""

from __future__ import annotations

from typing import Any

import pandas as pd


class Hungry:
    """Takes all memory when it becomes a number."""

    def __float__(self) -> float:
        raise MemoryError("too much")


class Unprintable:
    """Cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class BoolOfNothing:
    """Neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError("neither")


class Deep:
    """Makes nested things."""

    @staticmethod
    def list() -> list[Any]:
        """Return a list in a list in a list, deeper than Python follows."""
        nested: list[Any] = []
        for _ in range(10_000):
            nested = [nested]
        return nested


class LiesOfItsLength(pd.DataFrame):
    """Says that it has 7 rows."""

    def __len__(self) -> int:
        return 7

    @property
    def shape(self) -> tuple[int, int]:
        return (7, 0)


class RaisesOnColumns(pd.DataFrame):
    """Does not let anyone look at its columns."""

    @property
    def dtypes(self) -> Any:
        raise RuntimeError("no types")

    @property
    def iloc(self) -> Any:
        raise RuntimeError("no rows")


class RaisesOnAttributes(pd.DataFrame):
    """Does not let anyone look at what it says of itself."""

    @property
    def attrs(self) -> Any:
        raise RuntimeError("no attrs")
