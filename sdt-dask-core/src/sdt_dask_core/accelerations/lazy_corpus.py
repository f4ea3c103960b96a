"""Solar Data Tools imported without its corpus of shade analysis, which is read when it is first used.

``solardatatools.algorithms.shade`` reads a zipped table of 75 MB when it is imported: most of the time and of the
memory of the import, for an analysis that no run of ours asks for. Here the module gets a table that reads the same
file with the same arguments as soon as anything is asked of it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

__all__ = ["NAME", "LazyTable", "applies", "apply", "self_test"]

NAME = "sdt-lazy-corpus"

_MODULE = "solardatatools.algorithms.shade"
_FILE = "transformed_data_corpus.zip"
# Every line of the module that has the table: other uses of it are not known to work with one that is read late.
_USES = (
    "DATA_CORPUS = pd.read_csv(",
    "data = DATA_CORPUS.values",
    "data = DATA_CORPUS.query(query).values",
)


class LazyTable:
    """A table that is read when something is first asked of it.

    Parameters
    ----------
    read : callable
        ``pandas.read_csv``.
    *args, **kwargs
        What it was called with.
    """

    def __init__(self, read: Any, *args: Any, **kwargs: Any) -> None:
        self._call = (read, args, kwargs)
        self._table: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # copy and pickle ask for these before there is anything to read
            raise AttributeError(name)
        if self._table is None:
            read, args, kwargs = self._call
            self._table = read(*args, **kwargs)
        return getattr(self._table, name)


def applies() -> bool:
    """Tell whether the installed Solar Data Tools reads the corpus at import, and uses it only as is known here."""
    spec = importlib.util.find_spec("solardatatools")
    if spec is None or not spec.submodule_search_locations:
        return False
    source = Path(spec.submodule_search_locations[0], "algorithms", "shade.py")
    if not source.exists():
        return False
    lines = source.read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if "DATA_CORPUS" in line) == _USES


def self_test() -> bool:
    """Read a small table late, and ask it what the module asks its own."""
    import io

    import pandas as pd

    text = "a,b\n1,2.5\n3,4.5\n"
    now = pd.read_csv(io.StringIO(text), index_col=[0])
    late = LazyTable(pd.read_csv, io.StringIO(text), index_col=[0])
    same_values = bool((late.values == now.values).all())
    return same_values and bool((late.query("a == 3").values == now.query("a == 3").values).all())


def apply() -> None:
    """Import Solar Data Tools without the corpus; where it is imported already, the corpus is there."""
    if _MODULE in sys.modules:
        return
    with _late_corpus():
        importlib.import_module(_MODULE)


@contextmanager
def _late_corpus() -> Iterator[None]:
    import pandas as pd

    read = pd.read_csv

    def read_late(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], PurePath) and args[0].name == _FILE:
            return LazyTable(read, *args, **kwargs)
        return read(*args, **kwargs)

    pd.read_csv = read_late
    try:
        yield
    finally:
        pd.read_csv = read
