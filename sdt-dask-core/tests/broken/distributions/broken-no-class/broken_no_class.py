"""Has another class than the one that its entry point names."""

from sdt_dask_core.plug import Plug


class RememberedPlug(Plug):
    """Was renamed; its entry point was not."""

    def get_data(self, key):
        raise NotImplementedError
