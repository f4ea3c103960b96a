"""SDT Dask plug for PVDB and any PostgreSQL or Redshift table of PV power of its shape."""

from sdt_dask_plug_pvdb.plug import PvdbPlug

__all__ = ["PvdbPlug"]
