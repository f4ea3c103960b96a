"""The commands that mend: with the installer that is there, quoted as a shell needs it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.doctor import mending


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is on the path of the shell."""
    found: dict[str, str] = {}
    monkeypatch.setattr(mending.shutil, "which", found.get)
    return found


@pytest.fixture
def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending.importlib.util, "find_spec", lambda name: None)


PYTHON = shlex.quote(sys.executable)


def test_the_pip_of_this_environment_is_called_by_its_name(programs: dict[str, str]) -> None:
    programs["pip"] = str(Path(sys.executable).parent / "pip")
    assert mending.install("x>=1,<2") == "pip install 'x>=1,<2'"


def test_the_pip_of_another_environment_is_not_called(programs: dict[str, str]) -> None:
    programs["pip"] = "/usr/bin/pip"
    assert mending.install("x", upgrade=True) == f"{PYTHON} -m pip install --upgrade x"


@pytest.mark.usefixtures("no_pip")
def test_uv_does_it_where_there_is_no_pip(programs: dict[str, str]) -> None:
    programs["uv"] = "/usr/bin/uv"
    assert mending.uninstall("x") == f"uv pip uninstall --python {PYTHON} x"
    assert mending.build_wheels("/a b", "/c") == (
        "uv build --wheel --out-dir wheels '/a b' && uv build --wheel --out-dir wheels /c"
    )


@pytest.mark.usefixtures("no_pip", "programs")
def test_where_there_is_neither_pip_says_that_it_is_missing() -> None:
    assert mending.install("x") == f"{PYTHON} -m pip install x"


@pytest.mark.parametrize("text", ["x<4,>=3", "x[a,b]", "x @ https://example.org/a b", "x;rm -rf ~", "$(x)"])
def test_what_a_shell_would_read_is_quoted(text: Any) -> None:
    assert shlex.split(mending.install_there(text)) == ["python", "-m", "pip", "install", text]
