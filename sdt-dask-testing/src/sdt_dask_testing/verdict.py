"""How the conformance kit says no: one message, without the kit's own code around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import pytest

__all__ = ["bullets", "refuse", "require"]


def require(condition: object, message: str) -> None:
    """Fail the test with this message unless the condition holds."""
    __tracebackhide__ = True
    if not condition:
        refuse(message)


def refuse(message: str) -> NoReturn:
    """Fail the test with this message: what failed, why, and what to do."""
    __tracebackhide__ = True
    pytest.fail(message, pytrace=False)


def bullets(lines: Iterable[str]) -> str:
    """Return the lines below one another, as they end a message."""
    return "".join(f"\n  - {line}" for line in lines)
