"""Inspection: a provider imported in a process of its own, so that a broken one breaks nothing but its own line.

``python -m sdt_dask_core.inspection KIND NAME`` imports one provider and prints as JSON what it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from sdt_dask_core.errors import OptionError
from sdt_dask_core.registry import Provider, find_provider, load_class

if TYPE_CHECKING:
    from sdt_dask_core.options import OptionSet

__all__ = ["Inspection", "describe", "inspect_all", "inspect_provider", "main"]

_TIMEOUT = 30.0  # s; heavy SDKs on a cold disk take their time
_AT_ONCE = 4
_LAST_WORDS = 300
_SLOW = 2.0  # s; each process that computes pays it


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the import of a provider showed.

    Attributes
    ----------
    problem : str
        Why it cannot be used, with the distribution to blame; empty when it can.
    summary : str
        First sentence of its docstring.
    hooks : list of str
        The hooks that it implements.
    key_shape : str
        For a plug, what its keys look like.
    options : list of dict
        ``name``, ``type``, ``is_required``, ``default``, ``environment``, ``is_secret`` and ``help`` of each option.
    seconds : float
        How long its import took [s].
    warnings : list of str
        What its author should mend although it works.
    """

    problem: str = ""
    summary: str = ""
    hooks: list[str] = field(default_factory=list)
    key_shape: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


def inspect_all(providers: Iterable[Provider], *, timeout: float = _TIMEOUT) -> list[Inspection]:
    """Inspect several providers side by side; see `inspect_provider`."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(lambda provider: inspect_provider(provider, timeout=timeout), providers))


def inspect_provider(provider: Provider, *, timeout: float = _TIMEOUT) -> Inspection:
    """Import a provider in a process of its own.

    One that hangs, crashes or calls ``sys.exit`` is told with its reason and the distribution to blame; nothing is
    raised. What its metadata already tell to be broken is not imported.

    Parameters
    ----------
    provider : Provider
        What to import.
    timeout : float
        How long it may take [s].
    """
    if provider.problems:
        return Inspection(problem="; ".join(provider.problems))
    blame = f"{provider.kind} {provider.name!r} of {provider.distribution} {provider.version}"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # Files, not pipes: a process that the provider leaves behind would hold a pipe open for ever.
        code = _run([provider.kind, provider.name], out, err, timeout)
        answer, words = _read(out), _read(err)
    if code is None:
        return Inspection(problem=f"{blame} did not finish its import within {timeout:g} s{_said(words)}")
    try:
        return Inspection(**json.loads(answer))
    except (ValueError, TypeError):
        return Inspection(problem=f"{blame} ended the process that imported it, {_ending(code)}{_said(words)}")


def _run(arguments: list[str], out: IO[bytes], err: IO[bytes], timeout: float) -> int | None:
    """Run this module; return its exit code, None when the time is over."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sdt_dask_core.inspection", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        start_new_session=True,
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and on POSIX whatever else it started in its session."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace").strip()


def _said(words: str) -> str:
    return f"; its last words: {' '.join(words.split())[-_LAST_WORDS:]}" if words else ""


def _ending(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def describe(kind: str, name: str) -> Inspection:
    """Import a provider here and say what it is; whatever it raises, also ``SystemExit``, is its problem."""
    try:
        return _describe(kind, name)
    except Exception as error:  # noqa: BLE001 - a stranger's module
        return Inspection(problem=str(error))
    except BaseException as error:  # noqa: BLE001 - such as sys.exit
        provider = find_provider(kind, name)
        blame = f"{kind} {name!r} of {provider.distribution} {provider.version}"
        return Inspection(problem=f"{blame} stopped its own import: {type(error).__name__}: {error}")


def _describe(kind: str, name: str) -> Inspection:
    import inspect

    from sdt_dask_core.contract import hooks_of
    from sdt_dask_core.options import options_of

    provider = find_provider(kind, name)
    start = time.perf_counter()
    cls = load_class(provider)
    seconds = round(time.perf_counter() - start, 3)
    option_set = options_of(cls, kind=kind, name=name)
    _build(provider, option_set)
    return Inspection(
        summary=(inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " "),
        hooks=hooks_of(cls),
        key_shape=str(getattr(cls, "key_shape", "")) if kind == "plug" else "",
        options=[_option(option) for option in option_set],
        seconds=seconds,
        warnings=list(_warnings(cls, option_set, seconds)),
    )


def _build(provider: Provider, option_set: OptionSet) -> None:
    """Build it from its defaults, where it has one for each option, so that an ``__init__`` that raises is known."""
    from sdt_dask_core.reference import Reference

    if any(option.is_required for option in option_set):
        return
    with contextlib.suppress(OptionError):  # options that need each other, as the run will say
        Reference(provider.kind, provider.name, provider.distribution, provider.version, provider.value, {}).build()


def _warnings(cls: type, option_set: OptionSet, seconds: float) -> Iterator[str]:
    from sdt_dask_core.contract import near_hooks

    if seconds > _SLOW:
        yield f"its import took {seconds:.1f} s; import heavy packages in the methods that use them"
    for method, hook in near_hooks(cls).items():
        yield f"its method {method!r} is no hook; did you mean {hook!r}?"
    silent = [repr(option.name) for option in option_set if not option.help]
    if silent:
        yield f"its docstring says nothing of {', '.join(silent)}; give each option a sentence under Parameters"


def _option(option: Any) -> dict[str, Any]:
    default = None if option.is_required else option.default
    return {
        "name": option.name,
        "type": option.type_text,
        "is_required": option.is_required,
        "default": default if default is None or isinstance(default, (bool, int, float, str)) else str(default),
        "environment": option.environment,
        "is_secret": option.is_secret,
        "help": option.help,
    }


def main() -> None:
    """Answer for the provider that the command line names."""
    kind, name = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the provider prints must not reach the answer
    here = os.path.realpath(os.getcwd())  # noqa: PTH109 - as sys.path holds it
    # Python 3.10 knows no PYTHONSAFEPATH: ``python -m`` puts the current folder first.
    sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) != here]
    found = describe(kind, name)
    json.dump({name: getattr(found, name) for name in Inspection.__slots__}, answers)
    answers.flush()
    os._exit(0)  # threads and exit handlers of the provider do not matter any more


if __name__ == "__main__":
    main()
