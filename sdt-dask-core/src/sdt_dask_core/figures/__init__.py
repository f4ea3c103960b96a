"""The figures of a system, each drawn from its arrays into an ``ax``, and all six on one page.

matplotlib's objects only, never pyplot: nothing here is shared between threads, and no window opens.
"""

from sdt_dask_core.figures.days import daily_energy, heat_map, solar_noon
from sdt_dask_core.figures.page import PANELS, image, page
from sdt_dask_core.figures.results import clipping, degradation, losses

__all__ = ["PANELS", "clipping", "daily_energy", "degradation", "heat_map", "image", "losses", "page", "solar_noon"]
