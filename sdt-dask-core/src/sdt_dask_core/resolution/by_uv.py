"""Asking uv."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import importlib_metadata
from packaging.utils import canonicalize_name

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.resolution.installed import Distribution, read_distribution
from sdt_dask_core.resolution.program import Program, RefusedError, UnreachableError, clean_environment
from sdt_dask_core.resolution.question import version_of
from sdt_dask_core.resolution.settings import uv_settings
from sdt_dask_core.resolution.target import Target, this_python
from sdt_dask_core.resolution.tool import Place, write_requirements
from sdt_dask_core.resolution.wheel import Wheel, best_for, file_in

__all__ = ["Uv", "find_uv"]

_WOULD_INSTALL = re.compile(r"^ [+~] ([A-Za-z0-9._-]+)(?:==| @ )(\S+)", re.MULTILINE)
_UNREACHABLE = re.compile(
    r"failed to fetch|error sending request|could not be queried|network was disabled|dns error|tcp connect"
    r"|HTTP status (?:client|server) error",
    re.IGNORECASE,
)
_REFUSED = 1  # the exit code for "no solution"; all else that goes wrong has another


def find_uv() -> Program | None:
    """Return uv of the path or of this environment, when it runs."""
    for path in _candidates():
        try:
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue
        said = done.stdout.split()
        if done.returncode == 0 and said[:1] == ["uv"]:
            return Program((path,), "uv", said[1])
    return None


def _candidates() -> Iterator[str]:
    if found := shutil.which("uv"):
        yield found
    try:
        from uv import find_uv_bin
    except ImportError:
        return
    try:
        yield str(find_uv_bin())
    except FileNotFoundError:
        return


class Uv:
    """uv in one place; see `Tool`."""

    searches_fast = True

    def __init__(self, program: Program, place: Place) -> None:
        self.program = program
        self._place = place
        environment = clean_environment()
        settings, self._flags = uv_settings(environment)
        self._environment = {**environment, **settings}

    def plan(self, requirements: Sequence[str], constraints: Sequence[str] = ()) -> dict[str, str]:
        """Return what would be installed; see `Tool.plan`."""
        pinned = write_requirements(self._place, "constraints.txt", constraints, options=False)
        return _installs(self._install(requirements, "--dry-run", "--constraint", pinned))

    def newest(self, requirements: Sequence[str]) -> dict[str, str]:
        """Return the newest version for each requirement; see `Tool.newest`."""
        return self._alone(requirements, "highest")

    def metadata(self, requirements: Sequence[str]) -> list[Distribution]:
        """Return the metadata of the newest for each requirement; see `Tool.metadata`."""
        # uv tells no metadata, but is quick to unpack wheels into a folder of their own.
        with tempfile.TemporaryDirectory(dir=self._place.folder) as unpacked:
            self._install(requirements, "--no-deps", "--target", unpacked)
            return [read_distribution(found) for found in importlib_metadata.distributions(path=[unpacked])]

    def versions(self, name: str) -> tuple[str, str] | None:
        """Return the oldest and the newest version with a wheel; see `Tool.versions`."""
        try:
            ends = [self._alone([name], end).get(canonicalize_name(name), "") for end in ("lowest", "highest")]
        except RefusedError:
            return None
        return (ends[0], ends[1]) if all(ends) else None

    def _alone(self, requirements: Sequence[str], resolution: str) -> dict[str, str]:
        # Into an empty folder, or what is in the mirror would be the answer.
        with tempfile.TemporaryDirectory(dir=self._place.folder) as empty:
            where = ["--dry-run", "--no-deps", "--target", empty]
            return _installs(self._install(requirements, *where, f"--resolution={resolution}"))

    def wheels(self, pins: Sequence[str], target: Target) -> list[Wheel]:
        """Return the wheel of each pinned requirement; see `Tool.wheels`."""
        wanted = write_requirements(self._place, "requirements.txt", pins)
        lock = self._place.folder / "pylock.toml"
        what = ["--no-deps", "--format", "pylock.toml", "--output-file", str(lock), "--no-header"]
        where = [*self._where(), *_for(target)]
        self._run(["pip", "compile", *what, *where, wanted])
        toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
        packages = toml.loads(lock.read_text(encoding="utf-8"))["packages"]
        lock.unlink()  # uv would otherwise keep to it
        return [_wheel(package, target) for package in packages]

    def build(self, source: Path, *, into: Path) -> None:
        """Make a wheel; see `Tool.build`."""
        self._run(["build", "--wheel", "--python", sys.executable, *self._flags, "--out-dir", str(into), str(source)])

    def _install(self, requirements: Sequence[str], *options: str) -> str:
        wanted = write_requirements(self._place, "requirements.txt", requirements)
        platform = _for(self._place.target) if self._place.target else []
        return self._run(["pip", "install", *self._where(), *platform, *options, "--requirement", wanted])

    def _where(self) -> list[str]:
        return ["--python", str(self._place.python), "--only-binary", ":all:", *self._flags]

    def _run(self, arguments: Sequence[str]) -> str:
        place = self._place
        code, said = self.program.run(
            arguments, folder=place.folder, environment=self._environment, deadline=place.deadline
        )
        if code == 0:
            return said
        own = said[max(0, said.find("error:")) :]
        if _UNREACHABLE.search(own):
            raise UnreachableError(
                "no answer, because an index cannot be reached; this is no conflict. Check the network and the "
                f"settings of uv and pip; uv says: {own}"
            )
        if code == _REFUSED or arguments[0] == "build":
            raise RefusedError(own)
        raise ConfigurationError(f"uv {self.program.version} could not answer; it says: {own}")


def _for(target: Target) -> list[str]:
    # uv takes a minor version for its first release, which is older than this Python and than what some require.
    python = [] if target.python == this_python() else ["--python-version", target.python]
    return ["--python-platform", target.platform, *python]


def _wheel(package: dict[str, Any], target: Target) -> Wheel:
    """Return the wheel of an entry in a ``pylock.toml``."""
    # One that was asked for by its address stands there as an archive.
    entries = [package["archive"]] if "archive" in package else package.get("wheels", [])
    addresses = [(entry.get("url") or Path(entry["path"]).as_uri(), entry) for entry in entries]
    found = best_for(target, [(file_in(address), (address, entry)) for address, entry in addresses])
    if found is None:
        name = f"{package['name']} {package.get('version', '')}".strip()
        raise RefusedError(f"{name} has no wheel for Python {target.python} on {target.platform}")
    address, entry = found
    version = package.get("version") or version_of(address)
    return Wheel(package["name"], version, address, entry.get("hashes", {}).get("sha256", ""))


def _installs(said: str) -> dict[str, str]:
    found = _WOULD_INSTALL.findall(said)
    return {canonicalize_name(name): version_of(what) if "://" in what else what for name, what in found}
