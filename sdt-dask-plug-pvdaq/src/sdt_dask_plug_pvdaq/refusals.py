"""What the store or botocore says when it refuses, as our errors.

Told by names alone, so that nothing of botocore is imported before a request is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError, PlugError, SdtDaskError, SourceUnavailableError

if TYPE_CHECKING:
    from sdt_dask_plug_pvdaq.bucket import Store

__all__ = ["asking"]

_SERVER_ERROR = 500
_TOO_MANY = 429
_MISSING = ("NoSuchKey", "NotFound", "404")
_DENIED = ("AccessDenied", "AllAccessDisabled", "Forbidden", "403")
_ELSEWHERE = ("PermanentRedirect", "301", "IllegalLocationConstraintException")
_BUSY = ("SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "InternalError", "ServiceUnavailable")


@contextmanager
def asking(store: Store, *, to_be: str, name: str) -> Iterator[None]:
    """Turn what goes wrong with a request into an error of ours.

    Parameters
    ----------
    store : Store
        What is asked.
    to_be : {"read", "listed"}
        What is asked for.
    name : str
        The object or the folder.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        answer = getattr(error, "response", None)
        cls, reason = _answered(store, answer) if answer else _unanswered(store, error)
        raise cls(f"{store.uri(name)} cannot be {to_be}: {reason}", bucket=store.bucket, object_key=name) from error


def _answered(store: Store, response: Any) -> tuple[type[SdtDaskError], str]:
    code = str(response.get("Error", {}).get("Code", ""))
    said = f"{code}: {response.get('Error', {}).get('Message', '')}".rstrip(":. ")
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        return KeyNotFoundError, f"{store.place} has no bucket {store.bucket!r}; check bucket and endpoint_url"
    if code in _MISSING:
        # Only what was listed is asked for: it is no gap in the data.
        return SourceUnavailableError, f"it was listed, and now it is not there ({said}); try again"
    if code in _DENIED:
        return AccessDeniedError, (
            f"access denied ({said}); the plug sends no credentials, and a mirror must be open to everybody for "
            "s3:ListBucket and s3:GetObject"
        )
    if code in _ELSEWHERE:
        return AccessDeniedError, f"the bucket is in another region ({said}); set region to that of the bucket"
    if code in _BUSY or status >= _SERVER_ERROR or status == _TOO_MANY:
        return SourceUnavailableError, (
            f"{store.place} is too busy or failed, {store.max_attempts} times in a row ({said}); try again later, with "
            "a lower concurrency"
        )
    return PlugError, f"{said}; check bucket, region and endpoint_url"


def _unanswered(store: Store, error: Exception) -> tuple[type[SdtDaskError], str]:
    names = [cls.__name__ for cls in type(error).__mro__]
    text = " ".join(str(error).split()).rstrip(".")
    if "ResponseParserError" in names:
        return PlugError, f"what answers is not S3: {text[:300]}; check endpoint_url and the proxy settings"
    return SourceUnavailableError, (
        f"{store.place} did not answer, or its answer broke off, {store.max_attempts} times in a row: {text}; check "
        "the network and endpoint_url, or try again later"
    )
