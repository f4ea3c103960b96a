"""A plug with nothing wrong."""

from typing import ClassVar

from sdt_dask_core.plug import Plug


class HealthyPlug(Plug):
    """Makes days that look like parabolas.

    Parameters
    ----------
    peak_kw : float
        Power at noon [kW].
    """

    name: ClassVar[str] = "healthy"
    units = "kW"

    def __init__(self, peak_kw: float = 5.0) -> None:
        self.peak_kw = peak_kw

    def list_keys(self):
        yield ("roof",)

    def get_data(self, key):
        import numpy as np
        import pandas as pd

        index = pd.date_range("2024-01-01", periods=30 * 96, freq="15min")
        hours = index.hour + index.minute / 60
        return pd.DataFrame({"power": self.peak_kw * np.clip(1 - ((hours - 12) / 6) ** 2, 0, None)}, index=index)
