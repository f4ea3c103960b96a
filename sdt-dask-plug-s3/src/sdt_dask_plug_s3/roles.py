"""Assuming a role: its credentials, fetched when they are needed first and renewed before they expire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.session import Session

if TYPE_CHECKING:
    from sdt_dask_plug_s3.access import Access

__all__ = ["session_with_role"]

_SESSION_NAME = "sdt-dask"
# Any region of AWS assumes roles; a store elsewhere needs none of its own.
_ANY_REGION = "us-east-1"


class _RoleProvider(CredentialProvider):
    """Gives a session the credentials of a role."""

    METHOD = "sdt-dask-assume-role"

    def __init__(self, source: Session, access: Access) -> None:
        super().__init__(source)
        self._access = access

    def load(self) -> Any:
        """Return credentials that renew themselves; None where there are none to assume the role with."""
        source = self.session.get_credentials()
        if source is None:
            return None
        extra = {"RoleSessionName": _SESSION_NAME}
        if self._access.external_id:
            extra["ExternalId"] = self._access.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._create_client,
            source_credentials=source,
            role_arn=self._access.role_arn or "",
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(method=self.METHOD, refresh_using=fetcher.fetch_credentials)

    def _create_client(self, service: str, **more: Any) -> Any:
        region = self._access.region or self.session.get_config_variable("region") or _ANY_REGION
        return self.session.create_client(service, region_name=region, **more)


def session_with_role(source: Session, access: Access) -> Session:
    """Return a session whose credentials are those of the role, assumed with those of another session.

    Parameters
    ----------
    source : botocore.session.Session
        Has the credentials that may assume the role.
    access : Access
        Names the role.
    """
    session = Session(profile=access.profile)
    session.register_component("credential_provider", CredentialResolver([_RoleProvider(source, access)]))
    return session
