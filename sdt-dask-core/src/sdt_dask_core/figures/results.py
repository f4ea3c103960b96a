"""What came of a system: clipping, losses, degradation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdt_dask_core.figures.style import BLUE, GREY, INK, RED, SKY, legend, say, start

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sdt_dask_core.system_result import SystemResult

__all__ = ["FACTORS", "clipping", "degradation", "losses"]

#: The factors of a loss in the order in which they are taken off the baseline, with their words.
FACTORS = {
    "weather": "weather",
    "outage": "outages",
    "capacity_change": "capacity changes",
    "soiling": "soiling",
    "degradation": "degradation",
}
_BINS = 60


def clipping(system: SystemResult, ax: Axes) -> Axes:
    """Draw how the highest power of the days is distributed; a point mass is where the inverter clips.

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

    title, picture = "Highest power of each day [kW]", system.picture
    if picture is None or not len(picture.daily_max):
        return say(ax, title, "Solar Data Tools did not analyse the clipping of this system")
    start(ax, title, y="days")
    kilowatts = picture.daily_max[np.isfinite(picture.daily_max)] * picture.max_kw
    ax.hist(kilowatts, bins=_BINS, range=(0, picture.max_kw or 1.0), color=SKY, edgecolor="white", linewidth=0.3)
    masses = picture.point_masses[np.isfinite(picture.point_masses)]
    is_clipping = bool(system.values.get("inverter_clipping")) and len(masses) > 0
    if is_clipping:
        for position, mass in enumerate(masses):
            label = "clips here" if not position else None
            ax.axvline(mass * picture.max_kw, color=RED, linewidth=1.2, label=label)
        legend(ax)
    share = system.values.get("clipped_day_fraction")
    words = f"clips on {share:.0%} of the days" if is_clipping and share is not None else "no clipping found"
    ax.text(0.4, 0.94, words, transform=ax.transAxes, ha="center", va="top", fontsize=8, color=INK)
    return ax


def losses(system: SystemResult, ax: Axes) -> Axes:
    """Draw what each factor takes off the baseline energy, one after the other; nothing that is withheld.

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
    title = "Losses by factor [% of baseline energy]"
    parts = [system.values.get(f"{factor}_loss_pct") for factor in FACTORS]
    total = system.values.get("total_loss_pct")
    amounts = [part for part in parts if part is not None]
    if total is None or len(amounts) < len(parts):
        return say(ax, title, system.why_no("losses"))
    start(ax, title)
    words = [*FACTORS.values(), "total"]
    starts = [sum(amounts[:position]) for position in range(len(amounts))]
    colours = [RED if amount < 0 else BLUE for amount in amounts]
    ax.barh(words[:-1], amounts, left=starts, color=colours, height=0.6)
    ax.barh(words[-1:], [total], color=GREY, height=0.6)
    ax.axvline(0, color=INK, linewidth=0.8)
    ends = [begin + amount for begin, amount in zip(starts, amounts, strict=True)]
    low, high = min(0.0, total, *starts, *ends), max(0.0, total, *starts, *ends)
    room = 0.17 * ((high - low) or 1.0)
    for position, (begin, amount) in enumerate(zip([*starts, 0.0], [*amounts, total], strict=True)):
        right = max(begin, begin + amount)
        ax.annotate(
            _percent(amount),
            (right, position),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    ax.set_xlim(low - 0.05 * room, high + room)
    ax.set_ylim(len(words) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    return ax


def _percent(amount: float) -> str:
    return f"{amount:+.1f} %".replace("-", "−") if abs(amount) >= 0.05 else "0.0 %"  # noqa: PLR2004 - what rounds to 0


def degradation(system: SystemResult, ax: Axes) -> Axes:
    """Draw the Monte Carlo samples of the degradation rate, its interval, and the fleet's median.

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

    title, picture = "Degradation rate [%/yr]", system.picture
    name = "degradation_rate_{}pct_per_year"
    rate, low, high = (system.values.get(name.format(part)) for part in ("", "lower_", "upper_"))
    if rate is None or low is None or high is None or picture is None or not len(picture.samples):
        return say(ax, title, system.why_no("losses"))
    start(ax, title, y="Monte Carlo samples")
    samples = picture.samples[np.isfinite(picture.samples)]
    ax.axvspan(low, high, color=SKY, alpha=0.25, linewidth=0, label="95 % interval")
    ax.hist(samples, bins=min(30, max(8, len(samples) // 4)), color=BLUE, edgecolor="white", linewidth=0.4)
    ax.axvline(rate, color=INK, linewidth=1.6, label=f"median {rate:.2f}".replace("-", "−"))
    if system.fleet_median is not None:
        label = f"fleet {system.fleet_median:.2f}".replace("-", "−")
        ax.axvline(system.fleet_median, color=RED, linewidth=1.4, linestyle="--", label=label)
    ax.margins(x=0.08)
    legend(ax)
    return ax
