"""The machine that something is resolved for, where it may be another than this one."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags

from sdt_dask_core.errors import ConfigurationError

__all__ = ["Target", "this_python"]

_PLATFORM = re.compile(r"(x86_64|aarch64)-manylinux_2_(\d{1,3})")
_PYTHON = re.compile(r"3\.\d{1,2}")
# The older names of some, and the oldest that a machine can have.
_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OLDEST = {"x86_64": 5, "aarch64": 17}


def this_python() -> str:
    """Return the minor version of this Python: ``3.11``."""
    return ".".join(platform.python_version_tuple()[:2])


@dataclass(frozen=True, slots=True)
class Target:
    """A Linux machine with CPython.

    Attributes
    ----------
    python : str
        Minor version: ``3.11``.
    platform : str
        Processor and the oldest C library: ``x86_64-manylinux_2_28``.

    Raises
    ------
    ConfigurationError
        One of the two cannot be read.
    """

    python: str
    platform: str = "x86_64-manylinux_2_28"

    def __post_init__(self) -> None:
        if not _PYTHON.fullmatch(self.python):
            raise ConfigurationError(f"{self.python!r} is no minor version of Python; write it as {this_python()}")
        if not _PLATFORM.fullmatch(self.platform):
            raise ConfigurationError(
                f"{self.platform!r} is no platform of an image; write it as x86_64-manylinux_2_28, or "
                "aarch64-manylinux_2_28 for ARM, with the oldest C library that the image may have"
            )

    @property
    def processor(self) -> str:
        """The kind of processor: ``x86_64``."""
        return self.platform.partition("-")[0]

    @property
    def is_this_kind(self) -> bool:
        """Whether markers, such as ``sys_platform == "win32"``, say the same here as there."""
        return (sys.platform, platform.machine(), this_python()) == ("linux", self.processor, self.python)

    def platforms(self) -> list[str]:
        """Return the platforms in the names of wheels that run there, the best first."""
        return list(self._platforms())

    def _platforms(self) -> Iterator[str]:
        newest = int(self.platform.rpartition("_")[2])
        for minor in range(newest, _OLDEST[self.processor] - 1, -1):
            yield f"manylinux_2_{minor}_{self.processor}"
            if minor in _ALIASES:
                yield f"{_ALIASES[minor]}_{self.processor}"
        yield f"linux_{self.processor}"

    def tags(self) -> list[Tag]:
        """Return the tags of the wheels that can be installed there, the best first."""
        version = tuple(map(int, self.python.split(".")))
        interpreter = f"cp{self.python.replace('.', '')}"
        platforms = self.platforms()
        return [
            *cpython_tags(version, abis=[interpreter], platforms=platforms),
            *compatible_tags(version, interpreter=interpreter, platforms=platforms),
        ]
