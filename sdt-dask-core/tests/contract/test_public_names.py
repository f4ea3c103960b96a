"""The public names: they resolve, they are documented, and they cost nothing until they are used."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import sdt_dask_core

HEAVY = ["numpy", "pandas", "dask", "distributed", "pydantic", "solardatatools", "sqlite3"]

LOADED = f"""
import json, sys
{{code}}
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""

MODULES = (
    *("errors", "keys", "hookspecs", "plug", "secret", "options", "contract", "registry"),
    *("adapt", "reference", "folder", "environment", "addons", "causes"),
)


def test_every_public_name_stands_in_the_file_that_mypy_reads() -> None:
    text = (Path(__file__).parents[1] / "typing" / "api.py").read_text(encoding="utf-8")
    assert [name for name in sdt_dask_core.__all__ if not re.search(rf"\b{name}\b", text.partition("class ")[2])] == []


@pytest.mark.parametrize("name", sdt_dask_core.__all__)
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    thing = getattr(sdt_dask_core, name)
    assert thing is not None
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing)


def test_all_is_sorted_and_without_repeats() -> None:
    assert sdt_dask_core.__all__ == sorted(set(sdt_dask_core.__all__))


def test_dir_shows_every_public_name() -> None:
    assert set(sdt_dask_core.__all__) <= set(dir(sdt_dask_core))


def test_a_star_import_brings_every_public_name() -> None:
    space: dict[str, Any] = {}
    exec("from sdt_dask_core import *", space)
    assert set(sdt_dask_core.__all__) <= set(space)


def test_an_unknown_name_is_told_as_python_does() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = sdt_dask_core.NoSuchName
    assert str(caught.value) == "module 'sdt_dask_core' has no attribute 'NoSuchName'"


@pytest.mark.parametrize("name", MODULES)
def test_a_modules_all_is_complete(name: str) -> None:
    module = importlib.import_module(f"sdt_dask_core.{name}")
    own = {
        key
        for key, thing in vars(module).items()
        if not key.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    }
    # The hooks themselves are reached by their names through pluggy.
    hooks = {key for key in own if hasattr(getattr(module, key), "sdt_dask_spec")}
    assert own - hooks <= set(module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_a_modules_public_classes_and_functions_are_documented(name: str) -> None:
    module = importlib.import_module(f"sdt_dask_core.{name}")
    things = [getattr(module, key) for key in module.__all__]
    assert [t for t in things if (inspect.isclass(t) or inspect.isfunction(t)) and not inspect.getdoc(t)] == []


def test_every_module_says_what_it_is() -> None:
    for info in pkgutil.iter_modules(sdt_dask_core.__path__):
        if info.name == "__main__":
            continue  # importing it would run it
        assert importlib.import_module(f"sdt_dask_core.{info.name}").__doc__, info.name


@pytest.mark.parametrize(
    "code",
    [
        "import sdt_dask_core",
        "from sdt_dask_core.errors import KeyNotFoundError",
        "from sdt_dask_core import Client, Plug, Secret, hookimpl\n"
        "class Mine(Plug):\n    def get_data(self, key): ...\nMine()",
        "from sdt_dask_core.registry import installed_providers\ninstalled_providers()",
    ],
    ids=["core", "errors", "a plug", "the listing"],
)
def test_it_loads_nothing_heavy(fresh_python: Any, code: str) -> None:
    assert json.loads(fresh_python(LOADED.format(code=code))) == []
