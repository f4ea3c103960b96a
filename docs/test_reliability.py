"""Every test that the page on reliability names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_PAGE = _ROOT / "docs" / "explanation" / "reliability.md"
# Of several in one cell, those without a file are in the file before them.
_NAMED = re.compile(r"`(?P<file>sdt-dask-[\w/-]+\.py)?(?:::(?P<test>test_\w+))?`")


def _named() -> list[tuple[str, str]]:
    found, file = [], ""
    for match in _NAMED.finditer(_PAGE.read_text(encoding="utf-8")):
        file = match["file"] or file
        if match["file"] or match["test"]:
            found.append((file, match["test"] or ""))
    return found


def test_the_page_names_tests() -> None:
    assert len(_named()) > 30  # noqa: PLR2004 - dozens of promises


@pytest.mark.parametrize(("file", "test"), _named())
def test_a_test_that_keeps_a_promise_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in (_ROOT / file).read_text(encoding="utf-8") if test else (_ROOT / file).is_file()
