"""What a disk may hold after a power cut: all that was synced, and any part of the rest.

Covered: writes that were not synced are lost, kept, or torn at 512 bytes, in any order; so are changes of length; files
that were made or deleted since the folder was synced are there or not; the shared memory file holds anything.
Not covered: a disk that says it synced and did not, a sector that changes by itself, a lost output folder.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

SECTOR = 512

Event = tuple[Any, ...]


@dataclass
class _File:
    """Bytes that are safe, and the changes since."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.safe, change)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random, kept: float, torn: float) -> bytes:
        content = bytearray(self.safe)
        for change in self.pending:
            if chance.random() < kept:
                _apply(content, change)
            elif change[0] == "write" and chance.random() < torn:
                _apply_some_sectors(content, change, chance)
        return bytes(content)


class Disk:
    """The files of one folder, as events come.

    Parameters
    ----------
    safe : dict
        Files that are there from the beginning, all of them synced.
    """

    def __init__(self, safe: dict[str, bytes]) -> None:
        self._live = {name: _File(bytearray(content)) for name, content in safe.items()}
        self._safe_names = dict(self._live)
        self._pending_names: list[tuple[str, _File | None]] = []

    def take(self, event: Event) -> None:
        """Let an event happen."""
        what, *more = event
        if what == "create":
            self._live[more[0]] = _File()
            self._pending_names.append((more[0], self._live[more[0]]))
        elif what == "delete":
            self._live.pop(more[0])
            self._pending_names.append((more[0], None))
        elif what == "sync_folder":
            self._safe_names = dict(self._live)
            self._pending_names.clear()
        elif what == "sync":
            self._live[more[0]].sync()
        else:
            self._live[more[0]].pending.append((what, *more[1:]))

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """Return what may be left when the power goes now."""
        kept = chance.choice((0.0, 0.2, 0.5, 0.8, 0.95, 1.0))
        torn = chance.choice((0.0, 0.5, 1.0))
        names = self._names_after_a_cut(chance, kept)
        return {name: file.after_a_cut(chance, kept, torn) for name, file in names.items()}

    def _names_after_a_cut(self, chance: random.Random, kept: float) -> dict[str, _File]:
        names = dict(self._safe_names)
        for name, file in self._pending_names:
            if chance.random() >= kept:
                continue
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        return names


def images(
    events: Sequence[Event], n_images: int, seed: int, safe: dict[str, bytes] | None = None
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield disks after power cuts at random instants: how many marks came before, and the files."""
    chance = random.Random(seed)
    cuts = sorted(chance.randrange(len(events) + 1) for _ in range(n_images))
    disk, n_marks, taken = Disk(safe or {}), 0, 0
    for cut in cuts:
        for event in events[taken:cut]:
            if event[0] == "mark":
                n_marks += 1
            else:
                disk.take(event)
        taken = cut
        yield n_marks, disk.after_a_cut(chance)


def _apply(content: bytearray, change: Event) -> None:
    if change[0] == "truncate":
        size = change[1]
        content.extend(bytes(max(0, size - len(content))))
        del content[size:]
        return
    _, offset, data = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _apply_some_sectors(content: bytearray, change: Event, chance: random.Random) -> None:
    _, offset, data = change
    first = offset - offset % SECTOR
    for start in range(first, offset + len(data), SECTOR):
        if chance.random() < 0.5:
            begin, end = max(start, offset), min(start + SECTOR, offset + len(data))
            _apply(content, ("write", begin, data[begin - offset : end - offset]))
