"""The live view: the fleet's page of a run that goes on, served on loopback by a process of its own.

The driver starts it and tells it how far the run is; all else it reads from the ledger. So it costs the driver nothing,
and whatever becomes of it, the run goes on.
"""

from sdt_dask_core.live.view import LiveView, live_view

__all__ = ["LiveView", "live_view"]
