"""How a store is reached: endpoint, region and credentials, checked when they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdt_dask_core.errors import OptionError

if TYPE_CHECKING:
    from sdt_dask_core.secret import Secret

__all__ = ["Access"]

_TEMPORARY = "ASIA"  # how AWS begins the IDs of keys that expire


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a store is reached. Equal ones share a client.

    Parameters
    ----------
    endpoint_url : str, optional
        Address of the store; default that of AWS, or of the environment.
    region : str, optional
        Region of the bucket; default that of the profile or the environment.
    profile : str, optional
        Profile of the AWS configuration files.
    access_key_id : str, optional
        Public half of a key of the store.
    secret_access_key : Secret, optional
        Its other half.
    role_arn : str, optional
        Role to assume with the credentials found.
    external_id : str, optional
        What the owner of the role wants to be told when it is assumed.
    unsigned : bool
        Whether requests go without credentials.
    max_attempts : int
        Tries of each request, the first one included.
    read_timeout : float
        Longest silence of the store within a request [s].

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    role_arn: str | None = None
    external_id: str | None = None
    unsigned: bool = False
    max_attempts: int = 5
    read_timeout: float = 60.0

    def __post_init__(self) -> None:
        _check_values(self)
        _check_keys(self)
        _check_temporary(self)
        _check_role(self)
        _check_unsigned(self)

    @property
    def credentials_text(self) -> str:
        """Whose credentials these are, for messages."""
        if self.unsigned:
            return "no credentials (unsigned)"
        if self.role_arn:
            return f"the role {self.role_arn}"
        if self.access_key_id:
            return f"the access key {self.access_key_id}"
        return f"the profile {self.profile!r}" if self.profile else "the credentials of this process"


def _check_values(given: Access) -> None:
    url = given.endpoint_url
    if url is not None and not url.startswith(("https://", "http://")):
        raise OptionError(
            f"endpoint_url={url!r} is no address; write it as 'https://s3.example.org'", option="endpoint_url"
        )
    if given.max_attempts < 1:
        raise OptionError(f"max_attempts={given.max_attempts} is below 1, the first try", option="max_attempts")
    if not given.read_timeout > 0:
        raise OptionError(f"read_timeout={given.read_timeout:g} is no time in seconds", option="read_timeout")


def _check_keys(given: Access) -> None:
    if (given.access_key_id is None) is not (given.secret_access_key is None):
        missing = "secret_access_key" if given.secret_access_key is None else "access_key_id"
        raise OptionError(f"access_key_id and secret_access_key go together; {missing} is missing", option=missing)
    if given.access_key_id and given.profile:
        raise OptionError(
            f"profile={given.profile!r} and access_key_id name two credentials; give one of them", option="profile"
        )


def _check_temporary(given: Access) -> None:
    if given.access_key_id and given.access_key_id.startswith(_TEMPORARY):
        raise OptionError(
            f"access_key_id={given.access_key_id!r} is a temporary key, which is nothing without its session token; "
            "put all three into a profile or the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
            "AWS_SESSION_TOKEN), or give role_arn, whose credentials renew themselves",
            option="access_key_id",
        )


def _check_role(given: Access) -> None:
    if given.role_arn is not None and not given.role_arn.startswith("arn:"):
        raise OptionError(
            f"role_arn={given.role_arn!r} is no ARN; write it as 'arn:aws:iam::123456789012:role/name'",
            option="role_arn",
        )
    if given.external_id and not given.role_arn:
        raise OptionError("external_id belongs to a role; give role_arn too", option="external_id")


def _check_unsigned(given: Access) -> None:
    if not given.unsigned:
        return
    for option in ("profile", "access_key_id", "role_arn"):
        if getattr(given, option):
            raise OptionError(
                f"unsigned=true sends no credentials, so {option} has no meaning; give one of them", option=option
            )
