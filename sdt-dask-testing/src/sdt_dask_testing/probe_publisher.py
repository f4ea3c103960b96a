"""What a fresh process does with a publisher: it publishes, or is killed while it does."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from sdt_dask_core.publishing import Chunk, Publication
from sdt_dask_testing.probe import Talk, told_of_provider, unpacked
from sdt_dask_testing.published import publish

__all__ = ["publish_and_die", "told_of_publisher"]


def publish_and_die(text: str, run_id: str, number: int, when: str) -> None:
    """Publish, and be killed as `kill -9` does it, "before" or "after" the chunk of a number is written."""
    publish(_Dying(unpacked(text).build(), number, when), run_id)


def told_of_publisher(text: str, run_id: str) -> list[tuple[str, str]]:
    """Publish, and return all that the publisher said of itself."""

    def acts(hooks: Any, talk: Talk) -> None:
        with talk.during("publish"):
            talk.hear("what came of it", publish(unpacked(text).build(), run_id))
        publication = Publication(run_id, (), 0, 0)
        for name, arguments in (
            ("published_chunks", {}),
            # Columns and rows that do not fit: what it says of its own errors.
            ("publish_rows", {"chunk": Chunk(0, 1, "0"), "rows": [{"no such column": object()}]}),
        ):
            with talk.during(name):
                talk.hear("answer", getattr(hooks, name)(publication=publication, **arguments))

    return told_of_provider(text, acts)


class _Dying:
    """A publisher whose process ends at a chunk."""

    def __init__(self, inner: Any, number: int, when: str) -> None:
        self._inner = inner
        self._number = number
        self._when = when

    def published_chunks(self, publication: Publication) -> Mapping[int, str] | None:
        """Ask the publisher."""
        method = getattr(self._inner, "published_chunks", None)
        there: Mapping[int, str] | None = None if method is None else method(publication=publication)
        return there

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Let the publisher write the chunk, and die."""
        if chunk.number == self._number and self._when == "before":
            _die()
        self._inner.publish_rows(publication=publication, chunk=chunk, rows=rows)
        if chunk.number == self._number:
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
