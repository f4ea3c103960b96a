"""The image of the workers, made ahead of time: one resolution with hashes, and the folder that Docker builds from."""

from sdt_dask_core.image.lock import Locked
from sdt_dask_core.image.making import Image, make_image

__all__ = ["Image", "Locked", "make_image"]
