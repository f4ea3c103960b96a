"""SDT Dask client for Azure: a Dask cluster of virtual machines that leaves nothing behind."""

from sdt_dask_client_azure.client import AzureClient

__all__ = ["AzureClient"]
