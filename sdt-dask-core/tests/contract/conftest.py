"""Distributions made on the fly, and Python processes that know nothing of this one."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

MakeDistribution = Callable[..., Path]
FreshPython = Callable[..., str]


@pytest.fixture
def make_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeDistribution:
    """Install a distribution of one module, in this process alone."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(
        name: str = "acme-plug",
        *,
        version: str = "1.2.0",
        module: str = "acme_plug",
        source: str = "",
        entry_points: str = "[sdt_dask.plugs]\nacme = acme_plug:AcmePlug\n",
        requires: tuple[str, ...] = (),
    ) -> Path:
        home = tmp_path / "site" / name
        info = home / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata = "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires), ""])
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
        (info / "RECORD").write_text(f"{module}.py,,\n", encoding="utf-8")
        if module:
            (home / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(home)
        return info

    return make


@pytest.fixture
def import_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], object]:
    """Write a module into a folder of the user's and import it."""

    def load(name: str, source: str) -> object:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return load


@pytest.fixture
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> FreshPython:
    """Run code in a new process with a working folder of its own; return what it printed."""

    def run(code: str, *, text: str = "", **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            input=text,
            capture_output=True,
            text=True,
            cwd=tmp_path_factory.mktemp("elsewhere"),
            env={**os.environ, **environment},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
