"""SDT Dask publisher for S3 and S3-compatible stores."""

from sdt_dask_publisher_s3.publisher import S3Publisher

__all__ = ["S3Publisher"]
