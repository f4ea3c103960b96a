"""The unit rule: what the option, the dictionary and the name say, held against the capacity. Nothing is rescaled."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

__all__ = ["Note", "UnitChoice", "decide_unit"]

UnitChoice: TypeAlias = Literal["auto", "W", "kW", "MW"]
Note: TypeAlias = "dict[str, str | bool]"

_KW = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
#: Part of the DC capacity that the power of a system peaks at, and that of an inverter of a large one at least; the
#: widest range is below 1000, so that no two units fit.
_LEAST, _LEAST_OF_PART, _MOST = 0.02, 0.002, 1.5
#: A unit that changes is a step of 1000 from one month to the next; weather and outages are less, or no power at all.
_STEP = (300.0, 3000.0)
_PEAK = 0.999


def decide_unit(
    power: pd.Series,
    *,
    option: UnitChoice,
    said: dict[str, str],
    capacity_kw: float | None,
    usual: str,
    is_part: bool = False,
) -> tuple[str, list[Note]]:
    """Return the unit of a series, and notes on how it was decided and on what speaks against it.

    Parameters
    ----------
    power : pandas.Series
        The values, on a DatetimeIndex.
    option : {"auto", "W", "kW", "MW"}
        What the user says, which is not doubted.
    said : dict
        What the source says: who says it, and the unit; the most trusted first.
    capacity_kw : float, optional
        DC capacity of the system [kW].
    usual : {"W", "kW", "MW"}
        The unit of this layout where nothing says it.
    is_part : bool
        Whether it is the power of a part of the system, such as one inverter.
    """
    peak = _peak(power)
    least = _LEAST_OF_PART if is_part else _LEAST
    fitting = [unit for unit in _KW if capacity_kw and least <= peak * _KW[unit] / capacity_kw <= _MOST]
    unit, why = _decided(option, said, fitting, usual)
    notes: list[Note] = [{"code": "pvdaq_unit", "message": f"the power is in {unit} ({why})"}]
    if len(set(said.values())) > 1:
        voices = " and ".join(f"{who} says {what}" for who, what in said.items())
        notes.append(_doubt("pvdaq_unit_contradiction", f"{voices}; {unit} was taken"))
    if capacity_kw and peak > 0 and unit not in fitting:
        advice = f"in {fitting[0]} it would fit; set units={fitting[0]} if so" if fitting else "no unit makes it fit"
        message = (
            f"99.9 % of the power lies below {peak * _KW[unit]:.6g} kW, {peak * _KW[unit] / capacity_kw:.2g} of the "
            f"capacity of {capacity_kw:g} kW: {advice}. Nothing was rescaled"
        )
        notes.append(_doubt("pvdaq_unit_implausible", message))
    return unit, [*notes, *_change(power)]


def _decided(option: UnitChoice, said: dict[str, str], fitting: list[str], usual: str) -> tuple[str, str]:
    if option != "auto":
        return option, f"units={option} was given"
    for who, unit in said.items():
        # Names lie and dictionaries too: of two that differ, the one that fits the capacity is right.
        if unit in fitting or len(set(said.values())) == 1 or not set(said.values()) & set(fitting):
            return unit, f"{who} says so"
    if fitting:
        return fitting[0], "nothing says the unit; it is the one that fits the capacity"
    return usual, "nothing says the unit; it is the usual one in files of this layout"


def _peak(power: pd.Series) -> float:
    size = np.abs(power.to_numpy(dtype=np.float64))
    size = size[np.isfinite(size)]
    return float(np.quantile(size, _PEAK)) if size.size else 0.0


def _change(power: pd.Series) -> list[Note]:
    """Note a level that steps by about 1000 from one month to the next and stays there."""
    index = pd.DatetimeIndex(power.index)
    levels = power.abs().groupby(index.year * 12 + index.month - 1).quantile(0.99)
    levels = levels[levels > 0]
    for place in range(1, len(levels)):
        before, after = float(levels.iloc[:place].median()), float(levels.iloc[place:].median())
        factor = max(before, after) / min(before, after)
        here = levels.iloc[place] / levels.iloc[place - 1]
        if _STEP[0] <= factor <= _STEP[1] and _STEP[0] <= max(here, 1 / here) <= _STEP[1]:
            month = f"{levels.index[place] // 12}-{levels.index[place] % 12 + 1:02d}"
            message = (
                f"from {month} on the power is {after / before:.3g} times what it was: its unit seems to change there, "
                "and one unit was taken for all of it. Analyse the years before and after as keys of their own, each "
                "with its units"
            )
            return [_doubt("pvdaq_unit_changes", message)]
    return []


def _doubt(code: str, message: str) -> Note:
    """Return a note on what may be wrong and was left as it is."""
    return {"code": code, "message": message, "repaired": False}
