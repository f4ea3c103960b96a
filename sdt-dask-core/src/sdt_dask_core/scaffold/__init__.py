"""The scaffold: a complete distribution for a new plug or client, to be edited by its author."""

from sdt_dask_core.scaffold.author import author_here
from sdt_dask_core.scaffold.files import files_of
from sdt_dask_core.scaffold.folder import write_folder
from sdt_dask_core.scaffold.names import Names, names_of

__all__ = ["Names", "author_here", "files_of", "names_of", "write_folder"]
