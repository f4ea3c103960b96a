"""What a store or botocore says when it refuses, as our errors: bucket, key, cause, and what to do.

Told by names alone, so that nothing of botocore is imported before a request is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import (
    AccessDeniedError,
    KeyNotFoundError,
    OptionError,
    PlugError,
    SdtDaskError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from sdt_dask_plug_s3.access import Access
    from sdt_dask_plug_s3.place import Place

__all__ = ["asking", "opening"]

_SERVER_ERROR = 500
_TOO_MANY = 429
_ACTIONS = {"read": "s3:GetObject", "listed": "s3:ListBucket"}


@contextmanager
def asking(place: Place, *, to_be: str, key: str | None = None) -> Iterator[None]:
    """Turn what goes wrong with a request into an error of ours.

    Parameters
    ----------
    place : Place
        What is asked.
    to_be : {"read", "listed"}
        What is asked for.
    key : str, optional
        The object; default the folder.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _Refusal(place, to_be, key, error).translated() from error


@contextmanager
def opening(access: Access) -> Iterator[None]:
    """Turn what goes wrong when a client is made into an error of ours."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        names = _names(error)
        if "ProfileNotFound" in names:
            raise OptionError(
                f"the AWS configuration of this machine has no profile {access.profile!r}; write it into "
                "~/.aws/config on every machine that has workers, or give another profile",
                option="profile",
            ) from error
        raise AccessDeniedError(
            f"no client for S3 can be made with {access.credentials_text}: {_text(error)}; check the AWS configuration "
            "of this machine"
        ) from error
    except ValueError as error:  # how botocore refuses an address or a region
        raise OptionError(f"no client for S3 can be made: {_text(error)}; check endpoint_url and region") from error


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One request that went wrong."""

    place: Place
    to_be: str
    key: str | None
    error: Exception

    def translated(self) -> SdtDaskError:
        by_name = next((_BY_NAME[name] for name in _names(self.error) if name in _BY_NAME), None)
        how = by_name or _BY_CODE.get(self.code)
        if how is None:
            is_busy = self.status >= _SERVER_ERROR or self.status == _TOO_MANY
            how = _busy if is_busy else _other
        if self.response and self.operation == "AssumeRole":
            how = _role_refused
        return how(self)

    def as_error(self, cls: type[SdtDaskError], reason: str, **more: Any) -> SdtDaskError:
        message = f"{self.place.uri(self.key)} cannot be {self.to_be}: {reason}"
        return cls(message, bucket=self.place.bucket, object_key=self.key, **more)

    @property
    def access(self) -> Access:
        return self.place.access

    @property
    def response(self) -> Mapping[str, Any]:
        return getattr(self.error, "response", None) or {}

    @property
    def operation(self) -> str:
        return str(getattr(self.error, "operation_name", ""))

    @property
    def code(self) -> str:
        return str(self.response.get("Error", {}).get("Code", ""))

    @property
    def said(self) -> str:
        """What the store said, with its code."""
        message = str(self.response.get("Error", {}).get("Message", "")).rstrip(". ")
        return f"{self.code}: {message}" if message and message != self.code else self.code

    @property
    def status(self) -> int:
        return int(self.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

    @property
    def right_region(self) -> str:
        headers = self.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return str(headers.get("x-amz-bucket-region") or self.response.get("Error", {}).get("Region") or "")

    @property
    def store(self) -> str:
        return f"the store at {self.access.endpoint_url}" if self.access.endpoint_url else "S3"


def _names(error: Exception) -> list[str]:
    return [cls.__name__ for cls in type(error).__mro__]


def _text(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _no_bucket(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        KeyNotFoundError,
        f"{refusal.store} has no bucket {refusal.place.bucket!r}; check the options bucket and endpoint_url",
    )


def _no_object(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        KeyNotFoundError,
        "there is no such object; a key is the whole name below the prefix, with its extension; "
        "`sdt-dask keys` lists what is there",
    )


def _denied(refusal: _Refusal) -> SdtDaskError:
    if refusal.access.unsigned:
        advice = "it is not open to everybody; leave out unsigned and give credentials"
    else:
        what = refusal.place.bucket if refusal.to_be == "listed" else f"{refusal.place.bucket}/{refusal.place.prefix}*"
        target = what if what.startswith("arn:") else f"arn:aws:s3:::{what}"
        advice = f"grant {_ACTIONS[refusal.to_be]} on {target} to {refusal.access.credentials_text}"
    if not refusal.place.requester_pays:
        advice += ", or set requester_pays=true if its readers pay for it"
    if refusal.to_be == "read":
        advice += "; whoever may not list a bucket is refused missing objects in the same way"
    else:
        advice += "; keys that are given (--key, --keys-from, a manifest) are read without a listing"
    return refusal.as_error(
        AccessDeniedError, f"access denied ({refusal.said}); {advice}", denied_action=_ACTIONS[refusal.to_be]
    )


def _wrong_keys(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError,
        f"{refusal.store} does not accept {refusal.access.credentials_text} ({refusal.said}); check that the access "
        "key and its secret belong together and to this store",
    )


def _expired(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError,
        f"{refusal.access.credentials_text} expired ({refusal.said or _text(refusal.error)}); log in again, on every "
        "machine that has workers, or use credentials that renew themselves, such as role_arn or an instance's role",
    )


def _no_credentials(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError,
        f"no credentials were found on this machine ({_text(refusal.error)}); set unsigned=true if the bucket is open "
        "to everybody, else set the environment variables or the profile of AWS on every machine that has workers",
    )


def _elsewhere(refusal: _Refusal) -> SdtDaskError:
    right = refusal.right_region
    if not right and refusal.code == "AuthorizationHeaderMalformed":
        return _wrong_keys(refusal)
    advice = f"set region={right}" if right else "set region to that of the bucket, and endpoint_url if it has its own"
    return refusal.as_error(
        AccessDeniedError,
        f"the bucket {refusal.place.bucket!r} is in {f'the region {right}' if right else 'another region'} "
        f"({refusal.said}); {advice}",
    )


def _clock(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError, f"the clock of this machine is wrong ({refusal.said}); set it and try again"
    )


def _archived(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError, f"it is archived ({refusal.said}); restore the object first, or leave its key out"
    )


def _changed(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(SourceUnavailableError, "it was replaced while it was being read; read it again")


def _busy(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        SourceUnavailableError,
        f"{refusal.store} is too busy or failed, {refusal.access.max_attempts} times in a row ({refusal.said}); try "
        "again later, with fewer workers or a higher max_attempts",
    )


def _unreachable(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        SourceUnavailableError,
        f"{refusal.store} cannot be reached: {_text(refusal.error)}; check endpoint_url, region, the network and the "
        "proxy settings",
    )


def _broken_off(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        SourceUnavailableError,
        f"the answer of {refusal.store} broke off or did not come: {_text(refusal.error)}; try again later, or set "
        "read_timeout or max_attempts higher",
    )


def _damaged(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        SourceUnavailableError, f"what arrived is not what was stored: {_text(refusal.error)}; read it again"
    )


def _role_refused(refusal: _Refusal) -> SdtDaskError:
    return refusal.as_error(
        AccessDeniedError,
        f"the role {refusal.access.role_arn} cannot be assumed ({refusal.said}); its trust policy must name who asks, "
        "who needs sts:AssumeRole on it, and external_id must be the one that the policy wants",
    )


def _other(refusal: _Refusal) -> SdtDaskError:
    said = refusal.said or _text(refusal.error)
    return refusal.as_error(PlugError, f"{said}; check the options of the plug, and what the store's log says of it")


_How = Callable[[_Refusal], SdtDaskError]

# Names of botocore's exceptions; the first base class that is found counts.
_BY_NAME: dict[str, _How] = {
    **dict.fromkeys(("NoCredentialsError", "PartialCredentialsError"), _no_credentials),
    **dict.fromkeys(
        ("CredentialRetrievalError", "TokenRetrievalError", "NoAuthTokenError", "SSOError", "LoginError"), _expired
    ),
    **dict.fromkeys(("ReadTimeoutError", "ConnectionClosedError", "ResponseStreamingError"), _broken_off),
    "IncompleteReadError": _broken_off,
    "FlexibleChecksumError": _damaged,
    **dict.fromkeys(("ConnectionError", "HTTPClientError"), _unreachable),
}

# Codes in the answers of stores; a HEAD has no body, so that its status is all there is.
_BY_CODE: dict[str, _How] = {
    "NoSuchBucket": _no_bucket,
    **dict.fromkeys(("NoSuchKey", "NotFound", "404"), _no_object),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403"), _denied),
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId"), _wrong_keys),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"), _expired),
    **dict.fromkeys(("PermanentRedirect", "301", "AuthorizationHeaderMalformed"), _elsewhere),
    "IllegalLocationConstraintException": _elsewhere,
    "RequestTimeTooSkewed": _clock,
    "InvalidObjectState": _archived,
    **dict.fromkeys(("PreconditionFailed", "412"), _changed),
    **dict.fromkeys(("SlowDown", "RequestTimeout", "Throttling", "ThrottlingException"), _busy),
    **dict.fromkeys(("RequestLimitExceeded", "TooManyRequests", "InternalError", "ServiceUnavailable"), _busy),
}
