"""Standard output and standard error of the command line, which a plug on the driver may print, warn or log to."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sdt_dask_core.secret import redact

__all__ = ["without_secrets"]


class _Redacting:
    """A text stream that writes no secret to the one below it."""

    def __init__(self, below: Any) -> None:
        self._below = below

    def write(self, text: str) -> int:
        self._below.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Take the secrets that this process resolved out of all that it writes to its standard streams."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Redacting(out), _Redacting(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
