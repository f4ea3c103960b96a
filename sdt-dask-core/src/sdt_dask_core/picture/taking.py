"""Taking the picture of a system, in the process that has its arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sdt_dask_core.picture.picture import CLEAR, CLIPPED, GOOD, Picture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sdt_dask_core.analyses import System

    Floats = npt.NDArray[np.float64]

__all__ = ["take_picture"]

_MOST_TIMES = 96  # rows of the heat map: a quarter of an hour each
_MOST_COLUMNS = 366
_MINUTES_PER_DAY = 1440


def take_picture(system: System) -> Picture:
    """Return the picture of a system: of what SDT made of it, or, where it came to nothing, of its power alone."""
    handler = system.objects.get("data_handler")
    if handler is None:
        return _of_power(system)
    first_day, matrix = str(handler.day_index[0].date()), handler.raw_data_matrix
    n_days = matrix.shape[1]
    clipping, shifts = handler.clipping_analysis, handler.time_shift_analysis
    days_per_column, power = _heat_map(matrix)
    return Picture(
        first_day=first_day,
        days_per_column=days_per_column,
        power=power,
        energy=_daily(handler.daily_signals.energy, n_days),
        flags=_flags(handler.daily_flags, n_days),
        levels=_labels(handler.capacity_analysis, n_days),
        noon=_daily(getattr(shifts, "metric", None), n_days),
        clock=_daily(getattr(shifts, "s1", None), n_days),
        daily_max=_daily(getattr(clipping, "clip_stat_1", None), n_days),
        max_kw=float(getattr(clipping, "max_value", 0.0) or 0.0),
        point_masses=_floats(getattr(clipping, "point_mass_locations", None)),
        samples=_samples(handler.loss_analysis),
    )


def _of_power(system: System) -> Picture:
    import numpy as np

    first_day, matrix, energy = _by_day(system)
    days_per_column, power = _heat_map(matrix)
    nothing = _floats(None)
    none = np.zeros(0, dtype="u1")
    return Picture(
        first_day=first_day,
        days_per_column=days_per_column,
        power=power,
        energy=energy,
        flags=none,
        levels=none,
        noon=nothing,
        clock=nothing,
        daily_max=nothing,
        max_kw=float(np.nanmax(matrix)) if np.isfinite(matrix).any() else 0.0,
        point_masses=nothing,
        samples=nothing,
    )


def _by_day(system: System) -> tuple[str, Floats, Floats]:
    """Return the first day, power by time of day and day [kW], and daily energy [kWh], whatever the sampling is."""
    import numpy as np

    index: Any = system.power.index
    values = system.power.to_numpy(dtype=float)
    first = index[0].normalize()
    minutes = ((index - first).total_seconds() // 60).to_numpy().astype(int)
    days, times = minutes // _MINUTES_PER_DAY, (minutes % _MINUTES_PER_DAY) * _MOST_TIMES // _MINUTES_PER_DAY
    known = np.isfinite(values)
    n_days = int(days[-1]) + 1
    cells, size = (times * n_days + days)[known], _MOST_TIMES * n_days
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.bincount(cells, values[known], size) / np.bincount(cells, minlength=size)
    matrix = matrix.reshape(_MOST_TIMES, n_days)
    hours = float(np.median(np.diff(index.asi8))) / _nanoseconds(index.unit) / 3600 if len(index) > 1 else 0.0
    energy: Floats = np.asarray(np.bincount(days[known], values[known], n_days) * hours, dtype=float)
    energy[np.bincount(days[known], minlength=n_days) == 0] = np.nan
    return str(first.date()), matrix, energy


def _nanoseconds(unit: str) -> float:
    """Return how many units of an index a second has."""
    return {"s": 1.0, "ms": 1e3, "us": 1e6}.get(unit, 1e9)


def _heat_map(matrix: Floats) -> tuple[int, Floats]:
    """Return the days of a column, and the matrix in as few rows and columns as a picture has."""
    n_times, n_days = matrix.shape
    days_per_column = -(-n_days // _MOST_COLUMNS)
    times_per_row = -(-n_times // _MOST_TIMES)
    return days_per_column, _block_means(_block_means(matrix, times_per_row).T, days_per_column).T


def _block_means(matrix: Floats, n: int) -> Floats:
    """Return the means of each n rows, of what is known of them."""
    import numpy as np

    if n == 1:
        return np.asarray(matrix, dtype=float)
    starts = np.arange(0, len(matrix), n)
    known = np.isfinite(matrix)
    sums = np.add.reduceat(np.where(known, matrix, 0.0), starts, axis=0)
    counts = np.add.reduceat(known.astype(float), starts, axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), dtype=float)


def _floats(values: Any) -> Floats:
    import numpy as np

    floats: Floats = np.asarray([] if values is None else values, dtype=float).ravel()
    return np.where(np.isfinite(floats), floats, np.nan)


def _daily(values: Any, n_days: int) -> Floats:
    """Return one value a day; none at all where SDT has another number of them, which would stand under wrong days."""
    floats = _floats(values)
    return floats if len(floats) == n_days else floats[:0]


def _flags(daily: Any, n_days: int) -> npt.NDArray[np.uint8]:
    import numpy as np

    flags = np.zeros(n_days, dtype="u1")
    if getattr(daily, "no_errors", None) is None:
        return flags[:0]
    for bit, name in ((GOOD, "no_errors"), (CLEAR, "clear"), (CLIPPED, "inverter_clipped")):
        are = getattr(daily, name, None)
        if are is not None and len(are) == n_days:
            flags[np.asarray(are, dtype=bool)] |= bit
    return flags


def _labels(capacity: Any, n_days: int) -> npt.NDArray[np.uint8]:
    import numpy as np

    labels = getattr(capacity, "labels", None)
    if labels is None or len(labels) != n_days:
        return np.zeros(0, dtype="u1")
    return np.asarray(np.minimum(np.asarray(labels, dtype=int), 255), dtype=np.uint8)


def _samples(losses: Any) -> Floats:
    results = getattr(losses, "MC_results", None)
    return _floats(None if results is None else results["samples"]["deg"])
