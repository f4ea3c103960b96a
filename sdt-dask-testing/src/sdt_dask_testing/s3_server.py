"""Real S3 servers on loopback, for the tests and benchmarks of plugs and clients that speak to S3.

    pip install "sdt-dask-testing[s3]"

`serve_folder` runs rclone over a folder: ready in a fifth of a second, a millisecond a request, with ETags, ranges and
pages as S3 has them; requests are signed or not. It knows no permissions.

`serve_moto` runs moto's server: permissions, roles, bucket policies, and the other services of AWS for which moto's
extras are installed. It is slower, and holds everything in memory.

A proxy before either of them makes faults, as a store has them on a bad day:

    with serve_folder(root) as url, serve_proxy(url) as proxy:
        proxy.faults = [refusing(503, "SlowDown"), cut_after(100)]
        plug = AcmePlug(bucket="fleet", endpoint_url=proxy.url, unsigned=True)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import xml.sax.saxutils
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sdt_dask_testing.http_server import Answer, Fault

__all__ = ["refusing", "s3_error", "serve_folder", "serve_moto"]

_PATIENCE = 120.0  # s; how long a server may take to start on a busy machine
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_INSTALL = 'pip install "sdt-dask-testing[s3]"'


@contextmanager
def serve_folder(root: Path, *, access_key: tuple[str, str] | None = None) -> Iterator[str]:
    """Serve a folder, each folder in it a bucket; give the address.

    What is written into the folder, or changed there, is served at once.

    Parameters
    ----------
    root : pathlib.Path
        The folder.
    access_key : tuple of str, optional
        ID and secret that requests must be signed with; default everybody may read and write, unsigned.

    Raises
    ------
    RuntimeError
        There is no such folder, rclone is not installed, or does not start.
    """
    if not Path(root).is_dir():
        raise RuntimeError(f"'{root}' is no folder; make it before it is served")
    beside_python = sysconfig.get_path("scripts")
    command = shutil.which("rclone", path=f"{beside_python}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None:
        raise RuntimeError(f"rclone is not installed: {_INSTALL}")
    signed = ["--auth-key", ",".join(access_key)] if access_key else []
    # Port 0: the system chooses one that is free, and the log tells which.
    options = ["--config", os.devnull, "--dir-cache-time", "0s", "--addr", "127.0.0.1:0", *signed]
    with _started([command, "serve", "s3", *options, str(root)]) as url:
        yield url


@contextmanager
def serve_moto() -> Iterator[str]:
    """Serve what moto knows of AWS, empty; give the address, the endpoint of all its services.

    Raises
    ------
    RuntimeError
        moto is not installed, or does not start.
    """
    # -W: its own warnings are not those of the tests.
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with _started(command) as url:
        yield url


def s3_error(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """Return an error as S3 writes it.

    Parameters
    ----------
    status : int
        Such as 503.
    code : str
        Such as "SlowDown".
    message : str
        What S3 says besides.
    **headers
        More headers of the answer.
    """
    code, message = map(xml.sax.saxutils.escape, (code, message))
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, {"Content-Type": "application/xml", **headers}, text.encode())


def refusing(status: int, code: str, message: str = "no", **headers: str) -> Fault:
    """Return the fault that answers with an error of S3; see `s3_error`."""
    return lambda *_: s3_error(status, code, message, **headers)


@contextmanager
def _started(command: Sequence[str]) -> Iterator[str]:
    """Start a server, wait for the address that it tells, give that, and end the server."""
    with tempfile.TemporaryDirectory(prefix="sdt-dask-s3-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        has_ended = process.poll() is not None
        found = _ADDRESS.search(log.read_text(errors="replace"))
        if found:
            return found[0]
        if has_ended:
            break
        time.sleep(0.02)
    said = log.read_text(errors="replace")[-2000:].strip()
    raise RuntimeError(f"{process.args!r} did not start: {said}; if it is not installed: {_INSTALL}")
