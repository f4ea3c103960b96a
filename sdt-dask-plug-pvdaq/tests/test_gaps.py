"""A day without a file is a gap; a request that failed is an error; never one for the other."""

from __future__ import annotations

from typing import Any

import pytest
from pvdaq_notes import notes_of

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError, SourceUnavailableError
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing.http_server import Answer, Fault, Request, cut_after, unchanged
from sdt_dask_testing.s3_server import refusing

VICTIM = "system_1208__date_2011_05_02.csv"
LARGE = "10500_ac_20160101_20160630_corrected.csv"


class Once:
    """Spoil the answers for one file, the first time or always."""

    def __init__(self, fault: Fault, *, always: bool = False) -> None:
        self.fault, self.always, self.count = fault, always, 0

    def __call__(self, request: Request, answer: Answer) -> Answer:
        if VICTIM not in request.path:
            return answer
        self.count += 1
        return self.fault(request, answer) if self.always or self.count == 1 else answer


busy, gone = refusing(503, "SlowDown"), refusing(404, "NoSuchKey")


def cut(request: Request, answer: Answer) -> Answer:
    return cut_after(len(answer.body) // 2)(request, answer)


def is_large(request: Request, answer: Answer) -> bool:
    return LARGE in request.path and len(answer.body) > 500_000


def test_missing_days_are_gaps_noted_and_counted(plug: PvdaqPlug):
    frame = plug.get_data((34, 2011))
    assert "2011-03-04" not in frame.index.strftime("%Y-%m-%d")
    assert notes_of(frame)["pvdaq_missing_days"] == (
        "215 of 365 days have no file and are gaps: 2011-01-01 to 2011-01-31, 2011-03-04, 2011-06-01 to 2011-06-30, "
        "2011-08-01 to 2011-12-31"
    )


def test_a_missing_year_among_several_is_a_gap(plug: PvdaqPlug):
    frame = plug.get_data((34, [2012, 2013, 2014]))
    assert notes_of(frame)["pvdaq_missing_years"] == "there is nothing of 2013; a gap"
    assert set(frame.index.year) == {2012, 2014}


def test_a_missing_year_alone_is_an_error_that_names_those_there_are(plug: PvdaqPlug):
    with pytest.raises(KeyNotFoundError) as caught:
        plug.get_data((34, 2013))
    assert str(caught.value) == "s3://oedi-data-lake/ has nothing of system 34 in 2013; it has 2011, 2012, 2014"
    assert caught.value.key == (34, 2013)


def test_a_year_that_prize_files_do_not_reach_is_an_error(plug: PvdaqPlug):
    with pytest.raises(KeyNotFoundError, match="system 9068 in 2020 has no rows: its files are of other years"):
        plug.get_data((9068, 2020))


def test_a_busy_store_is_asked_again(proxy: Any, new_plug: Any):
    spoil = Once(busy)
    frame = new_plug(endpoint_url=proxy(spoil).url, max_attempts=3).get_data((1208, 2011))
    assert len(frame) == 4 * 96
    assert spoil.count == 2


def test_a_store_that_stays_busy_is_an_error_and_no_gap(proxy: Any, new_plug: Any):
    server = proxy(Once(busy, always=True))
    with pytest.raises(SourceUnavailableError) as caught:
        new_plug(endpoint_url=server.url).get_data((1208, 2011))
    assert str(caught.value).endswith(
        f"{VICTIM} cannot be read: the store at {server.url} is too busy or failed, 2 times in a row (SlowDown: no); "
        "try again later, with a lower concurrency"
    )


def test_a_listed_file_that_is_not_there_is_an_error_and_no_gap(proxy: Any, new_plug: Any):
    server = proxy(Once(gone, always=True))
    with pytest.raises(SourceUnavailableError, match="cannot be read: it was listed, and now it is not there"):
        new_plug(endpoint_url=server.url).get_data((1208, 2011))


def test_a_body_that_breaks_off_is_read_again(proxy: Any, new_plug: Any, plug: PvdaqPlug):
    spoil = Once(cut)
    frame = new_plug(endpoint_url=proxy(spoil).url).get_data((1208, 2011))
    assert frame.equals(plug.get_data((1208, 2011)))
    assert spoil.count == 2


def test_a_large_body_that_breaks_off_is_read_on_from_there(proxy: Any, new_plug: Any, plug: PvdaqPlug):
    server = proxy(lambda *given: (cut if is_large(*given) and len(given[1].body) > 1_500_000 else unchanged)(*given))
    frame = new_plug(endpoint_url=server.url).get_data((10500, 2016))
    assert frame.equals(plug.get_data((10500, 2016)))
    ranges = [request.headers.get("range", "") for request in server.asked if LARGE in request.path]
    starts = [int(text.removeprefix("bytes=").split("-")[0]) for text in ranges[2:]]  # after the header, and all of it
    assert ranges[1] == ""
    assert starts[0] > 500_000


def test_a_body_that_always_breaks_off_is_an_error_and_no_short_day(proxy: Any, new_plug: Any):
    server = proxy(Once(cut_after(0), always=True))
    reason = rf"{VICTIM} cannot be read: the answer broke off at byte 0 of \d+, 2 times in a row"
    with pytest.raises(SourceUnavailableError, match=reason):
        new_plug(endpoint_url=server.url).get_data((1208, 2011))


def test_a_file_replaced_while_it_is_read_is_not_mixed(proxy: Any, new_plug: Any):
    def spoil(request: Request, answer: Answer) -> Answer:
        if not is_large(request, answer):
            return answer
        if "Content-Range" in answer.headers:
            headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
            return Answer(answer.status, {**headers, "ETag": '"another"'}, answer.body)
        return cut(request, answer)

    with pytest.raises(SourceUnavailableError, match=f"{LARGE} cannot be read: it was replaced while it was being"):
        new_plug(endpoint_url=proxy(spoil).url).get_data((10500, 2016))


def test_a_store_that_begins_anew_is_not_mixed(proxy: Any, new_plug: Any):
    whole: list[bytes] = []

    def spoil(request: Request, answer: Answer) -> Answer:
        if not is_large(request, answer):
            return answer
        whole.append(answer.body)
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Range"}
        return cut(request, answer) if len(whole) == 1 else Answer(200, headers, whole[0])

    with pytest.raises(
        SourceUnavailableError, match=r"asked for the bytes from \d+ on, the source sent those from 0 on"
    ):
        new_plug(endpoint_url=proxy(spoil).url).get_data((10500, 2016))


def test_a_closed_bucket_is_access_denied(proxy: Any, new_plug: Any):
    server = proxy(refusing(403, "AccessDenied"))
    with pytest.raises(AccessDeniedError, match="the plug sends no credentials, and a mirror must be open"):
        new_plug(endpoint_url=server.url).get_data((1208, 2011))


def test_an_unreachable_store_is_told_by_check_access(new_plug: Any):
    (sentence,) = new_plug(endpoint_url="http://127.0.0.1:9", max_attempts=1).check_access()
    assert "the store at http://127.0.0.1:9 did not answer" in sentence


def test_a_bucket_that_is_not_pvdaq_is_told_by_check_access(url: str, new_plug: Any):
    (sentence,) = new_plug(endpoint_url=url, bucket="other").check_access()
    assert "the store at" in sentence
    assert "has no bucket 'other'; check bucket and endpoint_url" in sentence


def test_requests_carry_no_credentials(proxy: Any, new_plug: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-used")
    server = proxy()
    new_plug(endpoint_url=server.url).get_data((1208, 2011))
    assert not [request for request in server.asked if "authorization" in request.headers]
