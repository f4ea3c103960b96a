"""A data plug in a folder of a user's, as Solar Data Tools' own ``sdt_dask`` has them."""

import pandas as pd
from sdt_dask.dataplugs.dataplug import DataPlug


class FolderPlug(DataPlug):
    """Reads a file into its own state."""

    def __init__(self, folder):
        self.folder = folder

    def get_data(self, keys):
        self.df = pd.read_csv(f"{self.folder}/{keys[0]}.csv", parse_dates=["timestamp"])
        return self.df
