"""The results of a run brought to where others read them, each row once, however often it is tried."""

from sdt_dask_core.publishing.publication import Chunk, Publication

__all__ = ["Chunk", "Publication"]
