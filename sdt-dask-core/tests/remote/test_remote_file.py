"""`RemoteFile`: all bytes of one version in their order, however the connection breaks, and few requests."""

from __future__ import annotations

import csv
import gzip
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import SourceUnavailableError
from sdt_dask_core.remote import Origin, Part, RemoteFile
from sdt_dask_core.remote.remote_file import READ_AHEAD
from sdt_dask_core.tables import TableFormat, read_power

CONTENT = np.random.default_rng(1).bytes(5 * READ_AHEAD + 123)


class BreakError(Exception):
    """How bodies of this source break."""


class Body(io.BytesIO):
    """A body that breaks after so many bytes, or ends there without a word."""

    def __init__(self, content: bytes, *, breaks_at: int | None = None, ends_at: int | None = None) -> None:
        super().__init__(content[:ends_at])
        self._breaks_at = breaks_at

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self._breaks_at is not None and self.tell() > self._breaks_at:
            raise BreakError("the line is dead")
        return data


class Source:
    """An object, and what becomes of the next answers."""

    def __init__(self, content: bytes, *bodies: dict[str, int], version: str = "v1", tells_size: bool = True) -> None:
        self.content, self.version, self.tells_size = content, version, tells_size
        self.bodies = list(bodies)
        self.asked: list[tuple[int, int | None, str]] = []
        self.before_answer: Callable[[], Any] = lambda: None

    def fetch(self, start: int, stop: int | None, version: str) -> Part | None:
        self.asked.append((start, stop, version))
        self.before_answer()
        if start >= len(self.content):
            return None
        body = Body(self.content[start:stop], **(self.bodies.pop(0) if self.bodies else {}))
        size = len(self.content) if self.tells_size else None
        return Part(body=body, start=start, size=size, version=self.version)

    def file(self, *, in_parts: bool = False) -> RemoteFile:
        origin = Origin(
            name="far/a.csv", fetch=self.fetch, breaks=(BreakError,), max_attempts=3, context={"object": "a"}
        )
        return RemoteFile(origin, in_parts=in_parts)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("sdt_dask_core.remote.stretch.time.sleep", found.append)
    return found


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("tells_size", [False, True])
def test_all_of_it_is_read(in_parts: bool, tells_size: bool):
    with Source(CONTENT, tells_size=tells_size).file(in_parts=in_parts) as file:
        assert file.read() == CONTENT
        assert file.read() == b""
        assert file.tell() == len(CONTENT)


def test_a_stream_is_one_request():
    source = Source(CONTENT)
    with source.file() as file:
        assert file.read(10) + file.read(20) + file.read() == CONTENT
    assert source.asked == [(0, None, "")]


def test_a_broken_body_is_taken_up_where_it_broke_and_of_the_same_version():
    source = Source(CONTENT, {"breaks_at": 2 * READ_AHEAD}, {"breaks_at": READ_AHEAD})
    with source.file() as file:
        assert file.read() == CONTENT
    assert source.asked == [(0, None, ""), (2 * READ_AHEAD, len(CONTENT), "v1"), (3 * READ_AHEAD, len(CONTENT), "v1")]


def test_a_body_that_ends_early_without_a_word_is_taken_up_too():
    source = Source(CONTENT, {"ends_at": 100})
    with source.file() as file:
        assert file.read() == CONTENT
    assert source.asked[1] == (100, len(CONTENT), "v1")


def test_the_waits_between_breaks_grow(waits: list[float]):
    with Source(CONTENT, {"breaks_at": 0}, {"breaks_at": 0}).file() as file:
        file.read()
    assert 0.1 <= waits[0] <= 0.2
    assert 0.2 <= waits[1] <= 0.4


def test_breaks_without_a_byte_between_are_told():
    source = Source(CONTENT, {"breaks_at": READ_AHEAD}, *([{"breaks_at": 0}] * 3))
    with source.file() as file, pytest.raises(SourceUnavailableError) as caught:
        file.read()
    assert str(caught.value) == (
        f"far/a.csv cannot be read: the answer broke off at byte {READ_AHEAD} of {len(CONTENT)}, 3 times in a row "
        "(BreakError: the line is dead); try again later"
    )
    assert pickle.loads(pickle.dumps(caught.value)).object == "a"


