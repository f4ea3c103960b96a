"""The columns of an answer, and which types can be timestamps and power."""

from __future__ import annotations

from dataclasses import dataclass

from sdt_dask_core.errors import DataFormatError

__all__ = ["DECIMAL", "TIMESTAMP", "TIMESTAMP_WITH_ZONE", "Column", "check_types"]

# OIDs of types, the same in every PostgreSQL and in Redshift.
TIMESTAMP, TIMESTAMP_WITH_ZONE, DECIMAL = 1114, 1184, 1700
_NUMBERS = (20, 21, 23, 700, 701, DECIMAL)
_NAMES = {16: "boolean", 25: "text", 1042: "char", 1043: "varchar", 1082: "date", 1083: "time"}


@dataclass(frozen=True)
class Column:
    """A column of an answer.

    Attributes
    ----------
    name : str
        Its name.
    type_code : int
        OID of its type.
    """

    name: str
    type_code: int

    @property
    def type_name(self) -> str:
        """Name of its type, or the OID where it is an unusual one."""
        return _NAMES.get(self.type_code, f"type {self.type_code}")


def check_types(stamps: Column, power: Column, *, place: str) -> None:
    """Refuse columns that hold no timestamps or no numbers.

    Raises
    ------
    DataFormatError
        They do not; a text that looks like a timestamp is none.
    """
    if stamps.type_code not in (TIMESTAMP, TIMESTAMP_WITH_ZONE):
        raise DataFormatError(
            f"{place}: the column {stamps.name!r} holds {stamps.type_name}, not timestamps; choose another "
            "timestamp_column, or make a view in which it is a timestamp"
        )
    if power.type_code not in _NUMBERS:
        raise DataFormatError(
            f"{place}: the column {power.name!r} holds {power.type_name}, not numbers; choose another power_column, or "
            "make a view in which it is double precision"
        )
