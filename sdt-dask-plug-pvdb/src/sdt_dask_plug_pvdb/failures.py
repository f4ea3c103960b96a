"""What a database says when it does not do as asked, made into our errors: host, table, cause and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sdt_dask_core.errors import (
    AccessDeniedError,
    DataFormatError,
    KeyNotFoundError,
    PlugError,
    SourceUnavailableError,
)
from sdt_dask_core.secret import redact
from sdt_dask_plug_pvdb.address import API_KEY_NOTE

if TYPE_CHECKING:
    from sdt_dask_plug_pvdb.address import Address
    from sdt_dask_plug_pvdb.table import MeasurementTable

__all__ = ["connection_failure", "is_away", "is_full", "query_failure"]

_CERTIFICATES = (
    "give sslrootcert, the file of the CA's certificates (for Redshift: "
    "https://s3.amazonaws.com/redshift-downloads/amazon-trust-ca-bundle.crt)"
)
_REACH = (
    "check host and port (Redshift listens on 5439), and that this machine may reach it (security group, VPN, firewall)"
)


class _Rule(NamedTuple):
    """What a message means; libpq gives no code for a connection that fails."""

    pattern: str
    error: type[PlugError]
    advice: str


_FULL = r"too many (connections|clients)|connection limit .* exceeded|connection slots are reserved"
_AWAY = (
    r"refused|starting up|shutting down|recovery mode|not yet accepting|closed the connection|reset by peer|terminat"
)

_RULES = (
    _Rule(
        r"password authentication failed|no password supplied|authentication failed|authentication method",
        AccessDeniedError,
        f"check user, and password=env:NAME on the machine that reads. {API_KEY_NOTE}",
    ),
    _Rule(
        r"(role|user) \S+ does not exist|pg_hba\.conf|not permitted to log in|permission denied for database",
        AccessDeniedError,
        "ask who runs the database for a user that may connect from here, over TLS",
    ),
    _Rule(r"database .* does not exist", DataFormatError, "check the option database"),
    _Rule(
        r"definition of service|service file",
        DataFormatError,
        "check the option service and the service file (PGSERVICEFILE or ~/.pg_service.conf) where the plug reads",
    ),
    _Rule(
        r"server does not support SSL",
        AccessDeniedError,
        "the server offers no TLS; have it turned on there, or set sslmode=disable where nobody listens on the way",
    ),
    _Rule(r"root certificate|weak sslmode", AccessDeniedError, _CERTIFICATES),
    _Rule(
        r"certificate verify failed",
        AccessDeniedError,
        f"its certificate is of no CA that is trusted here; {_CERTIFICATES}",
    ),
    _Rule(
        r"does not match host name", AccessDeniedError, "set host to the name that stands in the server's certificate"
    ),
    _Rule(
        _FULL,
        SourceUnavailableError,
        "it has no connection left for this user; set max_connections lower, or ask for a higher limit",
    ),
    _Rule(
        r"SSL|TLS|certificate",
        AccessDeniedError,
        "no safe connection could be made; check the options sslmode and sslrootcert",
    ),
)


def is_full(error: Exception) -> bool:
    """Tell whether a connection failed because all are taken."""
    return bool(re.search(_FULL, str(error)))


def is_away(error: Exception) -> bool:
    """Tell whether a connection failed because the server is not up at the moment."""
    return bool(re.search(_AWAY, str(error)))


def connection_failure(error: Exception, address: Address) -> PlugError:
    """Return our error for a connection that could not be made."""
    said = _said(error)
    rule = next((rule for rule in _RULES if re.search(rule.pattern, said)), None)
    found, advice = (rule.error, rule.advice) if rule else (SourceUnavailableError, _REACH)
    return found(f"{address} cannot be connected to: {said}; {advice}")


#: By SQLSTATE, or its first two characters.
_STATES: dict[str, tuple[type[PlugError], str]] = {
    "42501": (AccessDeniedError, "have the user granted USAGE on the schema and SELECT on {table}"),
    "42P01": (DataFormatError, "check the options table and schema"),
    "3F000": (DataFormatError, "check the option schema"),
    "42703": (
        DataFormatError,
        "check the options site_column, meas_name_column, timestamp_column, sensor_column and power_column",
    ),
    "57014": (
        SourceUnavailableError,
        "set statement_timeout higher, start and end closer, or chunk_rows lower; an index (in Redshift a sort key) on "
        "site, meas_name, sensor and ts makes it fast",
    ),
    "42": (DataFormatError, "the table must have columns of the types that PVDB's has; make a view that does"),
    "22P02": (
        KeyNotFoundError,
        "the columns of site and sensor hold no such values; sdt-dask keys lists what is there",
    ),
    "22": (DataFormatError, "the table must have columns of the types that PVDB's has; make a view that does"),
    "28": (AccessDeniedError, f"check user and password. {API_KEY_NOTE}"),
}


def query_failure(error: Exception, address: Address, table: MeasurementTable) -> PlugError:
    """Return our error for a query that failed."""
    state: Any = getattr(error, "pgcode", None) or ""
    found, advice = _STATES.get(state) or _STATES.get(state[:2]) or (SourceUnavailableError, _REACH)
    message = f"{table} in {address} cannot be read: {_said(error)}; {advice.format(table=table)}"
    return found(message)


def _said(error: Exception) -> str:
    """Return what the database said, without the query that it repeats."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = redact(str(primary or error)).strip()
    # A host with several addresses has a line for each.
    return " ".join(text.split()).rstrip(".") or type(error).__name__
