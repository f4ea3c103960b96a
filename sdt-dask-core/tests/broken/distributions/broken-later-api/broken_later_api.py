"""Is written for the second major version of the contract."""

from typing import ClassVar

from sdt_dask_core.plug import Plug


class LaterPlug(Plug):
    """Comes from the future."""

    api: ClassVar[tuple[int, int]] = (2, 0)

    def get_data(self, key):
        raise NotImplementedError
