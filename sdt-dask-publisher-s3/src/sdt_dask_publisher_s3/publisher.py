"""`S3Publisher`: names that the run and the chunk alone decide, and a manifest, last."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from sdt_dask_core.errors import OptionError
from sdt_dask_core.plug import Publisher
from sdt_dask_core.secret import Secret
from sdt_dask_publisher_s3.store import Access, Store

if TYPE_CHECKING:
    from sdt_dask_core import Chunk, Publication

__all__ = ["S3Publisher"]


class S3Publisher(Publisher):
    """Writes Parquet objects of up to 10,000 rows below a prefix for each run, and a manifest that names them, last.

    Parameters
    ----------
    bucket : str
        Name of the bucket, which is there already.
    prefix : str
        Folder in the bucket; that of a run in it is named by the run's id.
    region : str, optional
        AWS region of the bucket; default that of the profile or the environment.
    profile : str, optional
        Profile of the AWS configuration files.
    endpoint_url : str, optional
        Address of a store other than AWS, such as "https://minio.example.org:9000".
    access_key_id : str, optional
        Access key, for stores that know no profile or role; its secret is in secret_access_key.
    secret_access_key : Secret, optional
        Secret of the access key, as a reference such as "env:STORE_SECRET".
    max_attempts : int
        Tries of each request, the first one included.

    Raises
    ------
    OptionError
        A value that its option cannot take, or options that contradict each other.
    """

    name: ClassVar[str] = "s3"

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: Secret | None = None,
        max_attempts: int = 5,
    ) -> None:
        if not bucket.strip():
            raise OptionError("publisher 's3': the option 'bucket' is empty; give the name of a bucket")
        if max_attempts < 1:
            raise OptionError(f"publisher 's3': max_attempts cannot be {max_attempts}; give 1 or more")
        if (access_key_id is None) != (secret_access_key is None):
            raise OptionError("publisher 's3': access_key_id and secret_access_key belong together; give both or none")
        access = Access(region, profile, endpoint_url, access_key_id, secret_access_key, max_attempts)
        self._store = Store(bucket, prefix, access)

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        """Return what the manifest says; without one, nothing is known to be there."""
        from sdt_dask_core.publishing.manifest import digests_in

        text = self._store.get(_manifest(publication))
        return {} if text is None else digests_in(text)

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write one object over the one of an earlier try."""
        from sdt_dask_core.publishing.publication import frame_of
        from sdt_dask_core.report.parquet import write_parquet

        content = io.BytesIO()
        write_parquet(frame_of(rows, publication.columns), content, publication.columns)
        # As long as a chunk changes, nothing may say that all is there.
        self._store.delete(_manifest(publication))
        name = f"{_folder(publication)}/{_object_name(chunk)}"
        self._store.put(name, content.getvalue(), "application/vnd.apache.parquet")

    def publish_finished(self, publication: Publication, chunks: Sequence[Chunk]) -> None:
        """Write the manifest: who finds it finds all of the run."""
        from sdt_dask_core.publishing.manifest import manifest_text

        text = manifest_text(publication, chunks, _object_name)
        self._store.put(_manifest(publication), text.encode(), "application/json")

    def close(self) -> None:
        """Close the client; idempotent."""
        self._store.close()


def _folder(publication: Publication) -> str:
    # Some stores keep objects in folders, so a run must not lead out of its own.
    return quote(publication.run_id, safe="") if publication.run_id.strip(".") else "%2E" * len(publication.run_id)


def _manifest(publication: Publication) -> str:
    from sdt_dask_core.publishing.manifest import MANIFEST

    return f"{_folder(publication)}/{MANIFEST}"


def _object_name(chunk: Chunk) -> str:
    return f"results-{chunk.number:05d}.parquet"
