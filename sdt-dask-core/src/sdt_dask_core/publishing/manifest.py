"""The manifest of a publication in files or objects: written last, so that who finds it finds all of the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sdt_dask_core.publishing.publication import Chunk, Publication

__all__ = ["MANIFEST", "digests_in", "manifest_text"]

#: Its name beside the files.
MANIFEST = "manifest.json"


def manifest_text(publication: Publication, chunks: Sequence[Chunk], file_name: Callable[[Chunk], str]) -> str:
    """Return the JSON of a manifest: the run, its files with their rows and digests, and what the columns are."""
    files = [
        {"file": file_name(chunk), "number": chunk.number, "n_rows": chunk.n_rows, "digest": chunk.digest}
        for chunk in chunks
    ]
    columns = [
        {"name": c.name, "unit": c.unit, "description": c.description, "sdt_name": c.source or None}
        for c in publication.columns
    ]
    head = {"format": "sdt-dask-publication", "version": 1, "run_id": publication.run_id, "n_rows": publication.n_rows}
    return json.dumps({**head, "chunks": files, "columns": columns}, indent=2) + "\n"


def digests_in(text: bytes) -> dict[int, str]:
    """Return the digest of each chunk that a manifest names; nothing of one that cannot be read."""
    try:
        return {int(chunk["number"]): str(chunk["digest"]) for chunk in json.loads(text)["chunks"]}
    except (ValueError, TypeError, KeyError):
        return {}  # somebody else's file: everything is published anew
