"""Objects that lie far away, read as binary files: whole and of one version, however often the connection breaks.

For plugs whose source answers requests for a range of bytes, such as an object store or a web server. The plug says how
it asks (`Origin.fetch`); `RemoteFile` then is a file that `sdt_dask_core.tables.read_power`, pandas and pyarrow read
from, as a stream or, for Parquet, here and there.

    def fetch(start, stop, version):
        last = "" if stop is None else str(stop - 1)
        response = session.get(url, headers={"Range": f"bytes={start}-{last}"}, stream=True, timeout=60)
        refuse_errors(response)  # raises the errors of `sdt_dask_core.errors`
        size = int(response.headers["Content-Range"].rpartition("/")[2])
        return Part(body=response.raw, start=start, size=size, version=response.headers["ETag"])


    origin = Origin(name=url, fetch=fetch, max_attempts=5, breaks=(OSError, HTTPError))  # what reading may raise
    with RemoteFile(origin, in_parts=url.endswith(".parquet")) as file:
        frame = read_power(file, name=url, table_format=table_format)
"""

from sdt_dask_core.remote.origin import Origin, Part
from sdt_dask_core.remote.remote_file import RemoteFile

__all__ = ["Origin", "Part", "RemoteFile"]
