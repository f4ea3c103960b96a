"""The web API of earlier years: read within its limits, and told to be retired when it is."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pvdaq_notes import notes_of

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError, OptionError, PlugError, SourceUnavailableError
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing.http_server import Answer, HttpServer, Request, serve_http

KEY = "a-key-of-the-web-api"
YEAR = "SiteId,Date-Time,ac_power,dc_power\n34,{0}-06-01 12:00:00,5000.0,5500.0\n34,{0}-06-01 12:15:00,-999,5500.0\n"


class Service:
    """The web API: a CSV of a year, after the answers that a test puts before."""

    def __init__(self) -> None:
        self.before: list[Answer] = []
        self.headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "900"}

    def __call__(self, request: Request) -> Answer:
        if self.before:
            return self.before.pop(0)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        return Answer(200, self.headers, YEAR.format(query["year"]).encode())


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[HttpServer]:
    with serve_http(service) as running:
        yield running


@pytest.fixture
def api(server: HttpServer, new_plug: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PvdaqPlug]:
    monkeypatch.setenv("PVDAQ_TEST_KEY", KEY)
    return lambda **more: new_plug(source="api", api_url=server.url, **{"api_key": "env:PVDAQ_TEST_KEY", **more})


def test_a_year_is_one_request(api: Any, server: HttpServer):
    frame = api().get_data((34, [2011, 2012]))
    assert frame.index.strftime("%Y-%m-%d %H:%M").tolist() == [
        "2011-06-01 12:00",
        "2011-06-01 12:15",
        "2012-06-01 12:00",
        "2012-06-01 12:15",
    ]
    assert frame["power"].dropna().tolist() == [5000.0, 5000.0]
    assert frame.attrs["units"] == "W"
    assert "'ac_power' of the web API" in notes_of(frame)["pvdaq_column"]
    assert [request.path for request in server.asked] == [
        f"/api/pvdaq/v3/data_file?system_id=34&year={year}" for year in (2011, 2012)
    ]


def test_the_key_travels_in_a_header(api: Any, server: HttpServer):
    api().get_data((34, 2011))
    assert server.asked[0].headers["x-api-key"] == KEY
    assert KEY not in server.asked[0].path


def test_without_a_key_it_is_the_demo_key(api: Any, server: HttpServer):
    api(api_key=None).get_data((34, 2011))
    assert server.asked[0].headers["x-api-key"] == "DEMO_KEY"


@pytest.mark.parametrize("status", [404, 410])
def test_a_retired_service_is_told_plainly(api: Any, service: Service, server: HttpServer, status: int):
    service.before = [Answer(status, {}, b"gone")]
    with pytest.raises(PlugError) as caught:
        api().get_data((34, 2011))
    assert str(caught.value) == (
        f"the web API at {server.url} is retired (HTTP {status}); leave out source=api: the plug then reads the public "
        "data lake, which needs no key"
    )
    assert len(server.asked) == 1


def test_a_host_that_is_gone_is_told_with_the_way_out(new_plug: Any):
    with pytest.raises(
        SourceUnavailableError, match=r"did not answer: .* was retired in 2026, and leave out source=api"
    ):
        new_plug(source="api", api_url="http://127.0.0.1:9").get_data((34, 2011))


def test_retry_after_is_waited_for(api: Any, service: Service, server: HttpServer):
    service.before = [Answer(429, {"Retry-After": "1"}, b"")]
    assert len(api().get_data((34, 2011))) == 2
    assert len(server.asked) == 2


def test_a_wait_that_is_too_long_is_an_error_at_once(api: Any, service: Service, server: HttpServer):
    service.before = [Answer(429, {"Retry-After": "3000"}, b"")]
    with pytest.raises(SourceUnavailableError) as caught:
        api().get_data((34, 2011))
    assert "allows the next request in 3000 s, and at most 120 s are waited for (api_longest_wait)" in str(caught.value)
    assert len(server.asked) == 1


def test_a_spent_limit_stops_the_next_request_before_it_is_made(api: Any, service: Service, server: HttpServer):
    service.headers = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0"}
    with pytest.raises(SourceUnavailableError, match="the DEMO_KEY allows 30 requests an hour and 50 a day"):
        api(api_key=None).get_data((34, [2011, 2012]))
    assert len(server.asked) == 1


def test_requests_are_spread_over_the_hour_when_few_are_left(api: Any, service: Service, server: HttpServer):
    service.headers = {"X-RateLimit-Limit": "36", "X-RateLimit-Remaining": "2"}
    with pytest.raises(
        SourceUnavailableError, match="allows the next request in 100 s, and at most 5 s are waited for"
    ):
        api(api_longest_wait=5).get_data((34, [2011, 2012]))


def test_a_refused_key_is_access_denied_and_does_not_show(api: Any, service: Service):
    service.before = [Answer(403, {}, b'{"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key"}}')]
    with pytest.raises(
        AccessDeniedError, match=r"refuses the API key .HTTP 403: An invalid api_key.; check api_key"
    ) as caught:
        api().get_data((34, 2011))
    assert KEY not in str(caught.value)


def test_an_unknown_system_is_not_found(api: Any, service: Service):
    service.before = [Answer(422, {}, b'{"errors": ["No data for system"]}')]
    with pytest.raises(KeyNotFoundError, match=r"gives no system 9 in 2011: .*No data for system"):
        api().get_data((9, 2011))


def test_a_failing_service_is_asked_three_times(api: Any, service: Service, server: HttpServer):
    service.before = [Answer(503, {}, b"down")] * 3
    with pytest.raises(SourceUnavailableError, match=r"failed \(HTTP 503: down\), 3 times"):
        api().get_data((34, 2011))
    assert len(server.asked) == 3


def test_it_lists_nothing_and_asks_nothing_beforehand(api: Any, server: HttpServer):
    plug = api()
    assert plug.list_keys() is None
    assert plug.fingerprint((34, 2011)) is None
    assert plug.system_metadata((34, 2011)) is None
    assert list(plug.check_access()) == []
    assert server.asked == []


def test_a_key_without_the_option_source_leaves_the_lake_as_it_is(url: str, new_plug: Any):
    """Earlier users give one out of habit; it need not even be set."""
    assert len(new_plug(endpoint_url=url, api_key="env:NOT_SET_ANYWHERE").get_data((1208, 2011))) == 384


def test_an_address_that_is_none_is_refused():
    with pytest.raises(OptionError, match="api_url='developer' is no address"):
        PvdaqPlug(source="api", api_url="developer")
