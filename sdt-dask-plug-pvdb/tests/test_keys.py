"""Keys of `PvdbPlug`: what they mean, what is listed, what a fingerprint follows, and that none is ever SQL."""

from __future__ import annotations

from typing import Any

import pytest
from pvdb_source import Source, a_day

from sdt_dask_core.errors import DataFormatError, KeyNotFoundError
from sdt_dask_plug_pvdb import PvdbPlug

HOSTILE = (
    "'; DROP TABLE measurements; --",
    "' OR '1'='1",
    "a' UNION SELECT now()::timestamp, 1 --",
    '"; DELETE FROM measurements; --',
    "\\'; DROP TABLE measurements; --",
    "%s %(site)s {site} %%",
    "$$; DROP TABLE measurements; $$",
    "a/*",
    "sité ☀ \n\t",
)


def test_an_index_counts_all_sensors_of_the_site_by_the_code_points_of_their_names(source: Source):
    names = ["b", "B", "a", "_", "é", "10", "9"]
    for number, name in enumerate(names):
        source.add(a_day([float(number)], sensor=name, meas="ac_power" if name != "B" else "ac_energy"))
    plug = source.plug()
    order = sorted(names)
    assert order == ["10", "9", "B", "_", "a", "b", "é"]
    read = [plug.get_data(("a", order.index(name))).iloc[0, 0] for name in order if name != "B"]
    assert read == [float(names.index(name)) for name in order if name != "B"]


def test_an_index_whose_sensor_measures_something_else(source: Source):
    source.add(a_day([1.0], sensor="s", meas="ac_energy") + a_day([1.0], sensor="t"))
    with pytest.raises(KeyNotFoundError) as caught:
        source.plug(start="2019-01-01").get_data(("a", 0))
    assert caught.value.message == (
        f"sensor 's' of site 'a' has no row with meas_name='ac_power' from 2019-01-01 00:00:00 in table 'measurements' "
        f"in database '{source.database}' at 127.0.0.1:{source.server.port}; its meas_names: ac_energy"
    )


def test_an_index_that_is_not_there_tells_those_that_are(source: Source):
    source.add(a_day([1.0], sensor="s") + a_day([1.0], sensor="t"))
    for index in (2, -1):
        with pytest.raises(KeyNotFoundError, match=f"site 'a' has no sensor {index} in .*; its sensors: 0 's', 1 't'"):
            source.plug().get_data(("a", index))


def test_a_sensor_that_is_not_there_tells_the_nearest(source: Source):
    source.add(a_day([1.0], sensor="inverter_1"))
    with pytest.raises(KeyNotFoundError, match=r"has no sensor 'invertor_1' in .*; did you mean 'inverter_1'"):
        source.plug().get_data(("a", "invertor_1"))


@pytest.mark.parametrize("sensor", [0, "s"])
def test_a_site_that_is_not_there(source: Source, sensor: Any):
    with pytest.raises(KeyNotFoundError, match="there is no site 'a' in table 'measurements' in database"):
        source.plug().get_data(("a", sensor))


@pytest.mark.parametrize(
    "key",
    [("a",), ("a", "s", "t"), ("a", None), ("a", True), (True, 0), ("a", 1.0), (["a"], 0), ("a", [0, 1]), ("", 0),
     ("a", ""), ("a\0", 0), ("a", "s\0"), ("\ud800", 0)],
)  # fmt: skip
def test_keys_of_another_shape_are_told_the_right_one(key: tuple[Any, ...]):
    plug = PvdbPlug("127.0.0.1", database="pv", tz="auto", port=1)  # nothing is asked
    with pytest.raises(KeyNotFoundError, match=r'names no series; it must be \("site_id", sensor\)'):
        plug.get_data(key)
    assert plug.fingerprint(key) is None


# Listing


def test_the_names_of_sensors_are_listed_in_order(source: Source):
    for site, sensor in (("b", "t"), ("a", "t"), ("B", "s"), ("a", "s")):
        source.add(a_day([1.0], site=site, sensor=sensor))
    source.add(a_day([1.0], site="a", sensor="r", meas="ac_energy"))
    assert list(source.plug().list_keys()) == [("B", "s"), ("a", "s"), ("a", "t"), ("b", "t")]


def test_rows_without_a_site_or_sensor_are_no_keys(source: Source):
    source.add([(None, "ac_power", "2020-01-01", "s", 1.0), ("a", "ac_power", "2020-01-01", None, 1.0)])
    assert list(source.plug().list_keys()) == []


def test_only_series_with_rows_between_the_bounds_are_listed(source: Source):
    source.add(a_day([1.0]))
    assert list(source.plug(end="2020-01-01").list_keys()) == []
    assert list(source.plug(start="2020-01-01").list_keys()) == [("a", "s")]


def test_listing_asks_nothing_before_the_first_key_is_wanted(source: Source):
    plug = source.plug()
    keys = plug.list_keys()
    assert not plug.source.is_open
    source.add(a_day([1.0]))
    assert next(iter(keys)) == ("a", "s")
    plug.close()


