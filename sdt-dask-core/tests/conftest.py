"""Real environments for a test: a venv over the one that runs, with distributions of its own in front."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uv

BROKEN = Path(__file__).parent / "broken" / "distributions"


@dataclass(frozen=True)
class Environment:
    """A venv in which all that is installed here can be imported."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, *what: str | Path) -> None:
        """Build and install from source folders or wheels, and nothing beside them."""
        # hatchling comes from the environment below, so nothing is fetched; no cache, because uv would not see that a
        # module changed.
        flags = ("--quiet", "--no-deps", "--no-build-isolation", "--offline", "--no-cache", "--no-config")
        done = subprocess.run(
            [uv.find_uv_bin(), "pip", "install", *flags, "--python", self.python, *what],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def pretend(self, name: str, version: str, *requires: str) -> Path:
        """Let metadata say that a distribution is there; return their folder."""
        info = self.site_packages / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        text = "\n".join([*lines, *(f"Requires-Dist: {requirement}" for requirement in requires), ""])
        (info / "METADATA").write_text(text, encoding="utf-8")
        (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n", encoding="utf-8")
        return info

    def hide(self, module: str) -> None:
        """Let no process of the environment import a module."""
        line = f"import sys; sys.modules[{module!r}] = None\n"
        (self.site_packages / f"hide_{module}.pth").write_text(line, encoding="utf-8")

    def run_python(self, *arguments: Any, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a folder, with more environment variables."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SDT_DASK_", "PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=cwd,
            env={**clean, **more},
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    def sdt_dask(self, *arguments: Any, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return self.run_python("-m", "sdt_dask_core.cli", *arguments, cwd=cwd, **more)


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Environment]:
    """Make an `Environment` with distributions of its own."""

    def make(*what: str | Path, users_own: bool = False) -> Environment:
        folder = tmp_path_factory.mktemp("environment") / "venv"
        # Python looks at the user's own packages only where it looks at those of the system.
        flags = ("--quiet", "--no-config", *(("--system-site-packages",) if users_own else ()))
        subprocess.run([uv.find_uv_bin(), "venv", *flags, "--python", sys.executable, folder], check=True)
        made = Environment(folder)
        below = {sysconfig.get_paths()[name] for name in ("purelib", "platlib")}
        # addsitedir, not the bare folder: what is installed editable below has .pth files of its own. Files are read by
        # name, and what the environment itself has goes first.
        lines = [f"import site; site.addsitedir({path!r})\n" for path in sorted(below)]
        (made.site_packages / "zz_below.pth").write_text("".join(lines), encoding="utf-8")
        if what:
            made.install(*what)
        return made

    return make


@pytest.fixture(scope="session")
def broken_environment(make_environment: Callable[..., Environment]) -> Environment:
    """Every distribution that is broken on purpose, and the healthy ones, built and installed."""
    return make_environment(*sorted(BROKEN.iterdir()))
