"""The bucket and the prefix below which a publisher writes: opened on first use, and its errors with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sdt_dask_core.errors import OptionError, PublishError
from sdt_dask_core.secret import Secret, redact

__all__ = ["Access", "Store"]

_CONNECT_TIMEOUT = 5  # s; boto3's own minute would be spent on each try
_ADVICE = {
    "NoSuchBucket": "check bucket and endpoint_url",
    "AccessDenied": "grant s3:PutObject, s3:GetObject and s3:DeleteObject below the prefix",
    "InvalidAccessKeyId": "check access_key_id, or the profile",
    "SignatureDoesNotMatch": "check secret_access_key, or the profile",
    "ExpiredToken": "log in again",
    "NoCredentialsError": "give a profile or an access key, or set them in the environment",
    "EndpointConnectionError": "check endpoint_url and the network",
    "PermanentRedirect": "set region to that of the bucket",
}
#: What S3 says of an object that is not there; where listing is not allowed, it says no more than "denied".
_ABSENT = ("NoSuchKey", "404", "AccessDenied")


@dataclass(frozen=True, slots=True)
class Access:
    """How a store is reached."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    max_attempts: int = 5


class Store:
    """A folder in a bucket, and one client while it is open.

    Parameters
    ----------
    bucket, prefix : str
        Where it is.
    access : Access
        How it is reached.
    """

    def __init__(self, bucket: str, prefix: str, access: Access) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.access = access
        self._client: Any = None

    def uri(self, name: str = "") -> str:
        """Return the address of an object, as people write it."""
        return f"s3://{self.bucket}/{self._key(name)}"

    def get(self, name: str) -> bytes | None:
        """Return an object; None where there is none."""
        from botocore.exceptions import ClientError

        with self._asking("read", name):
            try:
                body: bytes = self._opened().get_object(Bucket=self.bucket, Key=self._key(name))["Body"].read()
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
                return None
        return body

    def put(self, name: str, content: bytes, content_type: str) -> None:
        """Write an object, which S3 does whole or not at all."""
        with self._asking("written", name):
            self._opened().put_object(Bucket=self.bucket, Key=self._key(name), Body=content, ContentType=content_type)

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        with self._asking("removed", name):
            self._opened().delete_object(Bucket=self.bucket, Key=self._key(name))

    def close(self) -> None:
        """Close the client; idempotent."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _key(self, name: str) -> str:
        return "/".join(filter(None, (self.prefix, name)))

    def _opened(self) -> Any:
        if self._client is None:
            self._client = _client(self.access)
        return self._client

    @contextmanager
    def _asking(self, to_be: str, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

        try:
            yield
        except ProfileNotFound as error:
            raise OptionError(
                f"publisher 's3': the AWS configuration of this machine has no profile {self.access.profile!r}; write "
                "it into ~/.aws/config, or give another profile",
                option="profile",
            ) from error
        except ValueError as error:  # how botocore refuses an address or a region
            raise OptionError(
                f"publisher 's3': no client for S3 can be made: {redact(str(error))}; check endpoint_url and region"
            ) from error
        except (BotoCoreError, ClientError) as error:
            advice = _ADVICE.get(_code(error), "when the cause is gone, run the same command again")
            raise PublishError(
                f"publisher 's3': {self.uri(name)} cannot be {to_be}: {_code(error)}: {redact(str(error))}; {advice}"
            ) from error


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) or type(error).__name__


def _client(access: Access) -> Any:
    import boto3.session
    from botocore.config import Config

    secret = access.secret_access_key.reveal() if access.secret_access_key else None
    session = boto3.session.Session(
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=secret,
        region_name=access.region,
        profile_name=access.profile,
    )
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": access.max_attempts},
        # Stores other than AWS do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="sdt-dask",
    )
    return session.client("s3", endpoint_url=access.endpoint_url, config=config)
