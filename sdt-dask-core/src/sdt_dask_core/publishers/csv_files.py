"""The publisher ``csv``: files in a folder, for targets that have no publisher of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from sdt_dask_core.errors import OptionError
from sdt_dask_core.plug import Publisher
from sdt_dask_core.publishing.manifest import MANIFEST, digests_in, manifest_text
from sdt_dask_core.publishing.publication import Chunk, Publication, frame_of
from sdt_dask_core.whole_file import make_folder, sweep, write_whole

__all__ = ["CsvPublisher"]


class CsvPublisher(Publisher):
    """Writes CSV files of up to 10,000 rows into a folder for each run, and a manifest that names them, last.

    Parameters
    ----------
    path : Path
        Folder; that of a run in it is named by the run's id.
    """

    name: ClassVar[str] = "csv"

    def __init__(self, path: Path) -> None:
        self.path = path

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        """Return what the manifest says; without one, nothing is known to be there."""
        try:
            return digests_in((self._folder(publication) / MANIFEST).read_bytes())
        except FileNotFoundError:
            return {}

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write one file, whole or not at all."""
        from sdt_dask_core.report.files import write_table

        folder = self._folder(publication)
        make_folder(folder)
        # As long as a chunk changes, nothing may say that all is there.
        (folder / MANIFEST).unlink(missing_ok=True)
        write_table(frame_of(rows, publication.columns), folder / _file_name(chunk))

    def publish_finished(self, publication: Publication, chunks: Sequence[Chunk]) -> None:
        """Write the manifest: who finds it finds all of the run."""
        folder = self._folder(publication)
        make_folder(folder)
        sweep(folder)
        write_whole(folder / MANIFEST, manifest_text(publication, chunks, _file_name))

    def _folder(self, publication: Publication) -> Path:
        if publication.run_id in ("", ".", ".."):
            raise OptionError(f"the run {publication.run_id!r} cannot name a folder")
        return self.path / quote(publication.run_id, safe="")


def _file_name(chunk: Chunk) -> str:
    return f"results-{chunk.number:05d}.csv"
