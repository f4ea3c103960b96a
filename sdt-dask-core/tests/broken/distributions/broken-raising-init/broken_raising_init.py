"""Raises when it is built."""

from sdt_dask_core.plug import Plug


class RaisingPlug(Plug):
    """Opens its source too early.

    Parameters
    ----------
    host : str
        Where the source is.
    """

    def __init__(self, host: str = "db.invalid") -> None:
        raise ConnectionError(f"no route to {host}")

    def get_data(self, key):
        raise NotImplementedError
