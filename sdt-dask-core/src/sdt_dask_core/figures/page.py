"""The six panels of a system on one page, and a figure as a file's bytes."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from sdt_dask_core.figures.days import daily_energy, heat_map, solar_noon
from sdt_dask_core.figures.results import clipping, degradation, losses
from sdt_dask_core.figures.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sdt_dask_core.system_result import SystemResult

__all__ = ["FORMATS", "PANELS", "image", "page"]

#: The panels by name, in the order of the page.
PANELS: dict[str, Callable[[SystemResult, Axes], Axes]] = {
    "heat_map": heat_map,
    "daily_energy": daily_energy,
    "solar_noon": solar_noon,
    "clipping": clipping,
    "losses": losses,
    "degradation": degradation,
}

#: What a page may be written as, and what would make the same page differ from day to day.
FORMATS: dict[str, dict[str, str | None]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
_INCHES = (11.7, 8.3)  # A4, landscape
_DPI = 110


def page(system: SystemResult, *, has_title: bool = True) -> Figure:
    """Return the page of a system: six panels drawn from its picture.

    Parameters
    ----------
    system : SystemResult
        As `Run.system` returns it.
    has_title : bool
        Whether key, grade and reasons stand above the panels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, facecolor="white")
    top = 0.86 if has_title else 0.95
    grid = figure.add_gridspec(3, 2, left=0.1, right=0.985, top=top, bottom=0.05, hspace=0.42, wspace=0.16)
    for position, draw in enumerate(PANELS.values()):
        draw(system, figure.add_subplot(grid[divmod(position, 2)]))
    if has_title:
        _add_title(figure, system)
    return figure


def _add_title(figure: Figure, system: SystemResult) -> None:
    title = textwrap.shorten(f"{system.label} – {system.headline}", 110, placeholder=" …")
    reasons = textwrap.shorten("; ".join(system.reasons) or system.message or "", 170, placeholder=" …")
    # parse_math: a dollar sign in a key is one.
    figure.text(0.1, 0.955, title, fontsize=13, fontweight="bold", color=INK, parse_math=False)
    figure.text(0.1, 0.925, reasons, fontsize=8.5, color=INK, parse_math=False)


def image(figure: Figure, kind: str = "png") -> bytes:
    """Return a figure as a file's bytes, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    kind : str
        "png", "svg" or "pdf".
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*missing from font", category=UserWarning)
        figure.savefig(buffer, format=kind, dpi=_DPI, metadata=FORMATS[kind])
    return buffer.getvalue()
