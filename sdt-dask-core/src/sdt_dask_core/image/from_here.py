"""The wheels of what no index has: an editable project is built, all else is packed again from its installed files."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import importlib_metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sdt_dask_core.errors import RequirementError
from sdt_dask_core.image.wheel_file import WheelFile, pack, unpack
from sdt_dask_core.resolution.program import RefusedError
from sdt_dask_core.resolution.tool import Tool

__all__ = ["wheel_from_here"]

# What installers write beside what a wheel brings.
_OF_INSTALLERS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


def wheel_from_here(distribution: importlib_metadata.Distribution, tool: Tool) -> WheelFile:
    """Make the wheel of an installed distribution, with just the code that this environment runs.

    Parameters
    ----------
    distribution : importlib_metadata.Distribution
        As it is installed.
    tool : Tool
        Builds the wheel of an editable one.

    Raises
    ------
    RequirementError
        It cannot be; the message says why.
    """
    folder = _editable_folder(distribution)
    return _packed_again(distribution) if folder is None else _built(distribution, folder, tool)


def _editable_folder(distribution: importlib_metadata.Distribution) -> Path | None:
    """Return the folder whose code runs here; None for what was copied when it was installed."""
    text = distribution.read_text("direct_url.json")
    origin: dict[str, Any] = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(urlsplit(origin["url"]).path))


def _built(distribution: importlib_metadata.Distribution, folder: Path, tool: Tool) -> WheelFile:
    what = _named(distribution)
    if not folder.is_dir():
        raise RequirementError(f"{what} runs from {folder}, which is not there any more; install it again")
    with tempfile.TemporaryDirectory(prefix="sdt-dask-wheel-") as into:
        try:
            tool.build(folder, into=Path(into))
        except RefusedError as error:
            raise RequirementError(f"{what} runs from {folder}, which does not build a wheel: {error}") from error
        (built,) = Path(into).glob("*.whl")
        wheel = pack(unpack(built.read_bytes()))
    _check_same(distribution, wheel, folder)
    return wheel


def _check_same(distribution: importlib_metadata.Distribution, wheel: WheelFile, folder: Path) -> None:
    """See that what was resolved is what the folder says now."""
    text = next(text for path, text in unpack(wheel.content).items() if path.endswith(".dist-info/METADATA"))
    built = HeaderParser().parsestr(text.decode("utf-8"))
    if (built["Version"], _requirements(built.get_all("Requires-Dist"))) != (
        distribution.version,
        _requirements(distribution.requires),
    ):
        raise RequirementError(
            f"{folder} has another version or other requirements since {_named(distribution)} was installed from it; "
            f"install it again: pip install -e {folder}"
        )


def _requirements(texts: list[str] | None) -> set[str]:
    # Each backend writes markers and ranges in its own way.
    return {str(Requirement(text)) for text in texts or ()}


def _packed_again(distribution: importlib_metadata.Distribution) -> WheelFile:
    record = distribution.read_text("RECORD")
    if not record:
        raise RequirementError(
            f"{_named(distribution)} has no list of its files, so no wheel can be made of it; install it with pip or uv"
        )
    scripts = {entry.name for entry in distribution.entry_points if entry.group in ("console_scripts", "gui_scripts")}
    files: dict[str, bytes] = {}
    for path in _recorded(record):
        if path.is_absolute() or ".." in path.parts:
            if path.name.removesuffix(".exe") not in scripts:
                raise RequirementError(
                    f"{_named(distribution)} put {path} beside its packages, which a wheel made of it would not have; "
                    "install it from an index, or name its wheel with --requirement"
                )
        else:
            files[str(path)] = _read(distribution, path)
    if not any(path.endswith(".dist-info/WHEEL") for path in files):
        raise RequirementError(f"{_named(distribution)} was not installed as a wheel; install it again with pip or uv")
    return pack(files)


def _recorded(record: str) -> Iterator[PurePosixPath]:
    for row in csv.reader(record.splitlines()):
        path = PurePosixPath(row[0].replace("\\", "/")) if row else PurePosixPath()
        is_of_installer = path.parent.suffix == ".dist-info" and path.name in _OF_INSTALLERS
        if path.name and path.suffix != ".pyc" and not is_of_installer:
            yield path


def _read(distribution: importlib_metadata.Distribution, path: PurePosixPath) -> bytes:
    try:
        return Path(str(distribution.locate_file(str(path)))).read_bytes()
    except OSError as error:
        raise RequirementError(
            f"{_named(distribution)} lacks its file {path} ({error.strerror}); install it again"
        ) from error


def _named(distribution: importlib_metadata.Distribution) -> str:
    return f"{canonicalize_name(distribution.name)} {distribution.version}"
