"""SDT Dask publisher for SQL databases."""

from sdt_dask_publisher_sql.publisher import SqlPublisher

__all__ = ["SqlPublisher"]
