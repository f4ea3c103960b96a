"""What releases there are, asked of a tool once and remembered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sdt_dask_core.resolution.installed import Distribution
from sdt_dask_core.resolution.program import RefusedError
from sdt_dask_core.resolution.tool import Tool

__all__ = ["Releases"]


class Releases:
    """The releases that a tool finds, without what they require."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._newest: dict[str, Distribution | None] = {}
        self._exist: dict[str, bool] = {}
        self._versions: dict[str, tuple[str, str] | None] = {}

    def newest(self, lines: Iterable[str]) -> dict[str, Distribution | None]:
        """Return the newest release for each requirement, by its text; None where there is none."""
        wanted = list(lines)
        new = [line for line in wanted if line not in self._newest]
        if len(new) > 1:
            with contextlib.suppress(RefusedError):  # it does not say for which
                self._look_for(new)
        for line in new:
            if line not in self._newest:
                try:
                    self._look_for([line])
                except RefusedError:
                    self._newest[line] = None
        return {line: self._newest[line] for line in wanted}

    def _look_for(self, lines: list[str]) -> None:
        keys = {_key(line): line for line in lines}
        for distribution in self._tool.metadata(lines):
            if distribution.key in keys:
                self._newest[keys[distribution.key]] = distribution

    def exists(self, line: str) -> bool:
        """Tell whether any release meets a requirement."""
        if line not in self._exist:
            try:
                self._tool.newest([line])
                self._exist[line] = True
            except RefusedError:
                self._exist[line] = False
        return self._exist[line]

    def versions(self, name: str) -> tuple[str, str] | None:
        """Return the oldest and the newest version that has a wheel for this Python; None where there is none."""
        if name not in self._versions:
            self._versions[name] = self._tool.versions(name)
        return self._versions[name]


def _key(line: str) -> str:
    return canonicalize_name(Requirement(line).name)
