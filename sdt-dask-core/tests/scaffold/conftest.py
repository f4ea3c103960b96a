"""Scaffolds, and an environment of their own to install them into."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

Run = Callable[..., str]

# All that is needed is installed below, so nothing is looked for on a network.
_OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one as the value of build isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
# As an installer writes it.
_COMMAND = """\
#!{python}
from sdt_dask_core.cli import main

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command line in this process, in an empty folder, where git knows nobody."""
    from sdt_dask_core.cli.app import app

    monkeypatch.chdir(tmp_path)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def run(make_environment: Callable[..., Any]) -> Run:
    """Run a command as in a shell where an environment is active that lets more be installed."""
    python: Path = make_environment().python
    command = python.with_name("sdt-dask")
    command.write_text(_COMMAND.format(python=python), encoding="utf-8")
    command.chmod(0o755)
    ours = ("PYTEST", "PYTHON", "SDT_DASK", "VIRTUAL_ENV")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables |= _OFFLINE | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}

    def run(*arguments: object, cwd: Path) -> str:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            cwd=cwd,
            env=variables,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
