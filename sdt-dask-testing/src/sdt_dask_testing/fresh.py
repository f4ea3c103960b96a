"""Questions that a fresh process answers: one that shares with this one the environment and nothing else.

A run builds providers in processes of its own, so what only works in the process of the tests does not work. `ask`
starts ``python -m sdt_dask_testing.fresh`` in an empty folder; there `main` calls the function that was asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Answer", "FreshProcessError", "ask", "run_python"]

_TIMEOUT = 300.0  # s; nothing waits for it but a provider that hangs
_LAST_WORDS = 4_000


class FreshProcessError(Exception):
    """A fresh process did not answer; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fresh process answered.

    Attributes
    ----------
    value : object
        What the function returned, as JSON holds it.
    printed : str
        All that reached its standard output and standard error.
    """

    value: Any
    printed: str


def ask(
    question: str, *arguments: Any, environment: Mapping[str, str] | None = None, flags: Sequence[str] = ()
) -> Answer:
    """Call a function in a fresh process.

    Parameters
    ----------
    question : str
        ``module:function``.
    *arguments : object
        What JSON holds.
    environment : mapping, optional
        Variables to set there, besides those of this process.
    flags : sequence of str
        For Python itself, such as ``-X importtime``.

    Raises
    ------
    FreshProcessError
        The function raised, or the process ended or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="sdt-dask-fresh-") as folder:
        file = Path(folder) / "answer.json"
        # Modules beside a test, such as those of a user's folder, come after all that is installed.
        request = {"question": question, "arguments": arguments, "file": str(file), "sys_path": sys.path}
        command = [*flags, "-m", "sdt_dask_testing.fresh"]
        code, printed = run_python(command, text=json.dumps(request), environment=environment)
        if code != 0 or not file.exists():
            raise FreshProcessError(f"a fresh process {_ending(code)}; its last words:\n{printed[-_LAST_WORDS:]}")
        return Answer(json.loads(file.read_text(encoding="utf-8")), printed)


def run_python(
    arguments: Sequence[str],
    *,
    text: str = "",
    environment: Mapping[str, str] | None = None,
    timeout: float = _TIMEOUT,
) -> tuple[int | None, str]:
    """Run this Python in an empty folder; return its exit code (None when it had to be ended) and all it printed."""
    with tempfile.TemporaryDirectory(prefix="sdt-dask-empty-") as folder, tempfile.TemporaryFile() as printed:
        # A file, not a pipe: a process that a provider leaves behind would hold a pipe open for ever.
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **(environment or {})},
            start_new_session=True,
        )
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(text.encode(), timeout=timeout)
            code = process.returncode
        _end(process)
        printed.seek(0)
        return code, printed.read().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and on POSIX whatever else it started in its session."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _ending(code: int | None) -> str:
    if code is None:
        return f"did not answer within {_TIMEOUT:g} s"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code} and without an answer"


def main() -> None:
    """Answer the question on standard input."""
    request = json.loads(sys.stdin.read())
    sys.path.extend(entry for entry in request["sys_path"] if entry and entry not in sys.path)
    module, _, name = request["question"].partition(":")
    function = getattr(importlib.import_module(module), name)
    answer = function(*request["arguments"])
    Path(request["file"]).write_text(json.dumps(answer), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads and exit handlers of the provider do not matter any more


if __name__ == "__main__":
    main()
