"""Calls itself otherwise than its entry point."""

from typing import ClassVar

from sdt_dask_core.plug import Plug


class OtherNamePlug(Plug):
    """Was renamed by halves."""

    name: ClassVar[str] = "another-name"

    def get_data(self, key):
        raise NotImplementedError
