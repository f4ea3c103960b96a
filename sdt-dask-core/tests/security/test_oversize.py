"""Bombs and oversized sources are refused at a stated limit, before they fill the memory."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdt_dask_core import oversize
from sdt_dask_core.errors import DataFormatError, ManifestError
from sdt_dask_core.manifest import read_manifest
from sdt_dask_core.options import OptionSet
from sdt_dask_core.oversize import size_text
from sdt_dask_core.remote import Origin, Part, RemoteFile
from sdt_dask_core.tables import TableFormat, read_power

HEAD = b"timestamp,power\n2020-01-01 11:00,1\n2020-01-01 12:00,2\n"
MIB = 1024**2

# Reads one table in a process of its own; tells its error and by how much its memory grew.
READ = """
    import json, sys
    from pathlib import Path
    from sdt_dask_core.tables import TableFormat, csv_table, parquet_table, read_power
    from sdt_dask_testing.peak import peak_memory
    import pyarrow.csv, pyarrow.parquet

    read_power(Path(sys.argv[2]), name="warm", table_format=TableFormat())
    before, said = peak_memory(), "it was read"
    try:
        read_power(Path(sys.argv[1]), name=Path(sys.argv[1]).name, table_format=TableFormat())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps({"said": said, "grew": peak_memory() - before}))
