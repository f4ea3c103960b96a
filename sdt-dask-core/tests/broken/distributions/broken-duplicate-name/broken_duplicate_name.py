"""Offers the name of the CSV plug."""

from sdt_dask_core.plug import Plug


class RivalPlug(Plug):
    """Nothing is wrong with it but its name."""

    def get_data(self, key):
        raise NotImplementedError
