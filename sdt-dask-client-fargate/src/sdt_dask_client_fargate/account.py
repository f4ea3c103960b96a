"""The AWS account: one client for each service, and what its refusals mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import ClientError

if TYPE_CHECKING:
    import botocore.exceptions

__all__ = ["Account", "code_of", "is_throttled", "told"]

_TRIES = 4
_CONNECTIONS = 32
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId")
_UNKNOWN = ("UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId", "SignatureDoesNotMatch")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_THROTTLED = ("ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException")
_HOW_TO_LOG_IN = "log in again (`aws sso login`, or new keys), and check AWS_PROFILE and the AWS_… variables"


class Account:
    """Clients of AWS' services, made when they are asked for, shared by all threads.

    Parameters
    ----------
    region : str, optional
        AWS region; default that of the profile or the environment.
    profile : str, optional
        Profile of the AWS configuration files.

    Raises
    ------
    ClientError
        There is no such profile.
    """

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        import boto3

        with told("look for AWS' configuration"):
            self._session = boto3.Session(region_name=region, profile_name=profile)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str | None:
        """The region; None where nothing names one."""
        return self._session.region_name

    def require_region(self) -> str:
        """Return the region.

        Raises
        ------
        ClientError
            Nothing names one.
        """
        if not self.region:
            raise ClientError("client 'fargate' knows no AWS region; give region=… or set AWS_DEFAULT_REGION")
        return self.region

    def client(self, service: str) -> Any:
        """Return the client of a service: ecs, ec2, iam, logs, sts."""
        import botocore.config

        with self._lock:  # clients are thread-safe, their making is not
            if service not in self._clients:
                config = botocore.config.Config(
                    retries={"mode": "standard", "total_max_attempts": _TRIES},
                    connect_timeout=10,
                    read_timeout=60,
                    max_pool_connections=_CONNECTIONS,
                )
                make: Any = self._session.client  # its types know each service by its literal name
                with told(f"reach AWS {service}"):
                    self._clients[service] = make(service, config=config)
            return self._clients[service]

    def pages(self, service: str, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Yield every page of a listing."""
        yield from self.client(service).get_paginator(operation).paginate(**arguments)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def code_of(error: BaseException) -> str:
    """Return the code under which AWS refused, nothing where it is no refusal."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def is_throttled(error: BaseException) -> bool:
    """Tell whether AWS asks for fewer requests."""
    return code_of(error) in _THROTTLED


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell a refusal of AWS as a `ClientError`: what could not be done, why, and what to do.

    Parameters
    ----------
    what : str
        In the words of "could not …".
    """
    import botocore.exceptions

    try:
        yield
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise ClientError(f"client 'fargate' could not {what}: {_reason(error)}") from error


def _reason(error: botocore.exceptions.BotoCoreError | botocore.exceptions.ClientError) -> str:
    import botocore.exceptions

    code = code_of(error)
    if isinstance(error, (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError)):
        return f"{error}; {_HOW_TO_LOG_IN}"
    if code in _EXPIRED or "expired" in str(error).lower():
        return f"the AWS credentials have expired ({code or error}); {_HOW_TO_LOG_IN}"
    if code in _UNKNOWN:
        return f"AWS does not know these credentials ({code}); {_HOW_TO_LOG_IN}"
    if code in _DENIED:
        return f"{error}; the policies that the client needs are listed in its how-to page, run-on-fargate"
    return str(error)
