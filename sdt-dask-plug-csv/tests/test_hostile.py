"""What a hostile key, name or file cannot do: lead out of the folder, unpack an archive, run code."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdt_dask_core.errors import AccessDeniedError, DataFormatError, KeyNotFoundError, PlugError
from sdt_dask_plug_csv import CsvPlug

TABLE = "timestamp,power\n2020-01-01 11:00,1.5\n"
CANARY = TABLE.replace("1.5", "666.0")
#: Where a canary lies, seen from the folder.
OUTSIDE = (
    "../canary.csv",
    "../canary",
    "../outside/canary.csv",
    "link.csv",
    "link",
    "folder/canary.csv",
    "loop/link.csv",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good file, beside and linked to files that must not be read."""
    top = tmp_path_factory.mktemp("top")
    root = top / "root"
    for file in (top / "canary.csv", top / "outside" / "canary.csv", root / "a" / "b.csv"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TABLE if file.is_relative_to(root) else CANARY)
    (root / "link.csv").symlink_to(top / "canary.csv")
    (root / "folder").symlink_to(top / "outside")
    (root / "loop").symlink_to(root)
    (root / "endless.csv").symlink_to(root / "endless.csv")
    return root


def read(root: Path, *key: Any) -> list[float]:
    """Return the power of a key; nothing where it is refused, which only an error of a plug may do."""
    try:
        return [float(value) for value in CsvPlug(root).get_data(key)["power"]]
    except PlugError:
        return []


_PARTS = st.sampled_from(
    ["..", ".", "", "a", "b", "b.csv", "canary", "canary.csv", "link", "folder", "loop", "outside", "root", "top", "~",
     "%2e%2e", "..%2f", "\0", "\\", "C:", "\\\\?\\", "...", ".. ", "..\n", "\u2025", "．．", "\udcff", "-", "*"]
)  # fmt: skip
_SEPARATORS = st.sampled_from(["/", "//", "\\", "%2f", "\u2215", "/./"])
_NAMES = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(_PARTS, st.text(max_size=8)), max_size=8).flatmap(
        lambda parts: _SEPARATORS.map(lambda separator: separator.join(parts))
    ),
)


@given(name=_NAMES)
@example("../canary.csv")
@example("/etc/passwd")
@example("a/../../canary")
@example("loop/loop/../../canary.csv")
@example("x" * 300)
@example("-rf")
@example("%2e%2e%2fcanary.csv")
@example("C:\\canary.csv")
@example("")
def test_no_name_reads_outside_the_folder(root: Path, name: str) -> None:
    assert read(root, name) in ([], [1.5])


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_known_way_out_is_refused(root: Path, name: str) -> None:
    with pytest.raises(AccessDeniedError, match="leaves the folder"):
        CsvPlug(root).get_data((name,))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_fingerprint_tells_nothing_of_what_is_outside(root: Path, name: str) -> None:
    assert CsvPlug(root).fingerprint((name,)) is None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=4)
)
def test_a_key_of_any_shape_is_refused_by_a_plugs_error(root: Path, part: Any) -> None:
    assert read(root, part, part) == []


def test_a_listing_does_not_leave_the_folder(root: Path) -> None:
    assert list(CsvPlug(root).list_keys()) == [("a/b",)]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "a/" * 3000 + "b", "endless"])
def test_a_name_that_no_file_can_have_is_not_tried_again(root: Path, name: str) -> None:
    with pytest.raises(KeyNotFoundError):
        CsvPlug(root).get_data((name,))


# Archives


def _archives() -> Iterator[tuple[str, bytes]]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil.csv", TABLE)
    yield "zip", buffer.getvalue()
    for name, mode in (("tar", "w"), ("tar.gz", "w:gz")):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as packed:  # type: ignore[call-overload]
            member = tarfile.TarInfo("../../evil.csv")
            member.size = len(TABLE)
            packed.addfile(member, io.BytesIO(TABLE.encode()))
        yield name, buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"), list(_archives()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_members_of_an_archive_are_never_written(tmp_path: Path, kind: str, content: bytes) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(content)
    with pytest.raises(DataFormatError):
        CsvPlug(folder).get_data(("a",))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.csv"]


def test_the_name_within_a_gzip_file_means_nothing(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with gzip.GzipFile("../../evil.csv", "wb", fileobj=buffer) as packed:
        packed.write(TABLE.encode())
    (tmp_path / "a.csv.gz").write_bytes(buffer.getvalue())
    assert read(tmp_path, "a") == [1.5]


# Parquet


def test_a_parquet_file_runs_no_code(tmp_path: Path) -> None:
    """Arrow before 14.0.1 unpickled a type that the file itself named."""
    import pickle

    import pyarrow as pa
    import pyarrow.parquet as pq

    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "it-ran"),)

    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle.dumps(Evil()),
    }
    fields = [pa.field("timestamp", pa.timestamp("ms")), pa.field("power", pa.float64(), metadata=metadata)]
    schema = pa.schema(fields, metadata={b"pandas": pickle.dumps(Evil())})
    columns = [pa.array([pd.Timestamp("2020-01-01 11:00")], pa.timestamp("ms")), pa.array([1.5])]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), tmp_path / "a.parquet")
    assert read(tmp_path, "a") in ([], [1.5])
    assert not (tmp_path / "it-ran").exists()


def test_a_pickle_named_as_a_table_is_not_read_as_one(tmp_path: Path) -> None:
    pd.DataFrame({"power": [1.0]}).to_pickle(tmp_path / "a.parquet")
    pd.DataFrame({"power": [1.0]}).to_pickle(tmp_path / "b.csv", compression=None)
    assert (read(tmp_path, "a"), read(tmp_path, "b")) == ([], [])
