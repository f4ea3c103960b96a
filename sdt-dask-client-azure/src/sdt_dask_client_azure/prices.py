"""What machines cost, by a dated table that comes with this client; Azure is not asked."""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from typing import Any

from sdt_dask_client_azure.settings import Settings

__all__ = ["hourly", "processors"]

_SIZE = re.compile(r"(Standard_[A-Z]+)(\d+)([a-z]*_v\d+)", re.IGNORECASE)
_HOURS_PER_MONTH = 730


def hourly(settings: Settings, size: str, *, is_public: bool = False) -> float | None:
    """Return what a machine of a size costs with its disk [US dollars per hour]; None where the table has it not.

    Parameters
    ----------
    settings : Settings
        Where, and with which disk.
    size : str
        Its size, such as Standard_D4s_v5.
    is_public : bool
        Whether it has a public address.
    """
    found = _SIZE.fullmatch(size)
    if found is None:
        return None
    prices = _table()["per_vcpu_hour"].get(f"{found[1]}*{found[3]}", {})
    price = prices.get(settings.location.lower().replace(" ", ""))
    if price is None:
        return None
    address = float(_table()["public_address_per_hour"]) if is_public else 0.0
    return float(price) * int(found[2]) + _disk(settings.disk_size) / _HOURS_PER_MONTH + address


def processors(size: str) -> int | None:
    """Return how many virtual processors a machine of a size has; None where its name does not tell."""
    found = _SIZE.fullmatch(size)
    return int(found[2]) if found else None


def _disk(size: int) -> float:
    steps: dict[str, float] = _table()["disk_per_month"]
    return next(price for step, price in steps.items() if size <= int(step))


@functools.cache
def _table() -> dict[str, Any]:
    text = importlib.resources.files(__package__).joinpath("prices.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
