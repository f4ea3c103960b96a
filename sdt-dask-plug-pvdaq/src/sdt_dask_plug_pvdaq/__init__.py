"""SDT Dask plug for PVDAQ, the public data lake of PV power of the US Department of Energy."""

from sdt_dask_plug_pvdaq.plug import PvdaqPlug

__all__ = ["PvdaqPlug"]
