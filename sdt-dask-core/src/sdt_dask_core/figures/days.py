"""What happened day by day: power, energy, solar noon."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sdt_dask_core.figures.style import BLUE, GOLD, GREY, INK, RED, date_axis, day_numbers, legend, say, start
from sdt_dask_core.picture.picture import CLEAR, GOOD

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sdt_dask_core.picture import Picture
    from sdt_dask_core.system_result import SystemResult

__all__ = ["daily_energy", "heat_map", "solar_noon"]

_NO_PICTURE = "no picture was kept of this system: it was not analysed, or by a release that kept none"
_SHIFT = 0.25  # h between two days that count as a shift of the clock
_STEP_QUANTILE = 0.9  # of the daily energies of a capacity level, to show where it lies


def heat_map(system: SystemResult, ax: Axes) -> Axes:
    """Draw power by time of day and day, the days that are not good ticked above.

    Parameters
    ----------
    system : SystemResult
        As `Run.system` returns it.
    ax : matplotlib.axes.Axes
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The same.
    """
    import matplotlib as mpl
    import numpy as np

    title, picture = "Power by time of day [kW]", system.picture
    if picture is None:
        return say(ax, title, _NO_PICTURE)
    start(ax, title, y="hour")
    ax.grid(visible=False)
    days = day_numbers(picture)
    colours = mpl.colormaps["inferno"].with_extremes(bad="#d9d9d9")
    end = days[0] + picture.power.shape[1] * picture.days_per_column
    shown = np.ma.masked_invalid(picture.power)
    image = ax.imshow(
        shown,
        aspect="auto",
        origin="lower",
        extent=(days[0], end, 0, 24),
        cmap=colours,
        interpolation="nearest",
        vmin=0,
        rasterized=True,
    )
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.012, 0, 0.014, 1)))
    bar.ax.tick_params(labelsize=7, colors=INK, length=2)
    bar.outline.set_visible(False)
    bad = days[(picture.flags & GOOD) == 0] if len(picture.flags) else days[:0]
    ax.plot(bad, np.full(len(bad), 24.0), "|", color=RED, markersize=6, clip_on=False, label="not a good day")
    ax.set_yticks([0, 6, 12, 18, 24])
    ax.set_ylim(0, 24)
    date_axis(ax, picture)
    if len(bad):
        legend(ax)
    return ax


def daily_energy(system: SystemResult, ax: Axes) -> Axes:
    """Draw the energy of each day, good, clear and bad days apart, with the steps of the capacity.

    Parameters
    ----------
    system : SystemResult
        As `Run.system` returns it.
    ax : matplotlib.axes.Axes
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The same.
    """
    import numpy as np

    title, picture = "Daily energy [kWh]", system.picture
    if picture is None:
        return say(ax, title, _NO_PICTURE)
    start(ax, title)
    days, flags = day_numbers(picture), picture.flags
    is_good = (flags & GOOD) > 0 if len(flags) else np.ones(picture.n_days, dtype=bool)
    is_clear = (flags & CLEAR) > 0 if len(flags) else np.zeros(picture.n_days, dtype=bool)
    for which, label, style in (
        (is_good & ~is_clear, "good" if len(flags) else "day", {"color": GREY, "marker": "."}),
        (is_clear, "clear", {"color": GOLD, "marker": "."}),
        (~is_good, "not good", {"color": RED, "marker": "x"}),
    ):
        if which.any():
            marks: Any = {"linestyle": "none", "markersize": 3, "markeredgewidth": 0.8, "label": label, **style}
            ax.plot(days[which], picture.energy[which], **marks)
    for position, (x, y) in enumerate(_steps(picture, days, is_good)):
        ax.plot(x, y, color=BLUE, linewidth=2, label="capacity level" if not position else None)
    ax.set_ylim(bottom=0)
    date_axis(ax, picture)
    legend(ax)
    return ax


def _steps(picture: Picture, days: Any, is_good: Any) -> list[tuple[list[float], list[float]]]:
    """Return a line for each stretch of days with one capacity, none where there is but one level."""
    import numpy as np

    labels = picture.levels
    levels = set(labels.tolist())
    if len(levels) < 2:  # noqa: PLR2004 - one level has no step
        return []
    heights = {}
    for level in levels:
        energies = picture.energy[(labels == level) & is_good & np.isfinite(picture.energy)]
        heights[level] = float(np.quantile(energies, _STEP_QUANTILE)) if len(energies) else np.nan
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [([days[a], days[b - 1] + 1], [heights[int(labels[a])]] * 2) for a, b in pairwise(edges)]


def solar_noon(system: SystemResult, ax: Axes) -> Axes:
    """Draw solar noon day by day as the time stamps have it, and where the clock was shifted.

    Parameters
    ----------
    system : SystemResult
        As `Run.system` returns it.
    ax : matplotlib.axes.Axes
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The same.
    """
    import numpy as np

    title, picture = "Solar noon in the data [hour]", system.picture
    if picture is None:
        return say(ax, title, _NO_PICTURE)
    if not len(picture.noon):
        return say(ax, title, "Solar Data Tools did not analyse shifts of the clock")
    start(ax, title)
    days, noon, clock = day_numbers(picture), picture.noon, picture.clock
    ax.axhline(12, color=INK, linewidth=0.8, linestyle="--", label="12:00")
    ax.plot(days, noon, ".", color=GREY, markersize=2.5, label="each day")
    if np.isfinite(clock).any():
        ax.plot(days, clock, color=BLUE, linewidth=1.6, label="clock")
        shifts = np.flatnonzero(np.abs(np.diff(clock)) > _SHIFT) + 1
        if len(shifts):
            ax.vlines(days[shifts], 0, 24, color=RED, linewidth=0.8, label="shift")
    known = noon[np.isfinite(noon)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else (12, 12)
    ax.set_ylim(min(low, 11) - 0.5, max(high, 13) + 0.5)
    date_axis(ax, picture)
    legend(ax)
    return ax
