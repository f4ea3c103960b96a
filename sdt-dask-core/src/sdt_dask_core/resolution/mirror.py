"""A mirror of an environment: a Python of its own with metadata alone, on which the tools may be let loose.

uv and pip ask there what they would change, so nothing that is installed can change, whatever they do. They take a
distribution that no index has, such as one installed from a folder, as it stands in the mirror.
"""

from __future__ import annotations

import os
import sysconfig
import venv
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from sdt_dask_core.resolution.installed import Distribution, Installed, is_met

__all__ = ["make_mirror", "unmet"]


def make_mirror(folder: Path, distributions: Iterable[Distribution], *, without: Iterable[Requirement] = ()) -> Path:
    """Make a mirror that holds these distributions; return its Python.

    Parameters
    ----------
    folder : Path
        Where to make it; it must not exist.
    distributions : iterable of Distribution
        What seems installed there.
    without : iterable of packaging.requirements.Requirement
        Requirements to leave out of their metadata.
    """
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    # From the scheme of the mirror: `lib64`, `Lib` or a Debian name, whatever this Python has.
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else sysconfig.get_default_scheme()
    site = Path(sysconfig.get_path("purelib", scheme, {"base": str(folder), "platbase": str(folder)}))
    left_out = {id(requirement) for requirement in without}
    for distribution in distributions:
        _write(site, distribution, left_out)
    binaries = Path(sysconfig.get_path("scripts", scheme, {"base": str(folder), "platbase": str(folder)}))
    return binaries / ("python.exe" if os.name == "nt" else "python")


def _write(site: Path, distribution: Distribution, left_out: set[int]) -> None:
    info = site / f"{distribution.key.replace('-', '_')}-{distribution.version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {distribution.name}", f"Version: {distribution.version}"]
    lines += [f"Requires-Dist: {text}" for text in distribution.requires if id(text) not in left_out]
    lines += [f"Provides-Extra: {extra}" for extra in distribution.extras]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wheel = "Wheel-Version: 1.0\nGenerator: sdt-dask\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    (info / "WHEEL").write_text(wheel, encoding="utf-8")
    (info / "INSTALLER").write_text("sdt-dask\n", encoding="utf-8")
    (info / "RECORD").write_text("", encoding="utf-8")


def unmet(installed: Installed) -> list[Requirement]:
    """Return the requirements that are not met already; the question is not whether to mend those."""
    return [
        requirement
        for distribution in installed.values()
        for requirement in distribution.needs()
        if not is_met(requirement, installed)
    ]
