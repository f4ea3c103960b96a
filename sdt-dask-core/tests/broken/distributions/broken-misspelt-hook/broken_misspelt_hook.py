"""Decorates a method that is named like no hook."""

from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Plug


class MisspeltPlug(Plug):
    """Has its fingerprint under a wrong name."""

    def get_data(self, key):
        raise NotImplementedError

    @hookimpl
    def finger_print(self, key):
        return "1"
