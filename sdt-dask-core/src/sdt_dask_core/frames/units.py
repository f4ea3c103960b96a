"""Units: what the plug, the frame and the column's name say, and whether they agree with the system's capacity."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sdt_dask_core.frames.column import shown
from sdt_dask_core.frames.findings import FindingLog

__all__ = ["KW_PER_UNIT", "check_size", "stated_units"]

#: What one of each unit is [kW].
KW_PER_UNIT = {"W": 1e-3, "kW": 1.0, "MW": 1e3}

# Upper and lower case are told apart only where they must be: mW is a milliwatt, MW a megawatt, and mw is neither.
_SPELLINGS = {"W": "W", "w": "W", "kW": "kW", "KW": "kW", "kw": "kW", "Kw": "kW", "MW": "MW"}
_WORDS = {
    "watt": "W",
    "watts": "W",
    "kw": "kW",
    "kilowatt": "kW",
    "kilowatts": "kW",
    "mw": "MW",
    "megawatt": "MW",
    "megawatts": "MW",
}
_ENERGY = {"wh", "kwh", "mwh", "gwh", "kvarh"}
_POWER_WORDS = {"power", "ac", "dc", "p", "pac", "pdc", "output", "generation", "production", "value"}

#: Peak over capacity is 0.3 to 1.3 for PV; a mistaken unit is a factor of 1000, so these leave room both ways.
_MOST_OF_CAPACITY = 20.0
_LEAST_OF_CAPACITY = 0.02
_LARGEST_KW = 500_000.0
_SMALLEST_KW = 0.001


def stated_units(units: Any, attrs: Mapping[Any, Any], name: object, log: FindingLog) -> str:
    """Return the unit of the power, "W", "kW" or "MW"; fail where the column's name contradicts it.

    ``attrs["units"]`` overrides `units`; where neither is given it is kW, and noted.
    """
    given = attrs.get("units")
    if given is None:
        given = units
    if given is None:
        _check_name("kW", False, shown(name), log)
        log.noted(
            "units_not_stated",
            'no unit is stated, so the power was taken to be in kW. Set units to "W", "kW" or "MW".',
            taken="kW",
        )
        return "kW"
    text = shown(given.value if isinstance(given, enum.Enum) else given)
    unit = _SPELLINGS.get(text.strip())
    if unit is None:
        log.fail(
            "unknown_units",
            f'units={text!r} is no unit of power that is known here. Set units to "W", "kW" or "MW"; energy '
            "(such as kWh) must be turned into power first.",
            units=text,
        )
    _check_name(unit, True, shown(name), log)
    return unit


def _check_name(unit: str, is_stated: bool, name: str, log: FindingLog) -> None:
    named = _unit_in_name(name)
    if named is None or named == unit:
        return
    if named == "energy":
        log.fail(
            "looks_like_energy",
            f"the column {name!r} is named for a unit of energy, and energy is not power. Choose the power column, "
            "or divide the energy of each interval by its length in hours.",
            column=name,
        )
    said = f"units={unit} was given" if is_stated else f"no unit was given, which means {unit}"
    log.fail(
        "units_look_wrong",
        f"the column {name!r} is named for {named}, but {said}; the result would be wrong by a factor of "
        f"{_factor(named, unit)}. Set units={named}, or rename the column if its name is wrong.",
        column=name,
        named=named,
        units=unit,
    )


def _factor(one: str, other: str) -> str:
    ratio = KW_PER_UNIT[one] / KW_PER_UNIT[other]
    return f"{max(ratio, 1 / ratio):,.0f}"


def _unit_in_name(name: str) -> str | None:
    """Return "W", "kW", "MW" or "energy" where the name says so.

    A lone w may also be west: it counts in brackets, as the whole name, or last after a word for power.
    """
    words = re.findall(r"[A-Za-z]+", re.sub(r"([a-z])([kKM]W(?:h)?)(?![A-Za-z])", r"\1 \2", name))
    lower = [word.lower() for word in words]
    if _ENERGY.intersection(lower):
        return "energy"
    for word in lower:
        if word in _WORDS:
            return _WORDS[word]
    return "W" if lower and _means_watt(name, lower) else None


def _means_watt(name: str, lower: list[str]) -> bool:
    if re.search(r"[\[(]\s*w\s*[\])]", name, re.IGNORECASE):
        return True
    return lower[-1] == "w" and (len(lower) == 1 or bool(_POWER_WORDS.intersection(lower[:-1])))


def check_size(power: npt.NDArray[np.float64], units: str, metadata: Mapping[str, Any] | None, log: FindingLog) -> None:
    """Compare the size of the power [kW] with the capacity in the metadata, or with what is plausible at all."""
    positive = power[power > 0]
    if positive.size == 0:
        return
    capacity = _capacity_kw(metadata)
    if capacity is None:
        _note_implausible(float(np.quantile(positive, 0.95, overwrite_input=True)), units, log)
        return
    peak = float(np.quantile(positive, 0.995, overwrite_input=True))
    if _LEAST_OF_CAPACITY <= peak / capacity <= _MOST_OF_CAPACITY:
        return
    better = _fitting_unit(peak, units, capacity)
    advice = (
        f"these values look like {better}, not {units}; set units={better}"
        if better
        else "no unit of power makes them fit; check the column and capacity_kw"
    )
    log.fail(
        "units_look_wrong",
        f"the power peaks at {_kw(peak)} kW but metadata gives a capacity of {_kw(capacity)} kW: {advice}.",
        peak_kw=peak,
        capacity_kw=capacity,
        units=units,
        better_units=better,
    )


def _capacity_kw(metadata: Mapping[str, Any] | None) -> float | None:
    try:
        capacity = float((metadata or {}).get("capacity_kw"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        # Metadata is optional; what is none is treated as absent.
        return None
    return capacity if math.isfinite(capacity) and capacity > 0 else None


def _fitting_unit(peak: float, units: str, capacity: float) -> str | None:
    ratios = {unit: peak / KW_PER_UNIT[units] * kw / capacity for unit, kw in KW_PER_UNIT.items()}
    best = min(ratios, key=lambda unit: abs(math.log(ratios[unit])))
    return best if best != units and 0.05 <= ratios[best] <= 5 else None  # noqa: PLR2004 - room for odd capacities


def _note_implausible(size: float, units: str, log: FindingLog) -> None:
    if _SMALLEST_KW <= size <= _LARGEST_KW:
        return
    log.noted(
        "implausible_size",
        f"95 % of the power lies below {_kw(size)} kW, which is implausibly {'large' if size > 1 else 'small'} for a "
        f"PV system. Check units={units}, or give capacity_kw in the metadata for a firm check.",
        q95_kw=size,
        units=units,
    )


def _kw(power: float) -> str:
    return f"{power:.0f}" if power >= 1000 else f"{power:.4g}"  # noqa: PLR2004 - no exponents for people
