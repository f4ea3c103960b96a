"""Gives an argument a default, so that pluggy would never pass it."""

from sdt_dask_core.plug import Plug


class DefaultPlug(Plug):
    """Has a key to fall back upon."""

    def get_data(self, key=("a",)):
        raise NotImplementedError
