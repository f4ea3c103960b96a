"""Objects, the manifest, and stores that fail."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sdt_dask_core.errors import OptionError, PublishError
from sdt_dask_publisher_s3 import S3Publisher
from sdt_dask_testing.http_server import Answer, Proxy, Request, cut_after
from sdt_dask_testing.published import KEYS, publish, results
from sdt_dask_testing.s3_server import s3_error


def each_key_once(bucket: Any) -> bool:
    return Counter(row["key"] for row in bucket.rows()) == Counter(KEYS)


def test_names_are_those_of_run_and_chunk(bucket: Any) -> None:
    publish(bucket.publisher(), "20260601")
    names = ["manifest.json", *(f"results-0000{n}.parquet" for n in range(3))]
    assert sorted(bucket.objects()) == [f"20260601/{name}" for name in names]


def test_the_objects_are_one_data_set_that_says_what_its_columns_are(bucket: Any) -> None:
    publish(bucket.publisher(), "r")
    first, *_, last = (pq.read_schema(io.BytesIO(content)) for _, content in sorted(bucket.tables().items()))
    assert first.remove_metadata() == last.remove_metadata()
    assert last.field("n_timestamps").metadata[b"sdt_name"] == b"num"


def test_values_come_back_as_they_were(bucket: Any) -> None:
    publish(bucket.publisher(), "r")
    row = bucket.rows()[0]
    assert (row["n_timestamps"], row["is_clipped"], row["rate_pct_per_year"]) == (5, True, -0.5)
    assert row["first_timestamp"] == pd.Timestamp("2020-06-01 12:30")


def test_the_manifest_names_the_objects(bucket: Any) -> None:
    publish(bucket.publisher(), "r")
    (text,) = bucket.manifests()
    manifest = json.loads(text)
    assert (manifest["run_id"], manifest["n_rows"]) == ("r", 7)
    assert [(c["file"], c["n_rows"]) for c in manifest["chunks"]] == [
        ("results-00000.parquet", 3),
        ("results-00001.parquet", 3),
        ("results-00002.parquet", 1),
    ]


@pytest.mark.parametrize("run_id", ["..", "../out", "a/b"])
def test_a_hostile_run_stays_below_the_prefix(bucket: Any, run_id: str) -> None:
    publish(bucket.publisher(), run_id)
    assert len(bucket.rows()) == len(KEYS)
    folders = {name.partition("/")[0] for name in bucket.objects()}
    assert len(folders) == 1
    assert not folders & {".", "..", "a"}


class FailingPuts:
    """Refuses one object's PUT; where `is_late`, after the store has taken it."""

    def __init__(self, number: int, fault: Any) -> None:
        self.number = number
        self.fault = fault
        self.puts = 0

    def __call__(self, request: Request, answer: Answer) -> Answer:
        if request.method != "PUT":
            return answer
        self.puts += 1
        return self.fault(request, answer) if self.puts - 1 == self.number else answer


def busy(*_: object) -> Answer:
    return s3_error(503, "SlowDown")


@pytest.mark.parametrize("number", range(4))  # three chunks and the manifest
@pytest.mark.parametrize("fault", [busy, cut_after(0)], ids=["refused", "cut"])
def test_a_store_that_fails_once_leaves_each_row_once_after_the_repeat(
    bucket: Any, proxy: Proxy, number: int, fault: Any
) -> None:
    behind = replace(bucket, url=proxy.url)
    proxy.always = FailingPuts(number, fault)
    if fault is busy:
        with pytest.raises(PublishError, match=r"s3://published/.* cannot be written: SlowDown"):
            publish(behind.publisher(), "r")
        assert len(bucket.manifests()) == (number == 3)  # the proxy passed it on before it refused
        proxy.always = lambda _, answer: answer
    publish(behind.publisher(max_attempts=2), "r")
    assert each_key_once(bucket)
    assert len(bucket.manifests()) == 1


def test_there_is_no_manifest_while_chunks_change(bucket: Any, proxy: Proxy) -> None:
    publish(bucket.publisher(), "r")
    proxy.always = FailingPuts(1, busy)
    with pytest.raises(PublishError):
        publish(replace(bucket, url=proxy.url).publisher(), "r", results(rate=1.0))
    assert not bucket.manifests()
    publish(bucket.publisher(), "r", results(rate=1.0))
    assert each_key_once(bucket)
    assert {row["rate_pct_per_year"] for row in bucket.rows()} == {1.0}


def test_no_such_bucket_is_told(bucket: Any) -> None:
    with pytest.raises(PublishError, match=r"s3://nowhere-at-all/.*NoSuchBucket.*check bucket and endpoint_url"):
        publish(bucket.publisher(bucket="nowhere-at-all"), "r")


@pytest.mark.parametrize(
    ("code", "advice"), [("SignatureDoesNotMatch", "check secret_access_key"), ("x", "run the same")]
)
def test_a_refusal_is_told_with_what_to_do(bucket: Any, proxy: Proxy, code: str, advice: str) -> None:
    proxy.always = lambda *_: s3_error(403, code)
    with pytest.raises(PublishError, match=rf"s3://published/.*manifest\.json cannot be read: {code}: .*; .*{advice}"):
        publish(replace(bucket, url=proxy.url).publisher(), "r")


def test_without_the_right_to_list_what_is_absent_looks_denied(bucket: Any, proxy: Proxy) -> None:
    def denied(request: Request, answer: Answer) -> Answer:
        return s3_error(403, "AccessDenied") if answer.status == 404 else answer

    proxy.always = denied
    assert publish(replace(bucket, url=proxy.url).publisher(), "r").n_written == 3


def test_a_store_that_does_not_answer_is_told(bucket: Any) -> None:
    with pytest.raises(PublishError, match=r"EndpointConnectionError: .*; check endpoint_url and the network"):
        publish(bucket.publisher(endpoint_url="http://127.0.0.1:9"), "r")


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"bucket": " "}, "the option 'bucket' is empty"),
        ({"bucket": "b", "max_attempts": 0}, "max_attempts cannot be 0"),
        ({"bucket": "b", "access_key_id": "a"}, "belong together"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], answer: str) -> None:
    with pytest.raises(OptionError, match=answer):
        S3Publisher(**options)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"profile": "nobody", "access_key_id": None, "secret_access_key": None}, "no profile 'nobody'"),
        ({"endpoint_url": "not an address"}, "check endpoint_url and region"),
    ],
)
def test_an_access_that_cannot_be_is_told(bucket: Any, options: dict[str, Any], answer: str) -> None:
    with pytest.raises(OptionError, match=answer):
        publish(bucket.publisher(**options), "r")
