"""Publishing: in chunks, repeatable, and with errors that say what to do."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core import Chunk, Column, Publication, Publisher
from sdt_dask_core.errors import BrokenProviderError, ConfigurationError, PublishError, UnknownProviderError
from sdt_dask_core.publishers.csv_files import CsvPublisher
from sdt_dask_core.publishing.manifest import digests_in
from sdt_dask_core.publishing.publication import CHUNK_ROWS, chunks_of, publication_of
from sdt_dask_core.publishing.publish import publish_table
from sdt_dask_core.reference import refer_to
from sdt_dask_testing.published import COLUMNS, KEYS, publish, results

TEXT = Column("key", "text", "A key.")
NUMBER = Column("n", "count", "A number.")


class Memory(Publisher):
    """Holds what it is given, and fails where it is told to."""

    def __init__(self, fail_at: int = -1) -> None:
        self.fail_at = fail_at
        self.heard: list[Any] = []
        self.digests: dict[int, str] = {}

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        return self.digests

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        if chunk.number == self.fail_at:
            raise ValueError("the disk said no; password=hunter2hunter2")
        self.heard.append((chunk.number, len(rows)))
        self.digests[chunk.number] = chunk.digest

    def publish_finished(self, publication: Publication, chunks: Sequence[Chunk]) -> None:
        self.heard.append("finished")

    def close(self) -> None:
        self.heard.append("closed")


def rows_of(table: pd.DataFrame, columns: Sequence[Column]) -> list[dict[str, Any]]:
    ((_, rows),) = chunks_of(publication_of("r", table, columns), table)
    return rows


def test_chunks_hold_ten_thousand_rows() -> None:
    table = results(n_rows=20_001)
    publication = publication_of("r", table, COLUMNS)
    assert (CHUNK_ROWS, publication.n_chunks) == (10_000, 3)
    assert [chunk.n_rows for chunk, _ in chunks_of(publication, table)] == [10_000, 10_000, 1]


def test_the_chunks_come_in_order_and_then_the_end() -> None:
    memory = Memory()
    done = publish(memory, "r")
    assert (done.n_rows, done.n_chunks, done.n_written) == (7, 3, 3)
    assert memory.heard == [(0, 3), (1, 3), (2, 1), "finished", "closed"]


def test_only_the_chunk_that_changed_is_written_again() -> None:
    memory = Memory()
    publish(memory, "r")
    table = results()
    table.loc[4, "grade"] = "caution"
    memory.heard.clear()
    assert publish(memory, "r", table).n_written == 1
    assert memory.heard == [(1, 3), "finished", "closed"]


def test_a_failure_says_what_stands_and_closes() -> None:
    memory = Memory(fail_at=1)
    with pytest.raises(
        PublishError, match=r"'under test' failed at chunk 2 of 3, run r: ValueError: the disk"
    ) as caught:
        publish(memory, "r")
    assert "run the same command again" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert caught.value.exit_code == 1
    assert memory.heard == [(0, 3), "closed"]
    memory.fail_at = -1
    assert publish(memory, "r").n_written == 2


def test_a_publisher_without_access_is_a_configuration_error() -> None:
    class Closed(Memory):
        def check_access(self) -> list[str]:
            return ["the door is closed; knock"]

    with pytest.raises(ConfigurationError, match="'under test' cannot be used: the door is closed; knock"):
        publish(Closed(), "r")


def test_a_close_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Memory):
        def close(self) -> None:
            raise OSError("stuck")

    with caplog.at_level(logging.WARNING):
        assert publish(Stuck(), "r").n_chunks == 3
    assert "publisher under test failed in close: OSError: stuck" in caplog.text


def test_rows_hold_plain_values() -> None:
    rows = rows_of(results(), COLUMNS)
    assert rows[0]["first_timestamp"].isoformat() == "2020-06-01T12:30:00"
    assert (rows[0]["n_timestamps"], rows[0]["is_clipped"], rows[0]["rate_pct_per_year"]) == (5, True, -0.5)
    assert {type(value) for row in rows[1:] for value in row.values()} == {str, float, type(None)}
    assert {row["run_id"] for row in rows} == {"r"}


def test_text_that_no_target_takes_is_written_out() -> None:
    table = pd.DataFrame({"key": ["a\0b", "c"], "n": pd.array([1, None], "Int64")})
    assert [row["key"] for row in rows_of(table, [TEXT, NUMBER])] == ["a\\x00b", "c"]


def test_a_digest_is_the_same_in_any_process() -> None:
    table = pd.DataFrame({"key": ["a"], "n": pd.array([1], "Int64")})
    ((chunk, _),) = chunks_of(publication_of("r", table, [TEXT, NUMBER]), table)
    assert chunk.digest == "eaab2f173562c0d39e4771b9262e5b64"


def test_a_run_without_a_key_is_published() -> None:
    memory = Memory()
    assert publish(memory, "r", results(n_rows=0)).n_chunks == 0
    assert memory.heard == ["finished", "closed"]


def test_an_unknown_publisher_names_the_installed() -> None:
    with pytest.raises(UnknownProviderError, match=r"unknown publisher 'cvs'.*did you mean 'csv'\?"):
        refer_to("publisher", "cvs")


def test_a_class_without_publish_rows_is_no_publisher() -> None:
    with pytest.raises(BrokenProviderError, match="it has no method 'publish_rows', which a publisher needs"):
        refer_to("publisher", type("Mute", (), {}))


def test_csv_says_what_the_columns_are(tmp_path: Path) -> None:
    publish(CsvPublisher(tmp_path), "r")
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert [chunk["file"] for chunk in manifest["chunks"]] == [f"results-0000{n}.csv" for n in range(3)]
    assert manifest["columns"][3] == {
        "name": "n_timestamps",
        "unit": "count",
        "description": "A number that may be missing.",
        "sdt_name": "num",
    }


def test_csv_has_no_manifest_while_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(CsvPublisher(tmp_path), "r")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            publish(CsvPublisher(tmp_path), "r", results(rate=1.0))
    assert not (tmp_path / "r" / "manifest.json").exists()
    assert publish(CsvPublisher(tmp_path), "r", results(rate=1.0)).n_written == 3


def test_csv_keeps_a_hostile_run_in_its_folder(tmp_path: Path) -> None:
    publish(CsvPublisher(tmp_path / "in"), "../out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_csv_neutralises_formulas(tmp_path: Path) -> None:
    table = results()
    table.loc[0, "key"] = "=1+1"
    publish(CsvPublisher(tmp_path), "r", table)
    assert pd.read_csv(tmp_path / "r" / "results-00000.csv")["key"][0] == "'=1+1"


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"chunks": [{}]}', b'{"chunks": 5}', b"\xff", b'"x"'])
def test_a_manifest_that_cannot_be_read_names_no_chunk(text: bytes) -> None:
    assert digests_in(text) == {}


def test_each_number_of_rows_makes_whole_chunks() -> None:
    for n_rows in range(1, len(KEYS) + 1):
        table = results(n_rows=n_rows)
        chunks = list(chunks_of(publication_of("r", table, COLUMNS, chunk_rows=2), table, chunk_rows=2))
        assert sum(chunk.n_rows for chunk, _ in chunks) == n_rows
        assert np.all([len(rows) == chunk.n_rows for chunk, rows in chunks])


def test_publish_table_is_what_a_run_uses(tmp_path: Path) -> None:
    done = publish_table(CsvPublisher(tmp_path), "r", results(), COLUMNS, name="csv")
    assert (done.n_chunks, len(pd.read_csv(tmp_path / "r" / "results-00000.csv"))) == (1, 7)
