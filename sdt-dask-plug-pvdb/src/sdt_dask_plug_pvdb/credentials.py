"""Logins by IAM: short-lived credentials from AWS, fetched in the process that connects, renewed before they expire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sdt_dask_core.errors import AccessDeniedError, OptionError, PlugError, SourceUnavailableError

__all__ = ["Credentials", "CredentialsCache", "IamLogin"]

#: Left of a credential's life when it is no longer used [s].
_MARGIN = dt.timedelta(seconds=60)
_DURATION = 900  # s; the shortest that AWS gives


@dataclass(frozen=True)
class Credentials:
    """A user and a password for a while.

    Attributes
    ----------
    user : str
        The database user.
    password : str
        Its password; never shown.
    expires : datetime.datetime
        When it ends, in UTC.
    """

    user: str
    password: str = field(repr=False)
    expires: dt.datetime


@dataclass(frozen=True, kw_only=True)
class IamLogin:
    """Where credentials come from.

    Parameters
    ----------
    cluster_identifier : str or None
        Of a provisioned Redshift cluster.
    workgroup : str or None
        Of Redshift Serverless.
    database : str or None
        The database that the credentials are for.
    user : str or None
        Database user of a cluster; by default the one that belongs to the IAM identity.
    region, profile : str or None
        By default as the AWS SDK finds them.

    Raises
    ------
    OptionError
        Both a cluster and a workgroup are given.
    """

    cluster_identifier: str | None
    workgroup: str | None
    database: str | None
    user: str | None
    region: str | None
    profile: str | None

    def __post_init__(self) -> None:
        if self.cluster_identifier is not None and self.workgroup is not None:
            raise OptionError(
                f"cluster_identifier={self.cluster_identifier!r} and workgroup={self.workgroup!r} exclude each other; "
                "give the one of the database",
                option="workgroup",
            )

    @property
    def is_asked_for(self) -> bool:
        """Whether there is a cluster or a workgroup to log in to."""
        return self.cluster_identifier is not None or self.workgroup is not None

    def fetch(self) -> Credentials:
        """Ask AWS for credentials.

        Raises
        ------
        AccessDeniedError
            AWS knows no credentials of ours, or they do not allow it.
        SourceUnavailableError
            AWS did not answer.
        OptionError
            boto3 is not installed, or there is no such cluster or workgroup.
        """
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise OptionError(
                f"a login by IAM needs boto3 ({error}): pip install 'sdt-dask-plug-pvdb[iam]'", option=self._option
            ) from error
        try:
            return self._call(boto3.session.Session(profile_name=self.profile, region_name=self.region))
        except (BotoCoreError, ClientError) as error:
            raise self._failure(error) from error

    def _call(self, session: Any) -> Credentials:
        if self.workgroup is not None:
            answer = session.client("redshift-serverless").get_credentials(
                workgroupName=self.workgroup, dbName=self.database, durationSeconds=_DURATION
            )
            return Credentials(answer["dbUser"], answer["dbPassword"], _in_utc(answer["expiration"]))
        client = session.client("redshift")
        given = {
            "ClusterIdentifier": self.cluster_identifier,
            "DbName": self.database,
            "DurationSeconds": _DURATION,
        }
        if self.user is None:
            answer = client.get_cluster_credentials_with_iam(**given)
        else:
            answer = client.get_cluster_credentials(DbUser=self.user, **given)
        return Credentials(answer["DbUser"], answer["DbPassword"], _in_utc(answer["Expiration"]))

    @property
    def _option(self) -> str:
        return "cluster_identifier" if self.workgroup is None else "workgroup"

    @property
    def _action(self) -> str:
        if self.workgroup is not None:
            return "redshift-serverless:GetCredentials"
        return f"redshift:GetClusterCredentials{'' if self.user else 'WithIAM'}"

    def _failure(self, error: Exception) -> PlugError | OptionError:
        name = self.cluster_identifier if self.workgroup is None else self.workgroup
        what = f"AWS gave no credentials for {self._option}={name!r}: {str(error).rstrip('.')}"
        code = str(getattr(error, "response", {}).get("Error", {}).get("Code", "")) or type(error).__name__
        if code in ("ClusterNotFound", "ClusterNotFoundFault", "ResourceNotFoundException"):
            return OptionError(f"{what}; check the options {self._option} and region", option=self._option)
        if code in ("NoRegionError", "ProfileNotFound"):
            return OptionError(f"{what}; check the options region and profile", option="region")
        if code in ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"):
            return SourceUnavailableError(f"{what}; check that this machine reaches AWS and that region is right")
        if code in ("Throttling", "ThrottlingException", "InternalFailure", "ServiceUnavailable"):
            return SourceUnavailableError(f"{what}; try again later")
        return AccessDeniedError(
            f"{what}; give the process that reads an AWS identity (a role, or profile) that allows {self._action}"
        )


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.timezone.utc) if moment.tzinfo is None else moment.astimezone(dt.timezone.utc)


@dataclass
class CredentialsCache:
    """Credentials as long as they last.

    Parameters
    ----------
    fetch : callable
        Gives new ones.
    now : callable
        The clock, in UTC.
    """

    fetch: Callable[[], Credentials] = field(compare=False)
    now: Callable[[], dt.datetime] = field(default=lambda: dt.datetime.now(dt.timezone.utc), compare=False, repr=False)
    _kept: Credentials | None = field(default=None, init=False, compare=False, repr=False)

    def get(self) -> Credentials:
        """Return credentials that last another minute, fetched where there are none."""
        if self._kept is None or self.now() >= self._kept.expires - _MARGIN:
            self._kept = self.fetch()
        return self._kept

    def forget(self) -> None:
        """Fetch anew next time."""
        self._kept = None
