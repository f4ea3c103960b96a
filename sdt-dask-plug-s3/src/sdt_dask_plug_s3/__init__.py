"""SDT Dask plug for S3 and S3-compatible stores: CSV and Parquet tables of PV power, wide and long."""

from sdt_dask_plug_s3.plug import S3Plug

__all__ = ["S3Plug"]
