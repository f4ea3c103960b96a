"""What is to become of a key with each fault of `FaultyPlug`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUILD_FAULTS", "FAULTS", "Expected"]


@dataclass(frozen=True, slots=True)
class Expected:
    """The true outcome of a key with a fault.

    Attributes
    ----------
    status : str
        "done" or "failed".
    cause : str
        Stable code of a failure.
    stage : str
        Where it failed.
    says : str
        A piece of its message.
    attempts : int
        How often the key is tried within a run.
    """

    status: str = "done"
    cause: str = ""
    stage: str = ""
    says: str = ""
    attempts: int = 1


def _raises(says: str, *, cause: str = "exception", attempts: int = 1) -> Expected:
    return Expected("failed", cause, "read", says, attempts)


def _dies(cause: str, says: str, *, attempts: int = 1) -> Expected:
    return Expected("failed", cause, "worker", says, attempts)


def _is_refused(cause: str, says: str) -> Expected:
    return Expected("failed", cause, "check", says)


_TIMED_OUT = _dies("timeout", "and was stopped")
_GOOD = Expected()

#: By the name of the fault.
FAULTS: dict[str, Expected] = {
    "exception": _raises("ValueError: no such column"),
    "own_error": _raises("there is no such system; look at the list", cause="key_not_found"),
    "unavailable": _raises("the source did not answer", cause="source_unavailable", attempts=3),
    "good_at_the_third_time": Expected(attempts=3),
    "without_message": _raises("AssertionError: no message"),
    "broken_text": _raises("BrokenTextError: <BrokenTextError that cannot be shown: RuntimeError>"),
    "unpicklable": _raises("LockHolderError: it holds a lock"),
    "heavy": _raises("HeavyError: it holds what was read"),
    "item": _raises("ItemError: it has an item"),
    "panic": _raises("PanicError: panicked at solver.rs"),
    "recursion": _raises("RecursionError: maximum recursion depth exceeded"),
    "memory_error": _raises("MemoryError: Unable to allocate 4.66 GiB", cause="out_of_memory", attempts=2),
    "file_handles": _raises("Too many open files"),
    "long_message": _raises("x … (cut)"),
    "surrogates": _raises(r"ValueError: the file caf\udce9.csv cannot be read"),
    "keyboard": _raises("KeyboardInterrupt: no message"),
    "generator_exit": _raises("GeneratorExit: no message"),
    "sys_exit": _raises("SystemExit: 4"),
    "os_exit": _dies("crashed", "exit code 3"),
    "segfault": _dies("crashed", "SIGSEGV"),
    "abort": _dies("crashed", "SIGABRT"),
    "stack_overflow": _dies("crashed", "SIGSEGV"),
    "kill": _dies("killed", "SIGKILL", attempts=2),
    "fork_and_exit": _dies("crashed", "exit code 5"),
    "hang": _TIMED_OUT,
    "hang_in_c": _TIMED_OUT,
    "hang_with_children": _TIMED_OUT,
    "endless_loop": _TIMED_OUT,
    "slow": _GOOD,
    "hog": _dies("out_of_memory", "and was stopped", attempts=2),
    "leak": _dies("out_of_memory", "and was stopped", attempts=2),
    "good_with_twice_the_memory": Expected(attempts=2),
    "closes_everything": _dies("crashed", "closed its connection to the worker, or wrote into it, and was stopped"),
    "none": _is_refused("not_a_frame", "get_data returned NoneType, not a pandas DataFrame"),
    "text": _is_refused("not_a_frame", "get_data returned str, not a pandas DataFrame"),
    "generator": _is_refused("not_a_frame", "get_data returned generator, not a pandas DataFrame"),
    "lock": _is_refused("not_a_frame", "lock, not a pandas DataFrame"),
    "strings": _is_refused("not_numeric", "no column is numeric"),
    "empty": _is_refused("empty", ""),
    "missing": _is_refused("all_missing", ""),
    "frame_that_raises": _is_refused("empty", ""),
    "recursive_cells": _is_refused("not_numeric", "no column is numeric"),
    "enormous": _is_refused("too_large", "the frame has 60,000,000 rows"),
    "good_with_a_huge_note": _GOOD,
    "good_with_recursive_attrs": _GOOD,
    "talks_into_the_protocol": _dies("crashed", "the process that computed the key "),
    "closes_stdout": _dies("crashed", "exit code 1"),
    "good_prints_100_mb": _GOOD,
    "good_starts_a_process": _GOOD,
    "good_leaves_a_process": _GOOD,
    "good_leaves_threads": _GOOD,
    "good_warns_often": _GOOD,
    "good_then_hangs_in_close": _GOOD,
}

#: By the option `builds` of the plug; set for single rows of a manifest.
BUILD_FAULTS: dict[str, Expected] = {
    "hangs": _TIMED_OUT,
    "raises": Expected("failed", "broken_provider", "plug", "raised in __init__: RuntimeError: no such driver"),
    "exits": Expected("failed", "broken_provider", "plug", "raised in __init__: SystemExit: the library wants"),
    "crashes": _dies("crashed", "SIGSEGV"),
}
