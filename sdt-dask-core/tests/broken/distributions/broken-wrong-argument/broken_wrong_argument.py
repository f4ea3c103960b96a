"""Takes an argument that the hook does not pass."""

from sdt_dask_core.plug import Plug


class WrongArgumentPlug(Plug):
    """Calls the key otherwise."""

    def get_data(self, system):
        raise NotImplementedError
