"""What travelling code imports is known from the code alone, and not from words that look like it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sdt_dask_core.agreement.imports import own_imports
from sdt_dask_core.reference import refer_to

PLUG = """
import math
import numpy as np
import own_helper
import own_package.part
from own_reader import read
from sdt_dask_core import Plug

class OwnPlug(Plug):
    def get_data(self, key):
        return read("own_word"), own_helper.read(), own_package.part.read(), np.zeros(3), math.pi
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A user's module with a plug, beside others that it imports, and one that it only names."""
    before = set(sys.modules)
    (tmp_path / "own_package").mkdir()
    for name in ("own_helper", "own_reader", "own_word", "own_package/part", "own_package/__init__"):
        (tmp_path / f"{name}.py").write_text("def read(*_):\n    return 1\n")
    (tmp_path / "own_plug.py").write_text(PLUG)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("own_word")
    yield importlib.import_module("own_plug")
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


def test_modules_that_only_this_machine_has_are_named(module: ModuleType) -> None:
    assert set(own_imports(refer_to("plug", module.OwnPlug))) == {"own_helper", "own_package", "own_reader"}


def test_code_that_is_installed_names_none() -> None:
    assert list(own_imports(refer_to("plug", "csv", {"path": ".", "units": "kW"}))) == []
