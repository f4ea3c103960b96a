"""The command line ``sdt-dask``. Only these modules print.

Nothing heavy is imported before a command needs it: ``sdt-dask --help`` is there at once.
"""

from sdt_dask_core.cli.app import main

__all__ = ["main"]
