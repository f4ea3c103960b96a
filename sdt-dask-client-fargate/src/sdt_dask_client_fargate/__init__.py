"""The client `fargate` of SDT Dask: a private Dask cluster on AWS Fargate, for as long as a run."""

from sdt_dask_client_fargate.client import FargateClient

__all__ = ["FargateClient"]
