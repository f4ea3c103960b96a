"""A system in small: what its figures need, kept in the ledger, so that they can be drawn again without the data."""

from sdt_dask_core.picture.packing import PictureError, pack, unpack
from sdt_dask_core.picture.picture import Picture, sparkline
from sdt_dask_core.picture.taking import take_picture

__all__ = ["Picture", "PictureError", "pack", "sparkline", "take_picture", "unpack"]