def test_breaks_with_bytes_between_may_be_many():
    with Source(CONTENT, *([{"breaks_at": READ_AHEAD}] * 5)).file() as file:
        assert file.read() == CONTENT


def test_without_a_version_nothing_is_taken_up_in_the_middle():
    source, reason = Source(CONTENT, {"breaks_at": READ_AHEAD}, version=""), f"broke off at byte {READ_AHEAD} of "
    with source.file() as file, pytest.raises(SourceUnavailableError, match=reason):
        file.read()


@pytest.mark.parametrize("change", [{"version": "v2"}, {"content": CONTENT[:-1]}, {"content": b"short"}])
@pytest.mark.parametrize("in_parts", [False, True])
def test_an_object_replaced_meanwhile_is_not_mixed(change: dict[str, Any], in_parts: bool):
    source = Source(CONTENT, {"breaks_at": READ_AHEAD})
    with source.file(in_parts=in_parts) as file:
        file.read(READ_AHEAD)
        source.__dict__.update(change)
        with pytest.raises(SourceUnavailableError, match=r"^far/a\.csv cannot be read: it was replaced while it was"):
            file.read()


def test_a_source_that_begins_anew_is_not_mixed():
    source = Source(CONTENT, {"breaks_at": READ_AHEAD})
    whole = source.fetch

    def fetch(start: int, stop: int | None, version: str) -> Part | None:
        # As some proxies do, which know no ranges.
        return whole(0, None, version) if start else whole(start, stop, version)

    origin = Origin(name="far", fetch=fetch, breaks=(BreakError,))
    reason = f"the bytes from {READ_AHEAD} on, the source sent those from 0"
    with RemoteFile(origin, in_parts=False) as file, pytest.raises(SourceUnavailableError, match=reason):
        file.read()


def test_what_the_request_raises_is_left_alone():
    source = Source(CONTENT)

    def fail() -> None:
        raise ZeroDivisionError

    source.before_answer = fail
    with pytest.raises(ZeroDivisionError), source.file() as file:
        file.read()
    assert len(source.asked) == 1


def test_an_empty_object_is_empty():
    for in_parts in (False, True):
        with Source(b"").file(in_parts=in_parts) as file:
            assert file.read() == b""


def test_near_places_are_one_request():
    source = Source(CONTENT)
    with source.file(in_parts=True) as file:
        for place in (5, 0, 100, READ_AHEAD - 10):
            file.seek(place)
            assert file.read(10) == CONTENT[place : place + 10]
        assert file.seek(-8, io.SEEK_END) == len(CONTENT) - 8
        assert file.read() == CONTENT[-8:]
    # The first answer begins at 5, so that byte 0 and the last ten of its stretch are asked for again.
    assert len(source.asked) <= 4


def test_seeking_to_where_it_is_keeps_the_stream():
    source = Source(CONTENT)
    with source.file() as file:
        file.read(10)
        file.seek(10)
        file.seek(0, io.SEEK_CUR)
        assert file.read() == CONTENT[10:]
    assert len(source.asked) == 1


def test_the_library_reads_from_it_as_from_any_file():
    text = "".join(f"{n},{n * n}\n" for n in range(50_000)).encode()
    broken = ({"breaks_at": 100_000}, {"breaks_at": 200_000})
    with Source(text, *broken).file() as file:
        assert io.BufferedReader(file, 1 << 20).readlines()[-1] == b"49999,2499900001\n"
    with Source(text, *broken).file() as file:
        assert sum(1 for _ in csv.reader(io.TextIOWrapper(io.BufferedReader(file), "ascii"))) == 50_000
    with Source(gzip.compress(text), *broken).file() as file:
        assert gzip.GzipFile(fileobj=file).read() == text


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_power_is_read_from_it(suffix: str):
    index = pd.date_range("2020-01-01", periods=20_000, freq="5min", name="timestamp")
    frame = pd.DataFrame({"power": np.random.default_rng(1).random(20_000).round(6)}, index=index)
    buffer = io.BytesIO()
    if suffix == "csv":
        frame.to_csv(buffer)
    else:
        frame.reset_index().to_parquet(buffer)
    with Source(buffer.getvalue(), {"breaks_at": 50_000}).file(in_parts=suffix == "parquet") as file:
        found = read_power(file, name="far", table_format=TableFormat())
    assert found["power"].tolist() == frame["power"].tolist()
