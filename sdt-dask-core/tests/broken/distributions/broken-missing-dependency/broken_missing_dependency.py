"""Requires a distribution that no index has."""

import acme_vendor_sdk

from sdt_dask_core.plug import Plug


class MissingPlug(Plug):
    """Reads through a vendor's SDK."""

    def get_data(self, key):
        return acme_vendor_sdk.read(key)
