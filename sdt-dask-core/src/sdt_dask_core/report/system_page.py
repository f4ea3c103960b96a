"""The page of one system, made from its outcome and its picture; made once, as long as neither changes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.picture import PictureError, unpack
from sdt_dask_core.report.fleet import GRADES
from sdt_dask_core.report.html import render
from sdt_dask_core.report.words import command_for, file_name, one_line, text
from sdt_dask_core.system_result import SystemResult

if TYPE_CHECKING:
    from sdt_dask_core.run import Run

__all__ = ["SystemPages"]

_VERSION = 1  # of how a page looks; a new one makes all pages anew
_HEAD = 4096  # bytes of a page in which its digest stands
_MARK = '<meta name="sdt-dask-digest" content="{}">'
_OURS = re.compile(r"(?:.*-)?[0-9a-f]{12}")  # as `file_name` names them
_SHOWN = {"read": "reading", "check": "checks", "picture": "its picture"}


class SystemPages:
    """Makes the pages of systems in a folder.

    Parameters
    ----------
    run : Run
        The run.
    ledger : LedgerReader
        Where the pictures are.
    folder : path
        Where the pages go.
    formats : sequence of str
        "svg" or "pdf": the panels also as such a file.
    origins : dict
        As `LedgerReader.origins` returns it.
    """

    def __init__(
        self,
        run: Run,
        ledger: LedgerReader,
        folder: Path,
        *,
        formats: Sequence[str] = (),
        origins: dict[str, dict[str, Any]],
    ) -> None:
        self.run = run
        self.ledger = ledger
        self.folder = folder
        self.formats = formats
        self.origins = origins

    def make(self, system: SystemResult, *, may_draw: bool = True) -> str | None:
        """Make the page of a system, unless it is there; return its name, None where it would have to be drawn."""
        page = self.folder / f"{file_name(system.key)}.html"
        if not may_draw and not page.is_file():
            return None
        data = self.ledger.picture(self.run.run_id, system.key)
        digest = self._digest(system, data)
        if not self._is_there(page, digest):
            if not may_draw:
                return None
            files = self._draw(system, data, page.stem)
            _put(page, self._page(system, digest, files).encode())
        return page.name

    def sweep(self, keep: set[str]) -> None:
        """Remove the pages that an earlier report made and this one did not: they show what holds no longer."""
        stems = {name.removesuffix(".html") for name in keep}
        for path in self.folder.iterdir():
            if path.suffix in (".html", ".svg", ".pdf") and path.stem not in stems and _OURS.fullmatch(path.stem):
                path.unlink()

    def _digest(self, system: SystemResult, data: bytes | None) -> str:
        told = [_VERSION, system.row, self.origins.get(system.key), system.fleet_median, list(self.formats)]
        told.append(self._command(system))
        found = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode())
        found.update(data or b"")
        return found.hexdigest()[:32]

    def _is_there(self, page: Path, digest: str) -> bool:
        files = [page.with_suffix(f".{kind}") for kind in self.formats]
        return _MARK.format(digest) in _head(page) and all(file.is_file() for file in files)

    def _draw(self, system: SystemResult, data: bytes | None, name: str) -> dict[str, str]:
        """Draw the panels; return the image of the page under "png", and the names of the files."""
        if data is None:
            return {}
        from sdt_dask_core.figures import image, page

        try:
            system.picture = unpack(data)
        except PictureError as error:
            system.body = {**system.body, "warnings": [*system.body.get("warnings", []), error.message]}
            return {}
        drawn = {"png": base64.b64encode(image(page(system, has_title=False))).decode("ascii")}
        for kind in self.formats:
            drawn[kind] = f"{name}.{kind}"
            _put(self.folder / drawn[kind], image(page(system), kind))
        system.picture = None  # ten thousand of them would not fit in the memory
        return drawn

    def _page(self, system: SystemResult, digest: str, drawn: dict[str, str]) -> str:
        body = system.body
        said = "\n".join(filter(None, [body.get("prints", ""), *body.get("warnings", [])]))
        return render(
            "system.html",
            live=False,
            system=system,
            digest=digest,
            sign=GRADES.get(system.grade, ("?", ""))[0],
            image=drawn.get("png", ""),
            files=[drawn[kind] for kind in self.formats if kind in drawn],
            description=system.headline,
            columns=system.columns,
            withheld=system.withheld,
            said=text(said),
            traceback=text(body.get("traceback", "")),
            facts=self._facts(system),
            command=self._command(system),
        )

    def _command(self, system: SystemResult) -> str:
        return command_for(self.run.settings, self.run.output, system.key, force=True)

    def _facts(self, system: SystemResult) -> dict[str, str]:
        body, origin = system.body, self.origins.get(system.key, {})
        seconds = [f"{_SHOWN.get(name, name)} {took:.3g} s" for name, took in body.get("seconds", {}).items()]
        known = {
            "Key": system.key,
            "Why it ran": system.row["reason"],
            "Attempt": system.row["attempt"],
            "Seed": body.get("seed"),
            "Fingerprint of the data": origin.get("fingerprint"),
            "Digest of the settings": origin.get("digest"),
            "What is known of it": "; ".join(f"{name}: {value}" for name, value in origin.get("metadata", {}).items()),
            "Time": ", ".join(seconds),
            "Accelerations": ", ".join(body.get("accelerations", [])),
        }
        return {name: one_line(fact) for name, fact in known.items() if fact not in (None, "")}


def _head(page: Path) -> str:
    try:
        with page.open("rb") as file:
            return file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return ""


def _put(path: Path, content: bytes) -> None:
    """Write a page, whole or not at all; unlike a table it is not synced, because it can be made again at any time."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
