"""SDT Dask plug for local files: CSV and Parquet tables of PV power, wide and long."""

from sdt_dask_plug_csv.plug import CsvPlug

__all__ = ["CsvPlug"]
