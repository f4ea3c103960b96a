"""uv and pip as programs: run with a time limit in an empty folder, ended with all they started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sdt_dask_core.errors import ConfigurationError

__all__ = ["OutOfTimeError", "Program", "RefusedError", "UnreachableError", "clean_environment"]

# What would answer another question than ours; all else that the user set for uv and pip holds.
_NOT_OURS = {
    *("UV_OVERRIDE", "UV_REQUIRE_HASHES", "UV_QUIET", "UV_VERBOSE", "VIRTUAL_ENV"),
    *("PIP_REQUIRE_HASHES", "PIP_QUIET", "PIP_VERBOSE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"),
    *("PIP_PYTHON", "PIP_LOG", "PIP_NO_COLOR"),
}


class RefusedError(Exception):
    """The tool found no way to install what was asked for; its message is the tool's own."""


class UnreachableError(ConfigurationError):
    """No answer, because an index did not answer."""

    cause = "index_unreachable"


class OutOfTimeError(ConfigurationError):
    """No answer within the time that was given."""

    cause = "out_of_time"


def clean_environment() -> dict[str, str]:
    """Return the environment variables for a tool: the user's own, without those that ask another question."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    fixed = {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return {**kept, **fixed, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off"}


@dataclass(frozen=True, slots=True)
class Program:
    """A tool that can be run.

    Attributes
    ----------
    command : tuple of str
        How to start it.
    name : str
        "uv" or "pip".
    version : str
        Its version.
    """

    command: tuple[str, ...]
    name: str
    version: str

    def run(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], deadline: float
    ) -> tuple[int, str]:
        """Run it; return its exit code and all that it said.

        Parameters
        ----------
        arguments : sequence of str
            What to do.
        folder : Path
            Where to run; a configuration in the user's current folder is that of another project.
        environment : mapping of str to str
            All of its environment variables.
        deadline : float
            When to give up, on the clock of `time.monotonic` [s].

        Raises
        ------
        OutOfTimeError
            It was not done by then.
        """
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=folder,
                env={**environment, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            try:
                code = process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired as error:
                raise OutOfTimeError(self._out_of_time()) from error
            finally:
                _end(process)
            said.seek(0)
            return code, said.read().decode("utf-8", "replace").replace("\r\n", "\n").strip()

    def _out_of_time(self) -> str:
        hint = "pip may try one release after another for a long time; install uv, which does not: pip install uv"
        slow = "is the index slow? allow more time with --timeout"
        return f"{self.name} {self.version} did not come to an answer in time; {hint if self.name == 'pip' else slow}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with its children; pip does its work in one when it is asked about another Python."""
    if process.poll() is not None:
        return
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()
