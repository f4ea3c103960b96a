"""An image without Docker: a virtual environment that holds just what a context of ``sdt-dask image`` locks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sdt_dask_core.resolution.by_uv import find_uv
from sdt_dask_core.resolution.program import clean_environment
from sdt_dask_core.resolution.settings import uv_settings

__all__ = ["make_image_environment"]


def make_image_environment(context: Path, folder: Path) -> Path:
    """Make a virtual environment of a context; return its Python.

    Beside it stand the scripts ``dask-scheduler`` and ``dask-worker``, as in an image. uv does it, which must be
    installed; this Python must be the one that the context is for.

    Parameters
    ----------
    context : pathlib.Path
        What ``sdt-dask image --output`` wrote.
    folder : pathlib.Path
        Where to make the environment; it must not exist.

    Raises
    ------
    RuntimeError
        It cannot be made; the message has uv's own words.
    """
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / Path(sys.executable).name
    _install(context, python)
    for script in sorted((context / "bin").iterdir()):
        shutil.copy(script, programs)
    if (context / "folder").is_dir():
        _add_to_path(context / "folder", python)
    return python


def _install(context: Path, python: Path) -> None:
    environment, flags = uv_settings(clean_environment())
    _uv(
        *("pip", "install", "--quiet", "--no-config", "--python", str(python), *flags),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--find-links", str(context / "wheels")),
        *("--requirement", str(context / "requirements.lock")),
        environment=environment,
    )


def _add_to_path(folder: Path, python: Path) -> None:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    Path(done.stdout.strip(), "sdt_dask_folder.pth").write_text(f"{folder.resolve()}\n", encoding="utf-8")


def _uv(*arguments: str, environment: dict[str, str] | None = None) -> None:
    uv = find_uv()
    if uv is None:
        raise RuntimeError("uv does not run here, which makes the environment of an image; pip install uv")
    done = subprocess.run(
        [*uv.command, *arguments],
        env={**clean_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"uv could not make the environment of an image: {done.stderr}")
