"""Answers that break: retried, taken up again where they broke, never mixed, never short."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import SourceUnavailableError
from sdt_dask_testing.http_server import cut_after, unchanged
from sdt_dask_testing.s3_server import refusing

TABLE = "timestamp,power\n2020-01-01 11:00,1.5\n2020-01-01 12:00,2.5\n"
YEAR = 40_000  # rows; a megabyte of text


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    stamps = pd.date_range("2020-01-01", periods=YEAR, freq="5min", name="timestamp")
    return pd.DataFrame({"power": np.random.default_rng(1).random(YEAR).round(6)}, index=stamps)


@pytest.fixture(scope="module", autouse=True)
def _objects(store: Any, table: pd.DataFrame) -> None:
    store.put_as("faults", "year.csv", table.to_csv())
    table.reset_index().to_parquet(store.root / "faults" / "year.parquet")
    store.put_as("faults", "small.csv", TABLE)


def test_slow_down_is_asked_again(behind_proxy: Any, proxy: Any):
    proxy.faults = [refusing(503, "SlowDown", "Please reduce your request rate.")]
    assert behind_proxy.plug("faults").get_data(("small.csv",))["power"].tolist() == [1.5, 2.5]
    assert proxy.methods == ["GET", "GET"]


def test_slow_down_without_end_is_told(behind_proxy: Any, proxy: Any):
    proxy.always = refusing(503, "SlowDown", "Please reduce your request rate.")
    with pytest.raises(SourceUnavailableError) as caught:
        behind_proxy.plug("faults", max_attempts=2).get_data(("small.csv",))
    assert str(caught.value) == (
        f"s3://faults/small.csv cannot be read: the store at {proxy.url} is too busy or failed, 2 times in a row "
        "(SlowDown: Please reduce your request rate); try again later, with fewer workers or a higher max_attempts"
    )
    assert len(proxy.asked) == 2


@pytest.mark.parametrize("name", ["year.csv", "year.parquet"])
def test_bodies_cut_in_the_middle_are_read_whole(behind_proxy: Any, proxy: Any, table: pd.DataFrame, name: str):
    proxy.faults = [cut_after(100_000), cut_after(0), cut_after(30_000), unchanged]
    frame = behind_proxy.plug("faults", max_attempts=3).get_data((name,))
    assert frame["power"].tolist() == table["power"].tolist()
    assert len(proxy.asked) >= 4


def test_a_cut_body_is_taken_up_where_it_broke_and_of_the_same_version(behind_proxy: Any, proxy: Any):
    proxy.faults = [cut_after(10)]
    assert len(behind_proxy.plug("faults").get_data(("small.csv",))) == 2
    ranges = [request.headers.get("range", "") for request in proxy.asked]
    assert ranges == ["", f"bytes=10-{len(TABLE) - 1}"]
    first, second = (request.headers.get("if-match", "") for request in proxy.asked)
    assert (first, bool(second)) == ("", True)


def test_bodies_cut_without_end_are_told(behind_proxy: Any, proxy: Any):
    proxy.faults = [cut_after(20)]
    proxy.always = cut_after(0)
    with pytest.raises(SourceUnavailableError) as caught:
        behind_proxy.plug("faults", max_attempts=3).get_data(("small.csv",))
    text = str(caught.value)
    assert text.startswith(
        f"s3://faults/small.csv cannot be read: the answer broke off at byte 20 of {len(TABLE)}, 3 times in a row ("
    )
    assert text.endswith("; try again later, or set max_attempts or read_timeout higher")


@pytest.mark.parametrize("name", ["year.csv", "year.parquet"])
def test_bodies_cut_far_behind_their_beginning_are_told_too(behind_proxy: Any, proxy: Any, name: str):
    """Where pandas or pyarrow asks for the bytes."""
    beginning = [cut_after(700_000)] if name.endswith("csv") else [unchanged] * 2
    proxy.faults = beginning
    proxy.always = cut_after(0)
    with pytest.raises(
        SourceUnavailableError, match=rf"^s3://faults/{name} cannot be read: the answer broke off at byte"
    ):
        behind_proxy.plug("faults").get_data((name,))
    assert proxy.faults == []


def test_bytes_that_do_not_fit_their_checksum_are_refused(behind_proxy: Any, proxy: Any):
    proxy.always = lambda _, answer: replace(answer, headers={**answer.headers, "x-amz-checksum-crc32": "AAAAAA=="})
    reason = "what arrived is not what was stored: Expected checksum AAAAAA=="
    with pytest.raises(SourceUnavailableError, match=rf"^s3://faults/small\.csv cannot be read: {reason}"):
        behind_proxy.plug("faults").get_data(("small.csv",))


def test_an_object_replaced_while_it_is_read_is_not_mixed(behind_proxy: Any, proxy: Any):
    """rclone knows no If-Match, so that the ETag of the answer must tell."""

    def of_another_version(_: Any, answer: Any) -> Any:
        return replace(answer, headers={**answer.headers, "ETag": '"another"', "Etag": '"another"'})

    proxy.faults = [cut_after(10), of_another_version]
    with pytest.raises(SourceUnavailableError, match=r"small\.csv cannot be read: it was replaced while it was being"):
        behind_proxy.plug("faults").get_data(("small.csv",))


def test_a_store_that_refuses_the_second_part_says_so(behind_proxy: Any, proxy: Any):
    proxy.faults = [cut_after(10), refusing(412, "PreconditionFailed")]
    with pytest.raises(SourceUnavailableError) as caught:
        behind_proxy.plug("faults").get_data(("small.csv",))
    assert str(caught.value) == (
        "s3://faults/small.csv cannot be read: it was replaced while it was being read; read it again"
    )


def test_a_store_that_sends_other_bytes_than_asked_for(behind_proxy: Any, proxy: Any):
    def from_the_start(_: Any, answer: Any) -> Any:
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-range"}
        return replace(answer, status=200, headers=headers, body=TABLE.encode())

    proxy.faults = [cut_after(10), from_the_start]
    with pytest.raises(SourceUnavailableError, match="asked for the bytes from 10 on, the source sent those from 0 on"):
        behind_proxy.plug("faults").get_data(("small.csv",))


def test_a_store_that_falls_silent_is_asked_again(behind_proxy: Any, proxy: Any):
    def late(_: Any, answer: Any) -> Any:
        time.sleep(1.5)
        return answer

    proxy.faults = [late]
    assert len(behind_proxy.plug("faults", read_timeout=0.5).get_data(("small.csv",))) == 2
    assert len(proxy.asked) == 2


def test_a_listing_that_breaks_is_asked_again(behind_proxy: Any, proxy: Any):
    proxy.faults = [cut_after(50), refusing(500, "InternalError")]
    keys = list(behind_proxy.plug("faults", max_attempts=4).list_keys())
    assert keys == [("small.csv",), ("year.csv",), ("year.parquet",)]
