"""Asking pip."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.resolution.installed import Distribution
from sdt_dask_core.resolution.program import Program, RefusedError, UnreachableError, clean_environment
from sdt_dask_core.resolution.target import Target, this_python
from sdt_dask_core.resolution.tool import Place, write_requirements
from sdt_dask_core.resolution.wheel import Wheel

__all__ = ["Pip", "find_pip"]

_OLDEST = Version("22.3")  # the first with all of --dry-run, --report and --python
_UNREACHABLE = re.compile(r"Retrying \(Retry\(total=0|SSLError|HTTP error (?:401|403|5\d\d)")
_REFUSED = re.compile(
    r"^ERROR: (?:ResolutionImpossible|No matching distribution|Cannot install|Package .* requires a different Python)",
    re.MULTILINE,
)
_FROM_VERSIONS = re.compile(r"\(from versions: ([^)]*)\)")
_ALONE = ("--no-deps", "--ignore-installed")
_NOISE = ("WARNING: Location", "WARNING: Ignoring", "Looking in", "INFO:", "[notice]")


def find_pip() -> Program | None:
    """Return the pip of this environment, when it runs and is new enough."""
    if importlib.util.find_spec("pip") is None:
        return None
    command = (sys.executable, "-m", "pip")
    done = subprocess.run(
        [*command, "--version"], env=clean_environment(), capture_output=True, text=True, check=False, timeout=60
    )
    said = done.stdout.split()
    if done.returncode or said[:1] != ["pip"]:
        return None
    if Version(said[1]) < _OLDEST:
        raise ConfigurationError(
            f"pip {said[1]} is too old to say what it would do, and uv is not here; "
            f"upgrade it: {sys.executable} -m pip install -U pip"
        )
    return Program(command, "pip", said[1])


class Pip:
    """pip in one place; see `Tool`."""

    searches_fast = False

    def __init__(self, program: Program, place: Place) -> None:
        self.program = program
        self._place = place

    def plan(self, requirements: Sequence[str], constraints: Sequence[str] = ()) -> dict[str, str]:
        """Return what would be installed; see `Tool.plan`."""
        pinned = write_requirements(self._place, "constraints.txt", constraints, options=False)
        return _installs(self._install(requirements, "--constraint", pinned))

    def newest(self, requirements: Sequence[str]) -> dict[str, str]:
        """Return the newest version for each requirement; see `Tool.newest`."""
        return _installs(self._install(requirements, *_ALONE))

    def metadata(self, requirements: Sequence[str]) -> list[Distribution]:
        """Return the metadata of the newest for each requirement; see `Tool.metadata`."""
        return [_distribution(found) for found in self._install(requirements, *_ALONE)]

    def versions(self, name: str) -> tuple[str, str] | None:
        """Return the oldest and the newest version with a wheel; see `Tool.versions`."""
        try:
            self._install([f"{name}<0.dev0"], *_ALONE)  # it lists all that do not meet that
        except RefusedError as error:
            found = _FROM_VERSIONS.search(str(error))
            texts = found[1].split(", ") if found else ["none"]
            versions = [Version(text) for text in texts if text != "none"]
            final = [version for version in versions if not version.is_prerelease] or versions
            return (str(min(final)), str(max(final))) if final else None
        return None

    def wheels(self, pins: Sequence[str], target: Target) -> list[Wheel]:
        """Return the wheel of each pinned requirement; see `Tool.wheels`."""
        return [_wheel(found) for found in self._report(pins, *_ALONE, *_for(target))]

    def build(self, source: Path, *, into: Path) -> None:
        """Make a wheel; see `Tool.build`."""
        code, said = self._run(["wheel", "--no-deps", "--wheel-dir", str(into), str(source)])
        if code:
            raise RefusedError(_errors(said))

    def _install(self, requirements: Sequence[str], *options: str) -> list[dict[str, Any]]:
        """Return the metadata of what would be installed."""
        platform = _for(self._place.target) if self._place.target else []
        return [found["metadata"] for found in self._report(requirements, *platform, *options)]

    def _report(self, requirements: Sequence[str], *options: str) -> list[dict[str, Any]]:
        """Return what pip tells of each distribution that it would install."""
        place = self._place
        report = place.folder / "report.json"
        wanted = write_requirements(place, "requirements.txt", requirements)
        where = ["--python", str(place.python)]
        what = ["install", "--dry-run", "--report", str(report), "--only-binary", ":all:"]
        code, said = self._run([*where, *what, *options, "--requirement", wanted])
        if code == 0:
            installs: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
            return installs
        if _REFUSED.search(said):
            raise RefusedError(_errors(said))
        raise ConfigurationError(f"pip {self.program.version} could not answer; it says: {_errors(said)}")

    def _run(self, arguments: Sequence[str]) -> tuple[int, str]:
        place = self._place
        code, said = self.program.run(
            # A retry is what shows that an index could not be reached; pip would only say that nothing was found.
            [*arguments, "--retries", "2"],
            folder=place.folder,
            environment=clean_environment(),
            deadline=place.deadline,
        )
        if code and _UNREACHABLE.search(said):
            raise UnreachableError(
                "no answer, because an index cannot be reached; this is no conflict. Check the network and the "
                f"settings of pip; pip says: {_errors(said)}"
            )
        return code, said


def _for(target: Target) -> list[str]:
    # pip takes each of them literally; no name stands for the older ones too.
    platforms = [option for name in target.platforms() for option in ("--platform", name)]
    # A minor version would be its first release, which is older than this Python and than what some require.
    return [*platforms, *([] if target.python == this_python() else ["--python-version", target.python])]


def _wheel(found: dict[str, Any]) -> Wheel:
    metadata, download = found["metadata"], found["download_info"]
    hashes = download.get("archive_info", {}).get("hashes", {})
    return Wheel(metadata["name"], metadata["version"], download["url"], hashes.get("sha256", ""))


def _installs(report: list[dict[str, Any]]) -> dict[str, str]:
    return {canonicalize_name(metadata["name"]): metadata["version"] for metadata in report}


def _distribution(metadata: dict[str, Any]) -> Distribution:
    return Distribution(
        name=metadata["name"],
        version=metadata["version"],
        requires=tuple(Requirement(text) for text in metadata.get("requires_dist", ())),
        extras=tuple(metadata.get("provides_extra", ())),
        requires_python=metadata.get("requires_python", ""),
    )


def _errors(said: str) -> str:
    """Return what pip said, from its first error on, without what it only notes."""
    lines = said.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("ERROR:")), 0)
    return "\n".join(line for line in lines[start:] if not line.startswith(_NOISE)).strip()
