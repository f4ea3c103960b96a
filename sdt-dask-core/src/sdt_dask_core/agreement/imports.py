"""What travelling code imports: the code of a user's own class travels, the modules that it names do not."""

from __future__ import annotations

import pickletools
import sys
import sysconfig
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import importlib_metadata

from sdt_dask_core.doctor.source import source_of
from sdt_dask_core.reference import Reference

__all__ = ["own_imports"]

_SUBIMPORT = object()


def own_imports(reference: Reference) -> Iterator[str]:
    """Yield the top-level modules that travelling code imports and that only this machine has.

    Parameters
    ----------
    reference : Reference
        A class that is in no distribution, else nothing is yielded.
    """
    if not reference.code:
        return
    for name in set(_imported(b64decode(reference.code))) - {"__main__"}:
        origin = getattr(sys.modules.get(name), "__file__", None)
        if origin and not _is_installed(Path(origin)):
            yield name.partition(".")[0]


def _imported(pickled: bytes) -> Iterator[str]:
    """Yield the modules that whoever reads a pickle imports; it is not read here, which would change our own class.

    A pickle names a global by two strings, just pushed or fetched from its memo, and cloudpickle writes a module that a
    function uses as a call of its `subimport`.
    """
    memo: list[object] = []
    below, top = None, None  # the last two that were pushed
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "MEMOIZE":
            memo.append(top)
            continue
        pushed: object = argument
        if opcode.name in ("BINGET", "LONG_BINGET"):
            pushed = memo[int(str(argument))]
        elif opcode.name == "STACK_GLOBAL":
            yield str(below)
            pushed = _SUBIMPORT if top == "subimport" else None
        if top is _SUBIMPORT and isinstance(pushed, str):
            yield pushed
        below, top = top, pushed


def _is_installed(file: Path) -> bool:
    homes = {Path(sysconfig.get_paths()[name]) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    sources = (source_of(distribution.name) for distribution in importlib_metadata.distributions())
    homes |= {Path(source.place) for source in sources if source is not None and source.is_editable}
    # A virtual environment may stand upon another one.
    return "site-packages" in file.parts or any(file.is_relative_to(home) for home in homes)
