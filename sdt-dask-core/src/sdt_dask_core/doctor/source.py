"""Where distributions were installed from, and whether a worker elsewhere can have them from there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import importlib_metadata

from sdt_dask_core.doctor import mending
from sdt_dask_core.doctor.finding import HERE, THERE, WARNING, Finding

__all__ = ["Source", "source_findings", "source_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a distribution came from that no index gave.

    Attributes
    ----------
    place : str
        A path of this machine, or an address that pip understands.
    is_local : bool
        Whether other machines do not have the place.
    is_editable : bool
        Whether the code is used where it stands, so that it may have changed since it was installed.
    """

    place: str
    is_local: bool
    is_editable: bool

    @property
    def is_gone(self) -> bool:
        """Whether it is a path of this machine where nothing is any more."""
        return self.is_local and "+" not in self.place.partition(":")[0] and not Path(self.place).exists()

    @property
    def told(self) -> str:
        """How it was installed, for people."""
        return "editable" if self.is_editable else "from a local folder or file"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What installs it from there again."""
        return ("--editable", self.place) if self.is_editable else (self.place,)


def source_of(distribution: str) -> Source | None:
    """Return where a distribution came from; None where an index gave it, or nothing tells."""
    try:
        text = importlib_metadata.distribution(distribution).read_text("direct_url.json")
        return _parse(json.loads(text)) if text else None
    except Exception:  # noqa: BLE001 - not there, or torn: nothing tells
        return None


def _parse(record: dict[str, Any]) -> Source:
    url = str(record["url"])
    vcs = record.get("vcs_info")
    if vcs:
        return Source(f"{vcs['vcs']}+{url}@{vcs['commit_id']}", is_local=url.startswith("file:"), is_editable=False)
    if not url.startswith("file:"):
        return Source(url, is_local=False, is_editable=False)
    path = url2pathname(urlsplit(url).path)
    return Source(path, is_local=True, is_editable=bool(record.get("dir_info", {}).get("editable")))


def source_findings(distributions: Iterable[str]) -> Iterator[Finding]:
    """Yield findings on distributions that a worker elsewhere cannot get from an index in this version."""
    found = {name: source for name in distributions if (source := source_of(name)) is not None}
    here = {name: source for name, source in found.items() if source.is_local}
    gone = {name: source for name, source in here.items() if source.is_gone}
    wheels = [source.place for name, source in here.items() if name not in gone]
    if wheels:
        told = ", ".join(f"{_known_as(name)} ({source.told})" for name, source in here.items() if name not in gone)
        message = f"workers elsewhere cannot get {told}; give them wheels"
        yield Finding(WARNING, "source", message, (mending.build_wheels(*wheels),), HERE)
    for name, source in gone.items():
        message = f"{_known_as(name)} was installed from {source.place}, which is gone; workers elsewhere cannot get it"
        yield Finding(WARNING, "source", message, (mending.install(name, upgrade=True),), HERE)
    for name, source in found.items():
        if not source.is_local:
            message = f"{_known_as(name)} comes from {source.place}; workers elsewhere need it from there, too"
            yield Finding(WARNING, "source", message, (mending.install_there(f"{name} @ {source.place}"),), THERE)


def _known_as(name: str) -> str:
    return f"{name} {importlib_metadata.version(name)}"
