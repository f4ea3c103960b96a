"""Run in the image while it is built: everything in it that a run may ask for is imported once.

``python -m sdt_dask_core.image.inside [FOLDER]``; the exit code is 1 when anything is broken.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from sdt_dask_core.errors import SdtDaskError
from sdt_dask_core.folder import read_user_folder
from sdt_dask_core.registry import find_provider, installed_providers, load_class

__all__ = ["main", "problems"]

_MODULES = ("solardatatools", "distributed.cli.dask_scheduler", "distributed.cli.dask_worker")
_SCRIPTS = ("dask-scheduler", "dask-worker")


def main(arguments: Sequence[str]) -> int:
    """Say what is there and what is broken; return the exit code."""
    for provider in installed_providers():
        _say(sys.stdout, f"{provider.kind} {provider.name}: {provider.distribution} {provider.version}")
    found = list(problems(arguments))
    for problem in found:
        _say(sys.stderr, f"error: {problem}")
    return 1 if found else 0


def problems(folders: Sequence[str]) -> Iterator[str]:
    """Yield what is broken, one sentence each."""
    for module in _MODULES:
        yield from _raised(module, importlib.import_module, module)
    for script in _SCRIPTS:
        if shutil.which(script) is None:
            yield f"there is no {script} on the path"
    for provider in installed_providers():
        yield from _raised(
            provider.name, lambda kind, name: load_class(find_provider(kind, name)), provider.kind, provider.name
        )
    for folder in folders:
        yield from _raised(folder, _read, Path(folder))


def _read(folder: Path) -> None:
    _say(sys.stdout, f"folder {read_user_folder(folder).plug.__name__}")


def _raised(what: str, function: Callable[..., Any], *arguments: object) -> Iterator[str]:
    try:
        function(*arguments)
    except SdtDaskError as error:
        yield error.message
    except Exception as error:  # noqa: BLE001 - whatever a module raises
        yield f"{what} cannot be imported: {type(error).__name__}: {error}"


def _say(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
