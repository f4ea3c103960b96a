"""Values: infinities and stand-ins for "missing" masked, the unit applied, and enough power to analyse."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sdt_dask_core.frames.findings import FindingLog
from sdt_dask_core.frames.units import KW_PER_UNIT

__all__ = ["check_has_power", "mask_impossible", "mask_infinite", "mask_sentinels"]

#: What loggers, databases and file formats write for "missing". Solar Data Tools' own example data hold -1000000.
_SENTINELS = np.array(
    [
        *(-999.0, -9999.0, -99999.0, -999999.0, -9999999.0, -99999999.0, -999999999.0),
        *(9999.0, 99999.0, 999999.0, 9999999.0, 99999999.0, 999999999.0, 9999999999.0),
        *(-1e5, -1e6, -1e7, -1e9, -6999.0, -7999.0, -8888.0, -7777.0, 1e20, -1e20, 1e30, -1e30),
        *(-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0, 4294967295.0, 9.969209968386869e36),
        *(-3.4028234663852886e38, 3.4028234663852886e38, -1.7976931348623157e308, 1.7976931348623157e308),
    ]
)
_FEWEST_VALUES = 24
#: 1 mW; no meter of PV power resolves less.
_NO_POWER_KW = 1e-6
#: 10 GW, twice the largest PV park.
_IMPOSSIBLE_KW = 1e7


def mask_infinite(values: npt.NDArray[np.float64], log: FindingLog) -> None:
    """Set infinite values to NaN, in place."""
    is_infinite = np.isinf(values)
    n_infinite = int(np.count_nonzero(is_infinite))
    if n_infinite:
        values[is_infinite] = np.nan
        log.repaired(
            "infinite_masked",
            f"{n_infinite} of {values.size} values are infinite and were set to missing.",
            n_values=n_infinite,
        )


def mask_sentinels(values: npt.NDArray[np.float64], units: str, log: FindingLog) -> None:
    """Set well-known stand-ins for "missing" to NaN, in place; `values` are in the unit of the source, `units`.

    Only exact, well-known numbers, and only where they stand alone: a value of 9999 W among 9998 and 10001 W is power.
    """
    is_known = np.isin(values, _SENTINELS)
    if not is_known.any():
        return
    # What no plant can reach says nothing of what is usual; it is masked later.
    rest = values[~is_known & (np.abs(values) <= _IMPOSSIBLE_KW / KW_PER_UNIT[units])]
    masked = {float(value): 0 for value in np.unique(values[is_known]) if _stands_alone(float(value), rest)}
    for value in masked:
        is_value = values == value
        masked[value] = int(np.count_nonzero(is_value))
        values[is_value] = np.nan
    if masked:
        named = ", ".join(f"{value:.15g} ({count} times)" for value, count in masked.items())
        log.repaired(
            "sentinel_masked",
            f"values that stand for 'missing' were set to missing: {named}, in {units}.",
            values=[{"value": value, "count": count} for value, count in masked.items()],
            units=units,
        )


def _stands_alone(value: float, rest: npt.NDArray[np.float64]) -> bool:
    """Whether no other value comes near: above twice the rest, or below zero with none within 10 % of it."""
    if rest.size == 0 or abs(value) > 2 * float(np.abs(rest).max()):
        return True
    if value > 0:
        return False
    return not ((rest < 0.9 * value) & (rest > 1.1 * value)).any()


def check_has_power(power: npt.NDArray[np.float64], log: FindingLog) -> None:
    """Fail where the power [kW] is missing, nil, constant, of reversed sign or too little."""
    finite = power[np.isfinite(power)]
    facts: dict[str, Any] = {"n_values": int(power.size), "n_finite": int(finite.size)}
    if finite.size == 0:
        log.fail(
            "all_missing",
            f"all {power.size} values are missing, so there is no power. Check the column and the period; "
            "the sensor may have been off line.",
            **facts,
        )
    largest = max(float(finite.max()), -float(finite.min()))
    _check_enough(finite, largest, facts, log)
    if largest < _NO_POWER_KW:
        log.fail(
            "no_power",
            f"the power is zero in all {finite.size} values, so there is nothing to analyse. Check the column and "
            "the period; the system may have been off.",
            largest_kw=largest,
            **facts,
        )
    if float(finite.min()) == float(finite.max()):
        log.fail(
            "constant",
            f"all {finite.size} values are {finite[0]:g} kW; power follows the sun, a set point or a stuck sensor "
            "does not. Check the column.",
            value_kw=float(finite[0]),
            **facts,
        )


def _check_enough(finite: npt.NDArray[np.float64], largest: float, facts: dict[str, Any], log: FindingLog) -> None:
    # The sign first: negative power also has too few positive values, and the sign is then what to mend.
    # Values near zero do not count, for meters show a little consumption at night.
    limit = 0.1 * float(np.quantile(np.abs(finite), 0.95, overwrite_input=True))
    n_negative = int(np.count_nonzero(finite < -limit))
    n_large = n_negative + int(np.count_nonzero(finite > limit))
    if finite.size >= _FEWEST_VALUES and n_negative > 0.5 * n_large and largest >= _NO_POWER_KW:
        log.fail(
            "mostly_negative",
            f"{n_negative / n_large:.0%} of the values that are not near zero are negative (down to "
            f"{finite.min():g} kW), so the sign convention is reversed: generation must be positive. "
            "Multiply the power by -1 in the plug or at the source.",
            negative_share=round(n_negative / n_large, 4),
            smallest_kw=float(finite.min()),
            **facts,
        )
    n_usable = int(np.count_nonzero(finite >= 0))
    if n_usable < _FEWEST_VALUES:
        log.fail(
            "too_few_values",
            f"only {n_usable} of {facts['n_values']} values are zero or more; Solar Data Tools needs "
            f"{_FEWEST_VALUES}. Ask for a longer period, or check the column.",
            n_usable=n_usable,
            **facts,
        )


def mask_impossible(power: npt.NDArray[np.float64], log: FindingLog) -> None:
    """Set values [kW] beyond 10 GW to NaN, in place; fail where they are not the exception or nothing is left."""
    is_impossible = np.abs(power) > _IMPOSSIBLE_KW
    n_impossible = int(np.count_nonzero(is_impossible))
    if n_impossible == 0:
        return
    largest = float(np.nanmax(np.abs(power)))
    if n_impossible > 0.5 * np.count_nonzero(power > 0):
        log.fail(
            "units_look_wrong",
            f"the power goes up to {largest:g} kW, and most of it is beyond 10 GW, more than any PV system has. "
            "Check the column and set units to the unit of the data.",
            largest_kw=largest,
            n_values=n_impossible,
        )
    power[is_impossible] = np.nan
    log.repaired(
        "impossible_masked",
        f"{n_impossible} values go beyond 10 GW (up to {largest:g} kW), more than any PV system has, and were set to "
        "missing.",
        n_values=n_impossible,
        largest_kw=largest,
    )
    check_has_power(power, log)