"""


def read_apart(path: Path, tmp_path: Path) -> tuple[str, int]:
    """Return what reading a table said, and how much more memory it took at its peak [bytes]."""
    warm = tmp_path / "warm.csv"
    warm.write_bytes(HEAD)
    code = textwrap.dedent(READ)
    done = subprocess.run([sys.executable, "-c", code, path, warm], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["said"], answer["grew"]


def gzip_bomb(unpacked: int) -> bytes:
    """Return a gzip file of a table that goes on with one line without an end, of a member that repeats."""
    member = gzip.compress(b"9" * (16 * MIB), 9)
    return gzip.compress(HEAD) + member * (unpacked // (16 * MIB))


def as_parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def test_a_gzip_bomb_of_four_gib_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip_bomb(4096 * MIB))
    said, grew = read_apart(tmp_path / "bomb.csv.gz", tmp_path)
    assert (tmp_path / "bomb.csv.gz").stat().st_size < 5 * MIB
    assert said.startswith("DataFormatError: bomb.csv.gz has a line of more than 1 MiB")
    assert grew < 128 * MIB


def test_a_gzip_bomb_of_good_lines_is_known_by_what_it_unpacks_to(tmp_path: Path) -> None:
    member = gzip.compress(b"2020-01-01 13:00,1\n" * 800_000, 9)
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(HEAD) + member * 250)
    said, grew = read_apart(tmp_path / "bomb.csv", tmp_path)
    assert said.startswith("DataFormatError: bomb.csv unpacks to more than 250 times its size")
    assert grew < 160 * MIB


def test_a_parquet_bomb_of_equal_values_takes_little_memory(tmp_path: Path) -> None:
    schema = pa.schema([("t", pa.timestamp("ms")), ("p", pa.float64())])
    rows = 4_000_000
    batch = pa.table({"t": pa.array([0]).take(pa.array([0] * 1000)), "p": pa.array([1.0] * 1000)}).cast(schema)
    part = pa.concat_tables([batch] * (rows // 1000)).combine_chunks()
    with pq.ParquetWriter(tmp_path / "bomb.parquet", schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(part)
    said, grew = read_apart(tmp_path / "bomb.parquet", tmp_path)
    assert (tmp_path / "bomb.parquet").stat().st_size < 1 * MIB
    assert "bomb.parquet would take" in said
    assert "more than the 1 GiB that are held of one table" in said
    assert grew < 128 * MIB


def test_a_plain_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("wb") as file:
        file.write(HEAD)
        file.truncate(3 * 1024**3)  # a hole, which takes no disk
        file.seek(1 * MIB)
    # Zero bytes are no text, so the head is all of text.
    with (tmp_path / "large.csv").open("r+b") as file:
        file.write(HEAD + b"2020-01-01 13:00,1\n" * (MIB // 19))
    said, grew = read_apart(tmp_path / "large.csv", tmp_path)
    assert said.startswith(
        "DataFormatError: large.csv has 3 GiB, more than the 1 GiB that are held of one table; split"
    )
    assert grew < 32 * MIB


def test_a_parquet_file_that_says_less_than_it_holds_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = pd.date_range("2020", periods=400_000, freq="min")
    content = as_parquet(pa.table({"t": stamps, "p": [1.0] * 400_000}))
    monkeypatch.setattr(oversize, "MAX_BYTES", 4 * MIB)
    monkeypatch.setattr("sdt_dask_core.tables.parquet_table.ParquetTable._refuse_bomb", lambda *_: None)
    with pytest.raises(DataFormatError, match=r"takes 4\.\d+ MiB of memory, and there is more"):
        read_power(io.BytesIO(content), name="liar", table_format=TableFormat())


def test_ten_years_of_minutes_are_far_below_the_limit() -> None:
    # A row such as "2020-01-01 00:00:00,1234.567\n", of which a day has 1440.
    assert 4 * 10 * 365.25 * 1440 * len("2020-01-01 00:00:00,1234.567890123456789\n") < 1.1 * oversize.MAX_BYTES


def test_a_table_that_is_compressed_twice_is_not_unpacked_on() -> None:
    packed = gzip.compress(gzip.compress(HEAD * 1000))
    with pytest.raises(DataFormatError, match=r"a\.csv\.gz is compressed twice; unpack it once"):
        read_power(io.BytesIO(packed), name="a.csv.gz", table_format=TableFormat())


def test_an_archive_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.csv", HEAD)
    with pytest.raises(DataFormatError, match="is a zip archive"):
        read_power(io.BytesIO(buffer.getvalue()), name="a.csv", table_format=TableFormat())


def test_an_endless_line_behind_a_good_head_is_refused() -> None:
    rows = b"".join(b"2020-01-%02d %02d:00,1\n" % (day, hour) for day in range(1, 29) for hour in range(24)) * 40
    content = HEAD + rows + random.Random(1).randbytes(2 * MIB).replace(b"\n", b"x").replace(b"\r", b"x")
    with pytest.raises(DataFormatError, match=r"a\.csv has a line of more than 1 MiB"):
        read_power(io.BytesIO(content), name="a.csv", table_format=TableFormat(encoding="latin-1"))


# Objects far away


class Endless(io.RawIOBase):
    """A body that never ends, and counts what is taken of it."""

    def __init__(self) -> None:
        self.taken = 0
        self._lines = HEAD.splitlines(keepends=True)[1] * 1000

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._lines[: len(self._lines) if size is None or size < 0 else size]
        self.taken += len(data)
        return data


@pytest.fixture
def endless() -> Endless:
    return Endless()


def origin_of(body: Endless, size: int | None) -> Origin:
    return Origin(
        name="s3://b/a.csv", fetch=lambda start, _stop, _version: Part(body=body, start=start, size=size, version="1")
    )


def test_an_object_that_tells_its_size_is_refused_before_it_is_read(endless: Endless) -> None:
    too_large = pytest.raises(DataFormatError, match=r"s3://b/a\.csv has 5 GiB, more than the 1 GiB that are held")
    with RemoteFile(origin_of(endless, 5 * 1024**3), in_parts=False) as file, too_large:
        file.read()
    assert endless.taken < MIB


def test_an_object_that_never_ends_is_refused_at_the_limit(endless: Endless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oversize, "MAX_BYTES", 2 * MIB)
    too_large = pytest.raises(DataFormatError, match=r"s3://b/a\.csv is larger than 2 MiB")
    with RemoteFile(origin_of(endless, None), in_parts=False) as file, too_large:
        file.read()
    assert endless.taken < 3 * MIB


def test_a_table_far_away_is_refused_by_the_size_that_its_answer_tells(endless: Endless) -> None:
    class Table(Endless):
        def read(self, size: int | None = -1, /) -> bytes:
            first = HEAD if not self.taken else b""
            return first or super().read(size)

    body = Table()
    too_large = pytest.raises(DataFormatError, match=r"a\.csv has 5 GiB, more than the 1 GiB")
    with RemoteFile(origin_of(body, 5 * 1024**3), in_parts=False) as file, too_large:
        read_power(file, name="a.csv", table_format=TableFormat())
    assert body.taken < MIB


def test_no_request_asks_for_more_than_may_be_held(endless: Endless) -> None:
    asked = []

    def fetch(start: int, stop: int | None, _version: str) -> Part:
        asked.append((start, stop))
        return Part(body=io.BytesIO(b"x" * 10), start=start, size=10, version="1")

    with RemoteFile(Origin(name="a", fetch=fetch), in_parts=True) as file:
        file.read(2**50)
    assert asked == [(0, oversize.MAX_BYTES + 1)]


# Manifests


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_manifest_beyond_its_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    table = pd.DataFrame({"key": ["a"] * 2000, "name": ["x" * 20] * 2000})
    path = tmp_path / f"fleet{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    monkeypatch.setattr("sdt_dask_core.manifest._MAX_BYTES", 10_000)
    with pytest.raises(ManifestError, match=r"has \d+\.\d KiB, more than the 9\.77 KiB that are read of one; split it"):
        read_manifest(path, OptionSet("plug 'x'", []), call_options={}, run_options={})


@pytest.mark.parametrize("name", ["fleet.csv.gz", "fleet.zip", "fleet.csv.xz"])
def test_a_manifest_is_never_unpacked(tmp_path: Path, name: str) -> None:
    pd.DataFrame({"key": ["a"]}).to_csv(tmp_path / name, index=False)
    with pytest.raises(ManifestError, match=r"cannot be read as a table|has no column 'key'"):
        read_manifest(tmp_path / name, OptionSet("plug 'x'", []), call_options={}, run_options={})


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1,023 bytes"), (MIB, "1 MiB"), (5 * 2**40, "5,120 GiB")]
)
def test_sizes_read_well(size: int, text: str) -> None:
    assert size_text(size) == text
