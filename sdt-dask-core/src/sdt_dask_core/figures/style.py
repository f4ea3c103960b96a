"""How the figures look: colours for the colour-blind too (Okabe and Ito), few lines, words in place of gaps."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sdt_dask_core.picture import Picture

__all__ = ["BLUE", "GOLD", "GREY", "INK", "RED", "SKY", "date_axis", "day_numbers", "legend", "say", "start"]

INK, GREY = "#333333", "#9a9a9a"
BLUE, SKY, GOLD, RED = "#0072b2", "#56b4e9", "#e69f00", "#d55e00"
_GRID = "#e6e6e6"
_SMALL = 8
_WIDTH_OF_WORDS = 52
_MOST_WORDS = 420


def start(ax: Axes, title: str, *, x: str = "", y: str = "") -> None:
    """Give a panel its title, its labels and its calm look."""
    ax.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK, pad=6)
    ax.set_xlabel(x, fontsize=_SMALL, color=INK)
    ax.set_ylabel(y, fontsize=_SMALL, color=INK)
    ax.tick_params(labelsize=_SMALL, colors=INK, length=3)
    ax.grid(visible=True, color=_GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)


def say(ax: Axes, title: str, why: str) -> Axes:
    """Show a sentence where a figure would stand."""
    start(ax, title)
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    words = textwrap.fill(textwrap.shorten(why, _MOST_WORDS, placeholder=" …"), _WIDTH_OF_WORDS)
    ax.text(
        *(0.5, 0.5, words),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=9,
        color=INK,
        linespacing=1.5,
        parse_math=False,
        bbox={"boxstyle": "round,pad=0.8", "facecolor": "#f5f5f5", "edgecolor": "none"},
    )
    return ax


def day_numbers(picture: Picture) -> Any:
    """Return matplotlib's number of each day."""
    import matplotlib.dates as mdates
    import numpy as np

    first = float(mdates.datestr2num(picture.first_day))  # type: ignore[no-untyped-call]
    return first + np.arange(picture.n_days)


def date_axis(ax: Axes, picture: Picture) -> None:
    """Let the horizontal axis be that of the record's days."""
    import matplotlib.dates as mdates

    days = day_numbers(picture)
    ax.set_xlim(days[0], days[-1] + 1)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    words = mdates.ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(words)


def legend(ax: Axes, **more: Any) -> None:
    """Show what the marks mean, small and without a frame over the data."""
    place = {"loc": "upper right", "bbox_to_anchor": (1.0, 1.13), **more}
    ax.legend(fontsize=7, frameon=False, ncols=4, handletextpad=0.4, columnspacing=1.0, borderpad=0, **place)
