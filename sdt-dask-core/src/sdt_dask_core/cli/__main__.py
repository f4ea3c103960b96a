"""``python -m sdt_dask_core.cli`` does what ``sdt-dask`` does."""

from sdt_dask_core.cli import main

if __name__ == "__main__":  # Python's spawn imports this module again in each process that a cluster starts
    main()
