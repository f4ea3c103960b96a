"""Run Solar Data Tools over whole fleets of photovoltaic systems on Dask."""
