"""One boto3 client for all plugs of a process that reach the same store in the same way.

Clients are safe to share among threads; making them is not, and takes a tenth of a second and 10 MB each. So they are
made under a lock and kept here, never in a plug: nothing that cannot be pickled or must not cross a fork is part of it.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sdt_dask_plug_s3.refusals import opening

if TYPE_CHECKING:
    from sdt_dask_plug_s3.access import Access

__all__ = ["client_for", "give_back"]

_CONNECT_TIMEOUT = 5  # s; boto3's own minute would be spent on each try
_CONNECTIONS = 32  # kept open at most, one for each thread that reads


@dataclass(slots=True)
class _Shared:
    """A client, and who uses it; one that was dropped without `give_back` does not count."""

    client: Any
    users: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)


_lock = threading.Lock()
_open: dict[Access, _Shared] = {}


def client_for(access: Access, *, user: object) -> Any:
    """Return the S3 client of this process for an access, made when it is asked for first.

    Parameters
    ----------
    access : Access
        How the store is reached.
    user : object
        Whoever will `give_back` the client.

    Raises
    ------
    OptionError
        There is no such profile, or a secret cannot be read.
    AccessDeniedError
        The credentials cannot be found.
    """
    with _lock:
        if access not in _open:
            with opening(access):
                _open[access] = _Shared(_make_client(access))
        shared = _open[access]
        shared.users.add(user)
        return shared.client


def give_back(access: Access, *, user: object) -> None:
    """Say that a user needs the client no more; the last one closes it. Idempotent."""
    with _lock:
        shared = _open.get(access)
        if shared is None:
            return
        shared.users.discard(user)
        if not shared.users:
            del _open[access]
            shared.client.close()


def _make_client(access: Access) -> Any:
    import boto3.session
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session(profile=access.profile)
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    if access.access_key_id and access.secret_access_key:
        session.set_credentials(access.access_key_id, access.secret_access_key.reveal())
    if access.role_arn:
        from sdt_dask_plug_s3.roles import session_with_role

        session = session_with_role(session, access)
    config = Config(
        signature_version=UNSIGNED if access.unsigned else None,
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=access.read_timeout,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": access.max_attempts},
        tcp_keepalive=True,
        user_agent_extra="sdt-dask",
    )
    region = access.region or session.get_config_variable("region")
    return boto3.session.Session(botocore_session=session, region_name=region).client(
        "s3", endpoint_url=access.endpoint_url, config=config
    )


@functools.cache
def _loader(data_path: str | None) -> Any:
    """Return what reads botocore's descriptions of services: most of the time that the first client takes."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _forget_all() -> None:
    """Start anew in a forked process: its connections, and a lock that may be held, belong to its parent."""
    global _lock  # noqa: PLW0603 - a lock cannot be told to be free
    _lock = threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_all)