def test_what_is_listed_can_be_read_whatever_its_name(source: Source):
    for number, name in enumerate(HOSTILE):
        source.add(a_day([float(number)], site=name, sensor=name))
    plug = source.plug()
    assert sorted(plug.list_keys()) == sorted((name, name) for name in HOSTILE)
    assert [plug.get_data((name, name)).iloc[0, 0] for name in HOSTILE] == list(range(len(HOSTILE)))
    assert [plug.get_data((name, 0)).iloc[0, 0] for name in HOSTILE] == list(range(len(HOSTILE)))
    plug.close()


# Fingerprints


def test_the_fingerprint_is_number_last_timestamp_and_sensor(source: Source):
    source.add(a_day([1.0, 2.0]))
    plug = source.plug()
    assert plug.fingerprint(("a", "s")) == "2-2020-01-01 00:05:00-s"
    assert plug.fingerprint(("a", 0)) == plug.fingerprint(("a", "s"))
    plug.close()


def test_the_fingerprint_of_an_index_changes_when_it_means_another_sensor(source: Source):
    source.add(a_day([1.0], sensor="t"))
    before = source.plug()
    assert before.fingerprint(("a", 0)) == "1-2020-01-01 00:00:00-t"
    source.add(a_day([1.0], sensor="s"))
    after = source.plug()
    assert after.fingerprint(("a", 0)) == "1-2020-01-01 00:00:00-s"
    for plug in (before, after):
        plug.close()


def test_rows_beyond_the_bounds_do_not_count(source: Source):
    source.add(a_day([1.0, 2.0]))
    plug = source.plug(end="2020-01-01T00:05")
    assert plug.fingerprint(("a", "s")) == "1-2020-01-01 00:00:00-s"
    plug.close()


def test_listing_tells_all_fingerprints_with_one_query(source: Source):
    source.add([row for site in "abc" for row in a_day([1.0], site=site)])
    plug, since = source.plug(), len(source.server.log)
    assert None not in {plug.fingerprint(key) for key in plug.list_keys()}
    plug.close()
    assert len([text for text in source.server.statements(since) if text.startswith("SELECT")]) == 1


def test_the_fingerprints_of_a_site_take_one_query(source: Source):
    source.add([row for sensor in "stu" for row in a_day([1.0], sensor=sensor)])
    plug, since = source.plug(), len(source.server.log)
    assert None not in {plug.fingerprint(("a", sensor)) for sensor in "stu"}
    plug.close()
    assert len([text for text in source.server.statements(since) if text.startswith("SELECT")]) == 1


@pytest.mark.parametrize("key", [("b", "s"), ("a", "t"), ("b", 0), ("a", 1)])
def test_the_fingerprint_of_a_key_that_is_not_there_is_unknown(source: Source, key: tuple[Any, ...]):
    source.add(a_day([1.0]))
    plug = source.plug()
    assert plug.fingerprint(key) is None
    plug.close()


def test_a_database_that_does_not_answer_is_asked_for_one_fingerprint_only(
    source: Source, monkeypatch: pytest.MonkeyPatch
):
    plug = source.plug(port=1)
    assert plug.fingerprint(("a", "s")) is None
    monkeypatch.setattr(plug.source, "rows", lambda _: pytest.fail("it was asked again"))
    assert plug.fingerprint(("b", "s")) is None


# Injection


def test_what_looks_like_sql_in_a_key_is_a_name_that_is_not_there(source: Source):
    source.add(a_day([1.0]))
    plug = source.plug()
    for key in [key for text in HOSTILE for key in ((text, 0), (text, "s"), ("a", text), (text, text))]:
        with pytest.raises(KeyNotFoundError):
            plug.get_data(key)
        assert plug.fingerprint(key) is None
    plug.close()
    assert source.ask("SELECT COUNT(*) FROM measurements") == [(1,)]


@pytest.mark.parametrize(
    "option",
    ["schema", "table", "site_column", "meas_name_column", "timestamp_column", "sensor_column", "power_column"],
)
def test_what_looks_like_sql_in_a_name_is_a_table_or_column_that_is_not_there(source: Source, option: str):
    source.add(a_day([1.0]))
    for text in HOSTILE:
        with pytest.raises(DataFormatError, match="does not exist"):
            source.plug(**{option: text}).get_data(("a", "s"))
    assert source.ask("SELECT COUNT(*) FROM measurements") == [(1,)]


def test_what_looks_like_sql_in_meas_name_is_a_name_that_is_not_there(source: Source):
    source.add(a_day([1.0]))
    for text in HOSTILE:
        plug = source.plug(meas_name=text)
        assert list(plug.list_keys()) == []
        with pytest.raises(KeyNotFoundError, match="its meas_names: ac_power"):
            plug.get_data(("a", "s"))


def test_the_session_may_not_write(source: Source):
    source.ask(f"GRANT ALL ON measurements TO {source.user}")
    plug, since = source.plug(), len(source.server.log)
    list(plug.list_keys())
    with pytest.raises(Exception, match="read-only transaction"), plug.source._connection.cursor() as cursor:  # noqa: SLF001
        cursor.execute("DELETE FROM measurements")
    plug.close()
    assert "BEGIN READ ONLY" in source.server.statements(since)


def test_no_transaction_stays_open(source: Source):
    plug = source.plug()
    list(plug.list_keys())
    states = source.ask("SELECT state FROM pg_stat_activity WHERE application_name = 'sdt-dask'")
    plug.close()
    assert states == [("idle",)]
