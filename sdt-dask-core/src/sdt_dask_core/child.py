"""The child process: what runs beside a Dask worker, with one key at a time.

Started as ``python -m sdt_dask_core.child``. It reads requests from its standard input and answers on its standard
output, each message eight bytes of length and then UTF-8 JSON. Whatever a plug or a solver prints goes to the file that
stands behind standard error, never into the protocol.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import faulthandler
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

if TYPE_CHECKING:
    from sdt_dask_core.workplace import Workplace

__all__ = ["HEADER", "main", "read_message", "write_message"]

#: Length of the message that follows.
HEADER = struct.Struct(">Q")

_LONGEST_MESSAGE = 64 * 1024 * 1024
_LONGEST_OUTCOME = 4 * 1024 * 1024  # a row of results and its notes; kept in the ledger for each key
_LONGEST_PRINT = 4_000
_LONGEST_PRINT_READ = 64 * 1024  # a secret cut in two is not known again, so more is read than kept
_PR_SET_PDEATHSIG = 1
_STDERR = 2


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream.

    Raises
    ------
    ValueError
        The length is beyond 64 MiB: not a message of ours.
    """
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    if length > _LONGEST_MESSAGE:
        raise ValueError(f"a message of {length} bytes is not one of ours; the longest is {_LONGEST_MESSAGE}")
    body = stream.read(length)
    if len(body) < length:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def write_message(stream: BinaryIO, text: str) -> None:
    """Write one message, given as JSON text."""
    body = text.encode("utf-8")
    stream.write(HEADER.pack(len(body)) + body)
    stream.flush()


def main() -> None:
    """Answer requests until the worker closes the pipe."""
    requests, answers = _take_over_pipes()
    _die_with_the_worker()
    _leave_the_working_folder_out_of_imports()
    write_message(answers, json.dumps({"ready": True}))
    places = _Workplaces(_Worker(requests, answers))
    while (request := read_message(requests)) is not None:
        write_message(answers, places.answer(request))
    places.close()
    _leave()


def _leave() -> NoReturn:
    """End without taking the libraries apart, for which the end of a run would wait half a second."""
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing ends its processes; libraries have things left to do
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the protocol's pipes for ourselves, so that no print reaches them and no input() reads from them."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(_STDERR, 1)
    os.close(nothing)
    return requests, answers


def _die_with_the_worker() -> None:
    faulthandler.enable()
    # A Ctrl-C in the terminal reaches the whole group; the driver decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)
        _be_the_first_to_go()


def _be_the_first_to_go() -> None:
    """When the machine runs out of memory, let the kernel take the child and not the worker."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - no pathlib at start-up
            file.write("1000")
    except OSError:
        pass  # not allowed in some containers; the worker's own cap still holds


def _leave_the_working_folder_out_of_imports() -> None:
    # ``python -m`` puts it first, where a pandas.py lying about would shadow the real one.
    here = os.path.realpath(os.getcwd())  # noqa: PTH109 - as sys.path holds it
    sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) != here]


class _Worker:
    """The worker, seen from the child between a request and its answer: gives turns to read, hears how far a key is."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self._requests = requests
        self._answers = answers

    def tell(self, news: dict[str, Any]) -> None:
        """Say where the key is, which the worker remembers should this process die."""
        write_message(self._answers, json.dumps(news))

    @contextlib.contextmanager
    def turn(self, limit: int) -> Iterator[None]:
        """Wait until the worker gives the turn; give it back at the end."""
        write_message(self._answers, json.dumps({"wants_to_read": limit}))
        if read_message(self._requests) is None:
            sys.exit("the worker closed its pipe")
        try:
            yield
        finally:
            write_message(self._answers, json.dumps({"has_read": True}))


class _Workplaces:
    """The workplaces of this child, one per set of plug options; a run without manifest has one."""

    _MOST = 8

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker
        self._places: dict[str, Workplace] = {}
        self._is_prepared = False
        self._accelerations: dict[str, list[str]] = {"accelerations": []}

    def answer(self, request: dict[str, Any]) -> str:
        """Return the outcome of the key that a request asks for, as JSON text."""
        from sdt_dask_core.outcome import dump

        _empty_print()
        outcome = self._outcome(request)
        outcome["prints"] = _read_print()
        outcome |= self._accelerations
        try:
            text = dump(outcome)
        except BaseException as error:  # noqa: BLE001 - a column that no JSON can hold
            return _bad_result(f"{type(error).__name__}: {error}")
        if len(text) > _LONGEST_OUTCOME:
            return _bad_result(f"{len(text):,} characters, more than {_LONGEST_OUTCOME:,}; keep arrays out of it")
        return text

    def _outcome(self, request: dict[str, Any]) -> dict[str, Any]:
        from sdt_dask_core.errors import SdtDaskError
        from sdt_dask_core.keys import as_key
        from sdt_dask_core.outcome import failure

        try:
            place = self._place(request)
        except SdtDaskError as error:
            return failure(stage="plug", cause=error.cause, message=error.message)
        except BaseException as error:  # noqa: BLE001 - a plug's import may call sys.exit
            return failure(stage="plug", cause="exception", message=f"{type(error).__name__}: {error}")
        return place.analyse_key(as_key(request["key"]), request["metadata"])

    def _place(self, request: dict[str, Any]) -> Workplace:
        from sdt_dask_core.job import Job
        from sdt_dask_core.workplace import Workplace

        text = request["job"] + json.dumps(request["options"], sort_keys=True)
        if text not in self._places:
            job = Job.from_text(request["job"]).with_plug_options(request["options"])
            self._prepare(job)
            if len(self._places) >= self._MOST:
                self._places.pop(next(iter(self._places))).close()
            self._places[text] = Workplace(job, turn=self._worker.turn, tell=self._worker.tell)
        return self._places[text]

    def _prepare(self, job: Any) -> None:
        if self._is_prepared:
            return
        self._is_prepared = True
        sys.path.extend(entry for entry in job.sys_path if entry not in sys.path)
        if job.accelerate and job.analyses:
            self._accelerations = _accelerate(job)

    def close(self) -> None:
        """Close every plug."""
        for place in self._places.values():
            place.close()


def _accelerate(job: Any) -> dict[str, list[str]]:
    from sdt_dask_core.accelerations import ALL, WITHOUT_SDT, apply_all

    # An analysis of the user's own may need no Solar Data Tools, whose import takes seconds.
    needs_sdt = any(reference.module == "sdt_dask_core" for reference in job.analyses)
    applied = apply_all(ALL if needs_sdt else WITHOUT_SDT)
    kept = {"accelerations": applied.names}
    return {**kept, "accelerations_left_out": applied.left_out} if applied.left_out else kept


def _bad_result(why: str) -> str:
    from sdt_dask_core.outcome import dump, failure

    message = f"the plug or an analysis returned what cannot be stored: {why}"
    return dump(failure(stage="worker", cause="bad_result", message=message))


def _empty_print() -> None:
    try:
        os.ftruncate(_STDERR, 0)
        os.lseek(_STDERR, 0, os.SEEK_SET)
    except OSError:
        pass  # started by hand, with a terminal there


def _read_print() -> str:
    from sdt_dask_core.secret import redact

    sys.stdout.flush()
    sys.stderr.flush()
    try:
        printed = os.pread(_STDERR, _LONGEST_PRINT_READ, 0).decode("utf-8", "replace")
    except OSError:
        return ""
    return redact(printed).strip()[:_LONGEST_PRINT]


if __name__ == "__main__":
    main()
