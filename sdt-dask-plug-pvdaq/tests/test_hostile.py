"""What a hostile mirror or web API cannot do: take the key elsewhere, fill the memory, lead out of the cache."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdt_dask_core import oversize
from sdt_dask_core.errors import AccessDeniedError, DataFormatError, PlugError
from sdt_dask_plug_pvdaq import PvdaqPlug, long, wide
from sdt_dask_plug_pvdaq.cache import Cache
from sdt_dask_testing.http_server import Answer, HttpServer, Request, serve_http

KEY = "a-key-of-the-web-api"
HEAD, LINE = b"Date-Time,ac_power\n", b"2011-06-01 12:00:00,5000.0\n"
LARGE = HEAD + LINE * 10_000


@pytest.fixture
def elsewhere() -> Iterator[HttpServer]:
    """Another host, which answers all."""
    with serve_http(lambda _request: Answer(200, {}, LARGE)) as running:
        yield running


@pytest.fixture
def asks(new_plug: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PVDAQ_TEST_KEY", KEY)
    return lambda url: new_plug(source="api", api_url=url, api_key="env:PVDAQ_TEST_KEY").get_data((34, 2011))


def test_the_key_does_not_follow_a_redirection_to_another_host(asks: Any, elsewhere: HttpServer):
    refused = pytest.raises(AccessDeniedError, match=r"sends its readers to .* where the API key must not go")
    with serve_http(lambda _request: Answer(302, {"Location": elsewhere.url}, b"")) as server, refused as caught:
        asks(server.url)
    assert (elsewhere.asked, KEY in str(caught.value)) == ([], False)


def test_a_redirection_on_the_same_host_is_followed(asks: Any):
    def answer(request: Request) -> Answer:
        at = request.path.partition("?")[0]
        return Answer(200, {}, LARGE) if at == "/there" else Answer(302, {"Location": "/there"}, b"")

    with serve_http(answer) as server:
        assert len(asks(server.url))


def test_an_answer_beyond_the_limit_is_refused(asks: Any, elsewhere: HttpServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oversize, "MAX_BYTES", 100_000)
    with pytest.raises(DataFormatError, match=r"is larger than 97\.7 KiB, more than the 97\.7 KiB that are held"):
        asks(elsewhere.url)


def test_an_object_beyond_the_limit_is_refused(plug: PvdaqPlug, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oversize, "MAX_BYTES", 1000)
    with pytest.raises(DataFormatError, match=r"has \d.* KiB, more than the 1,000 bytes that are held of one table"):
        plug.get_data((10, 2011))


def test_a_parquet_file_of_a_hostile_size_is_not_read(monkeypatch: pytest.MonkeyPatch):
    buffer = io.BytesIO()
    pd.DataFrame({"metric_id": [1] * 5000, "measured_on": 0, "utc_measured_on": 0, "value": 0}).to_parquet(buffer)
    monkeypatch.setattr(oversize, "MAX_BYTES", 10_000)
    with pytest.raises(DataFormatError, match=r"a would take .* of memory, more than the"):
        long.parse_day(buffer.getvalue(), "a", None, long.Dictionary({}, {}))


def test_a_stream_that_never_ends_is_left_at_the_limit(monkeypatch: pytest.MonkeyPatch):
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            at = 0 if not self.taken else len(HEAD) + (self.taken - len(HEAD)) % len(LINE)
            lines = LARGE[at : at + len(buffer)]
            buffer[: len(lines)] = lines
            self.taken += len(lines)
            return len(lines)

    body = Endless()
    monkeypatch.setattr(oversize, "MAX_BYTES", 1_000_000)
    with pytest.raises(DataFormatError, match="has more than 977 KiB in two columns"):
        wide.stream(io.BufferedReader(body), "a", ["Date-Time", "ac_power"], "ac_power", None)


@given(name=st.text(max_size=300))
def test_nothing_is_kept_outside_the_cache(name: str):
    folder = Path("/cache")
    path = Cache(folder, 1)._path(name)  # noqa: SLF001 - where it would write, without writing
    assert (path.parent.parent, ".." in path.parts) == (folder, False)


@pytest.mark.parametrize("key", [("../4", 2011), (4, "../2011"), ("4/../../x", 2011), (4, 2011, "../../x"), (-4, 2011)])
def test_no_key_asks_for_an_object_outside_the_lake(plug: PvdaqPlug, key: tuple[Any, ...]):
    with pytest.raises(PlugError):
        plug.get_data(key)
