"""A machine of a cloud that is no more than a process here: what the fakes of clouds start instead of tasks and VMs.

An image is a virtual environment; the machine has its programs, a loopback address of its own (Linux answers on all
of 127.0.0.0/8, so that each machine keeps the usual ports), a home folder, and nothing of the tests' environment.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDRESS", "Line", "Machine", "loopback_address"]

#: Stands for the machine's own address, in its command and its environment.
ADDRESS = "{address}"

_SYSTEM_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_STEP = 0.02  # s
_LAST_OUTPUT = 10.0  # s for what was printed and not read yet


def loopback_address(network: str = "127.77") -> str:
    """Return an address of this machine alone that hardly anything else uses, such as 127.77.12.34."""
    return f"{network}.{secrets.randbelow(255)}.{1 + secrets.randbelow(254)}"


@dataclass(frozen=True, slots=True)
class Line:
    """What a machine printed.

    Attributes
    ----------
    seconds : float
        When, in seconds since 1970.
    text : str
        Without the end of the line.
    """

    seconds: float
    text: str


class Machine:
    """A process in the environment of an image, started at once.

    Parameters
    ----------
    command : sequence of str
        The program, looked up in the image, and its arguments; "{address}" in them stands for the machine's address.
    image : path
        A virtual environment, such as ``sys.prefix`` in the tests' own.
    environment : mapping, optional
        Variables to set, beside the few that every machine has; "{address}" in them likewise.
    address : str, optional
        Loopback address; default one of 127.77.0.0/16.

    Attributes
    ----------
    address : str
        Its address.
    home : pathlib.Path
        Its working folder, home and place of temporary files; gone after `stop`.
    pid : int
        Of its first process, which leads a group of its own.

    Raises
    ------
    FileNotFoundError
        There is no such image, or no such program in it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        image: Path | str,
        environment: Mapping[str, str] | None = None,
        address: str | None = None,
    ) -> None:
        self.address = address or loopback_address()
        program = _program(command[0], Path(image))
        self.home = Path(tempfile.mkdtemp(prefix="sdt-dask-machine-"))
        self._lines: list[Line] = []
        self._process = subprocess.Popen(
            [str(program), *(self._own(part) for part in command[1:])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            env=self._environment(Path(image), environment or {}),
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, name=f"output of {self.address}", daemon=True)
        self._reader.start()
        atexit.register(self.stop, 0.0)  # should nobody stop it

    @property
    def lines(self) -> list[Line]:
        """What it printed up to now."""
        return list(self._lines)

    @property
    def alive(self) -> bool:
        """Whether its first process runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How its first process ended, as a container tells it: 137 for one that was killed; None while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def wait(self, seconds: float) -> int | None:
        """Wait until its first process ends; return the exit code, None when it had not ended in that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.exit_code

    def terminate(self) -> None:
        """Send SIGTERM to all its processes, as a cloud does before it takes a machine away."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to all its processes."""
        self._send(signal.SIGKILL)

    def stop(self, grace: float = 30.0) -> int:
        """End it: SIGTERM, after the grace [s] SIGKILL, to all its processes; idempotent.

        Returns
        -------
        int
            The exit code.
        """
        atexit.unregister(self.stop)
        if self.alive:
            self.terminate()
            self.wait(grace)
        self.kill()  # what it started may have outlived it
        code = self._process.wait()
        self._reader.join(_LAST_OUTPUT)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)
        return 128 - code if code < 0 else code

    def wait_for_line(self, text: str, seconds: float) -> bool:
        """Wait until it printed a line with that text; return whether it did in that time and before it ended."""
        end = time.monotonic() + seconds
        while not any(text in line.text for line in self._lines):
            if time.monotonic() > end or not (self.alive or self._reader.is_alive()):
                return False
            time.sleep(_STEP)
        return True

    def _environment(self, image: Path, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": f"{image / 'bin'}:{_SYSTEM_PROGRAMS}",
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **{name: self._own(value) for name, value in environment.items()},
        }

    def _own(self, text: str) -> str:
        return text.replace(ADDRESS, self.address)

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with contextlib.suppress(ValueError):  # closed meanwhile
            for line in self._process.stdout:
                self._lines.append(Line(time.time(), line.rstrip("\n")))

    def _send(self, number: int) -> None:
        # The group is there as long as one process of it, and its number is no other's until the first was waited for.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def _program(name: str, image: Path) -> Path:
    if not (image / "bin" / "python").exists():
        raise FileNotFoundError(f"there is no image {image}: a virtual environment with bin/python is needed")
    found = shutil.which(name, path=str(image / "bin"))
    if found is None:
        raise FileNotFoundError(f'exec: "{name}": executable file not found in $PATH')
    return Path(found)
