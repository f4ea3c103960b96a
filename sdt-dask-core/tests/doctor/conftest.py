"""A healthy environment, and what the doctor says of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest

from sdt_dask_core.registry import installed_providers

PLUG = """
from sdt_dask_core.plug import Plug


class AcmePlug(Plug):
    '''Reads from Acme.'''

    def get_data(self, key):
        raise NotImplementedError
"""


def make_healthy(environment: Any) -> Any:
    """Mend what is known to be wrong with the environment below, which is one of a developer."""
    # The overrides of this repository leave it out.
    environment.pretend("jupyter", "1.1.1")
    # Installed from the checkout below; here they look as if an index gave them.
    for name in {provider.distribution for provider in installed_providers()}:
        site_packages = Path(str(importlib_metadata.distribution(name).locate_file("")))
        (info,) = site_packages.glob(f"{name.replace('-', '_')}-*.dist-info")
        copy = environment.site_packages / info.name
        shutil.copytree(info, copy, ignore=shutil.ignore_patterns("direct_url.json"))
    return environment


@pytest.fixture(scope="session")
def healthy(make_environment: Callable[..., Any]) -> Any:
    """An environment with which nothing is wrong; not to be changed."""
    return make_healthy(make_environment())


@pytest.fixture
def environment(make_environment: Callable[..., Any]) -> Any:
    """A healthy environment of the test's own."""
    return make_healthy(make_environment())


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Write the source folder of a plug."""

    def write(name: str = "acme-plug", *requires: str) -> Path:
        folder = tmp_path / "sources" / name
        folder.mkdir(parents=True)
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(PLUG, encoding="utf-8")
        (folder / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[tool.hatch.build]\ndev-mode-dirs = ["."]\n'
            f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {json.dumps(requires)}\n'
            f'[project.entry-points."sdt_dask.plugs"]\n{name.partition("-")[0]} = "{module}:AcmePlug"\n',
            encoding="utf-8",
        )
        return folder

    return write


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., Path]:
    """Write a wheel with nothing in it; return the folder of all of them."""

    def write(name: str, version: str) -> Path:
        folder = tmp_path / "wheels-to-find"
        folder.mkdir(exist_ok=True)
        info = f"{name.replace('-', '_')}-{version}"
        with zipfile.ZipFile(folder / f"{info}-py3-none-any.whl", "w") as file:
            for entry, text in {
                "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
                "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                "RECORD": "".join(f"{info}.dist-info/{entry},,\n" for entry in ("METADATA", "WHEEL", "RECORD")),
            }.items():
                file.writestr(f"{info}.dist-info/{entry}", text)
        return folder

    return write


@dataclass(frozen=True)
class Doctor:
    """What the doctor says, asked in a folder of the test's own."""

    cwd: Path

    def __call__(self, environment: Any, *arguments: str, cwd: Path | None = None, **more: str) -> dict[str, Any]:
        """Return the page, with the exit code added."""
        done = environment.sdt_dask("doctor", "--json", *arguments, cwd=cwd or self.cwd, **more)
        assert done.returncode in (0, 1), done.stderr
        return {**json.loads(done.stdout), "exit": done.returncode}

    def findings(self, about: str, environment: Any, *arguments: str, **more: Any) -> list[dict[str, Any]]:
        """Return the findings about something."""
        return [found for found in self(environment, *arguments, **more)["findings"] if found["about"] == about]

    def finding(self, about: str, environment: Any, *arguments: str, **more: Any) -> dict[str, Any]:
        """Return the only finding about something."""
        found = self.findings(about, environment, *arguments, **more)
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


@pytest.fixture
def type_command(tmp_path: Path) -> Callable[..., str]:
    """Type a command that the doctor gave into a shell; nothing is fetched."""

    def run(command: str, *, answer: str = "", **more: str) -> str:
        offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env={**variables, **offline, **more},
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
