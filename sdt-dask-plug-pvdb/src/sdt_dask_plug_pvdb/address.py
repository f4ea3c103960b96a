"""The address of a database: what is connected to, and how. Checked when it is made; nothing is opened."""

from __future__ import annotations

import ipaddress
import math
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import OptionError
from sdt_dask_core.secret import Secret
from sdt_dask_plug_pvdb.credentials import Credentials, IamLogin

__all__ = ["API_KEY_NOTE", "Address"]

#: What to know of the key that earlier users have in their environment.
API_KEY_NOTE = (
    "REDSHIFT_API_KEY was the key of PVDB's web API, which is switched off; a database takes a user and a password"
)

_REDSHIFT_PORT = 5439
_MAX_PORT = 65535
_SYSTEM_CERTIFICATES_SINCE = 160000  # libpq 16
_ROOT_CERTIFICATE = Path("~/.postgresql/root.crt")


@dataclass(frozen=True, kw_only=True)
class Address:
    """What to connect to.

    Parameters
    ----------
    host : str or None
        Name, IP address, or folder of a Unix socket.
    port : int or None
        Default: 5439 with IAM, else libpq's.
    database, user : str or None
        Default: libpq's.
    password : Secret or None
        Default: what libpq finds (PGPASSWORD, a password file).
    service : str or None
        Section of libpq's connection service file.
    iam : IamLogin or None
        Where user and password come from instead.
    sslmode : str or None
        Default: verify-full, towards loopback prefer.
    sslrootcert : path, "system" or None
        Default: the file that libpq looks for, else the system's certificates.
    statement_timeout : float
        Longest time of a statement [s].

    Raises
    ------
    OptionError
        Too little, too much or contradictory.
    """

    host: str | None
    port: int | None
    database: str | None
    user: str | None
    password: Secret | None
    service: str | None
    iam: IamLogin | None
    sslmode: str | None
    sslrootcert: Path | str | None
    statement_timeout: float

    def __post_init__(self) -> None:
        self._check_target()
        if self.iam is not None:
            self._check_iam()
        if self.port is not None and not 0 < self.port <= _MAX_PORT:
            raise OptionError(f"port={self.port} is no port; it is a number up to {_MAX_PORT}", option="port")
        if not (math.isfinite(self.statement_timeout) and self.statement_timeout > 0):
            raise OptionError(
                f"statement_timeout={self.statement_timeout:g} is no time above 0 s", option="statement_timeout"
            )

    def _check_target(self) -> None:
        if self.host is not None and ("://" in self.host or self.host.startswith("api.pvdb.")):
            raise OptionError(
                f"host={self.host!r} is no database host; give its name alone, such as "
                f"cluster.xyz.us-west-2.redshift.amazonaws.com. {API_KEY_NOTE}",
                option="host",
            )
        if self.host is None and self.service is None:
            raise OptionError(
                "plug 'pvdb' needs a database to connect to: host, database, user and password=env:NAME; or service; "
                f"or host, database and cluster_identifier or workgroup for a login by IAM. {API_KEY_NOTE}",
                option="host",
            )
        if self.service is None and self.database is None:
            raise OptionError(f"host={self.host!r} needs database, the name of a database there", option="database")

    def _check_iam(self) -> None:
        for option in ("password", "service"):
            if getattr(self, option) is not None:
                raise OptionError(
                    f"{option} and a login by IAM (cluster_identifier, workgroup) exclude each other; give one of them",
                    option=option,
                )
        if self.user is not None and self.iam is not None and self.iam.workgroup is not None:
            raise OptionError(
                "user and workgroup exclude each other: with Redshift Serverless the IAM identity decides the user",
                option="user",
            )

    @property
    def effective_port(self) -> int | None:
        """The port as libpq gets it."""
        return _REDSHIFT_PORT if self.port is None and self.iam is not None else self.port

    @property
    def effective_sslmode(self) -> str:
        """The TLS mode as libpq gets it; what the service file says of it does not count."""
        if self.sslmode is not None:
            return self.sslmode
        return "prefer" if self.host is not None and _is_loopback(self.host) else "verify-full"

    def __str__(self) -> str:
        """Name the database in messages."""
        where = f"{self.host}:{self.effective_port or 5432}" if self.host else f"service {self.service!r}"
        return f"database {self.database!r} at {where}" if self.database else f"database of {where}"

    def libpq_arguments(self, login: Credentials | None, *, libpq_version: int) -> dict[str, Any]:
        """Return the arguments of a connection, the password in them: to be used at once and kept nowhere.

        Parameters
        ----------
        login : Credentials or None
            What IAM gave.
        libpq_version : int
            As psycopg2 tells it.
        """
        given = {
            "host": self.host,
            "port": self.effective_port,
            "dbname": self.database,
            "user": login.user if login else self.user,
            "password": login.password if login else self.password and self.password.reveal(),
            "service": self.service,
            "sslmode": self.effective_sslmode,
            "sslrootcert": self._root_certificate(libpq_version),
        }
        return {name: value for name, value in given.items() if value is not None} | _ALWAYS

    def _root_certificate(self, libpq_version: int) -> str | None:
        if self.effective_sslmode not in ("verify-full", "verify-ca"):
            return None if self.sslrootcert is None else str(self.sslrootcert)
        if self.sslrootcert is None and _ROOT_CERTIFICATE.expanduser().exists():
            return None
        if self.sslrootcert in (None, "system"):
            # Wheels of psycopg2 bring an OpenSSL that does not know where this system keeps its certificates.
            bundle = ssl.get_default_verify_paths().cafile
            fallback = "system" if libpq_version >= _SYSTEM_CERTIFICATES_SINCE else None
            return bundle or (fallback if self.effective_sslmode == "verify-full" else None)
        return str(self.sslrootcert)


#: Dead connections are noticed by the kernel; Kerberos, which breaks logins at Redshift, is left out.
_ALWAYS: dict[str, Any] = {
    "connect_timeout": 10,  # s
    "keepalives": 1,
    "keepalives_idle": 30,  # s
    "keepalives_interval": 10,  # s
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms
    "gssencmode": "disable",
    "application_name": "sdt-dask",
}


def _is_loopback(host: str) -> bool:
    if host.startswith("/") or host == "localhost":  # a folder holds a Unix socket
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
