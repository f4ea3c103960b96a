"""What `get_data` gives: every row once and in order, in the right time and unit, in chunks of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pvdb_source import Source, a_day

from sdt_dask_core.errors import DataFormatError, KeyNotFoundError
from sdt_dask_plug_pvdb import PvdbPlug

Read = Callable[..., pd.Series]


def test_a_series_comes_in_the_order_of_time(source: Source, read: Read):
    rows = a_day(range(288))
    source.add(reversed(rows))
    power = read(source.plug(), "a", "s")
    assert power.tolist() == list(range(288))
    assert power.index.tolist() == [row[2] for row in rows]
    assert (power.name, power.index.name, power.index.dtype) == ("ac_power", "timestamp", "datetime64[ns]")


@pytest.mark.parametrize("chunk_rows", [2, 3, 7, 287, 288, 289])
def test_chunks_of_any_size_give_every_row_once(source: Source, read: Read, chunk_rows: int):
    source.add(a_day(range(288)))
    assert read(source.plug(chunk_rows=chunk_rows), "a", "s").tolist() == list(range(288))


@pytest.mark.parametrize("chunk_rows", [2, 3, 4, 5, 6, 100])
def test_repeated_timestamps_are_kept_across_chunks(source: Source, read: Read, chunk_rows: int):
    days = ["2020-01-01", *["2020-01-02"] * 5, "2020-01-03", "2020-01-03"]
    source.add([("a", "ac_power", day, "s", number) for number, day in enumerate(days)])
    power = read(source.plug(chunk_rows=chunk_rows), "a", "s")
    assert power.tolist() == list(range(8))
    assert [str(stamp.date()) for stamp in power.index] == days


def test_a_chunk_starts_where_the_one_before_ended(source: Source, read: Read):
    source.add(a_day(range(5)))
    since = len(source.server.log)
    read(source.plug(chunk_rows=3), "a", "s")
    selects = [text for text in source.server.statements(since) if text.startswith("SELECT")]
    assert [text.partition(">= ")[2][:21] for text in selects] == [
        "",
        "'2020-01-01 00:10:00'",
        "'2020-01-01 00:20:00'",
    ]


def test_fractions_of_a_second_are_kept(source: Source, read: Read):
    stamps = ["2020-01-01 12:00:00", "2020-01-01 12:00:00.25", "2020-01-01 12:00:00.250001"]
    source.add([("a", "ac_power", stamp, "s", 1.0) for stamp in stamps])
    assert [str(stamp) for stamp in read(source.plug(chunk_rows=2), "a", "s").index] == [
        "2020-01-01 12:00:00",
        "2020-01-01 12:00:00.250000",
        "2020-01-01 12:00:00.250001",
    ]


def test_null_and_minus_999999_are_missing_and_nothing_near_it(source: Source):
    source.add(a_day([1.0, None, -999999, -999998.9, "NaN"]))
    frame = source.plug().get_data(("a", "s"))
    np.testing.assert_array_equal(frame["ac_power"], [1.0, np.nan, np.nan, -999998.9, np.nan])
    note = {"code": "sentinel_masked", "message": "1 values of -999999 were taken as missing"}
    assert frame.attrs["notes"][0] == note


def test_rows_without_a_timestamp_are_left_out(source: Source, read: Read):
    source.add([*a_day([1.0, 2.0]), ("a", "ac_power", None, "s", 3.0)])
    assert read(source.plug(), "a", "s").tolist() == [1.0, 2.0]


def test_other_sites_sensors_and_measurements_stay_out(source: Source, read: Read):
    source.add(a_day([1.0]))
    source.add(a_day([2.0], site="b") + a_day([3.0], sensor="t") + a_day([4.0], meas="ac_energy"))
    assert read(source.plug(), "a", "s").tolist() == [1.0]
    assert read(source.plug(meas_name="ac_energy"), "a", "s").tolist() == [4.0]


def test_the_unit_is_told(source: Source):
    source.add(a_day([1.0]))
    assert source.plug(units="MW").get_data(("a", "s")).attrs["units"] == "MW"
    assert source.plug(units="MW").units == "MW"


def test_each_call_gives_a_frame_of_its_own(source: Source):
    source.add(a_day([1.0, 2.0]))
    plug = source.plug()
    first = plug.get_data(("a", "s"))
    first["ac_power"] = 0.0
    assert plug.get_data(("a", "s"))["ac_power"].tolist() == [1.0, 2.0]


# Time


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"utc_offset": -8.0}, "2020-01-01 04:00"),
        ({"utc_offset": None, "tz": "America/New_York"}, "2020-01-01 07:00"),
        ({"utc_offset": None, "timestamps": "local"}, "2020-01-01 12:00"),
    ],
)
def test_timestamps_come_to_local_standard_time(source: Source, options: dict[str, Any], wanted: str):
    source.add([("a", "ac_power", "2020-01-01 12:00", "s", 1.0), ("a", "ac_power", "2020-07-01 12:00", "s", 1.0)])
    frame = source.plug(**options).get_data(("a", "s"))
    assert frame.index[0] == pd.Timestamp(wanted)
    assert frame.index[1] - frame.index[0] == pd.Timedelta(days=182)
    assert [note["code"] for note in frame.attrs["notes"]] == (
        [] if "timestamps" in options else ["utc_offset_applied"]
    )


def test_timestamps_with_time_zone_are_the_same_moments(source: Source, read: Read):
    source.make_table("zoned", stamp="timestamptz")
    source.add([("a", "ac_power", f"2020-07-01 {hour}:00+02", "s", hour) for hour in range(10, 15)], "zoned")
    power = read(source.plug(table="zoned", utc_offset=-8.0, chunk_rows=2), "a", "s")
    assert power.index[0] == pd.Timestamp("2020-07-01 00:00")
    assert power.tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert read(source.plug(table="zoned", start="2020-07-01T12:00"), "a", "s").tolist() == [14.0]


def test_bounds_are_half_open_and_in_the_time_of_the_table(source: Source, read: Read):
    source.add(a_day(range(288)))
    plug = source.plug(start="2020-01-01T01:00", end="2020-01-01T01:15", utc_offset=-8.0, chunk_rows=2)
    assert read(plug, "a", "s").tolist() == [12.0, 13.0, 14.0]


# Other tables


@pytest.mark.parametrize("number", ["numeric", "real", "integer", "bigint", "smallint"])
def test_power_of_any_number_type_becomes_floats(source: Source, read: Read, number: str):
    source.make_table("other", number=number)
    source.add(a_day([1, None, 3]), "other")
    power = read(source.plug(table="other"), "a", "s")
    assert power.dtype == "float64"
    np.testing.assert_array_equal(power, [1.0, np.nan, 3.0])


def test_names_of_schema_table_and_columns_are_options(source: Source, read: Read):
    source.ask('CREATE SCHEMA "Solar Data"')
    source.ask(
        'CREATE VIEW "Solar Data"."5 min" AS SELECT site AS "Site", meas_name AS "What", ts AS "When", '
        'sensor AS "Which", meas_val_f / 1000 AS "Power % [MW]" FROM measurements'
    )
    source.ask(f'GRANT USAGE ON SCHEMA "Solar Data" TO {source.user}')
    source.ask(f'GRANT SELECT ON "Solar Data"."5 min" TO {source.user}')
    source.add(a_day([1000.0, 2000.0]))
    plug = source.plug(
        schema="Solar Data",
        table="5 min",
        site_column="Site",
        meas_name_column="What",
        timestamp_column="When",
        sensor_column="Which",
        power_column="Power % [MW]",
    )
    assert list(plug.check_access()) == []
    assert list(plug.list_keys()) == [("a", "s")]
    assert read(plug, "a", 0).tolist() == [1.0, 2.0]


def test_sites_and_sensors_may_be_numbers(source: Source, read: Read):
    source.ask("CREATE TABLE numbers (site integer, meas_name text, ts timestamp, sensor bigint, meas_val_f real)")
    source.ask(f"GRANT SELECT ON numbers TO {source.user}")
    source.add(a_day([1.0], site="17", sensor="5") + a_day([2.0], site="17", sensor="40"), "numbers")
    plug = source.plug(table="numbers")
    assert list(plug.list_keys()) == [("17", "40"), ("17", "5")]
    assert read(plug, 17, "5").tolist() == [1.0]
    assert read(plug, "17", 0).tolist() == [2.0]
    for key in (("abc", 0), ("17", "abc")):
        with pytest.raises(KeyNotFoundError, match='"abc"; the columns of site and sensor hold no such values'):
            plug.get_data(key)
        assert plug.fingerprint(key) is None
    assert plug.fingerprint((17, "5")) == "1-2020-01-01 00:00:00-5"
    plug.close()


@pytest.mark.parametrize(
    ("stamp", "number", "message"),
    [
        ("text", "real", "the column 'ts' holds text, not timestamps; choose another timestamp_column"),
        ("date", "real", "the column 'ts' holds date, not timestamps"),
        ("timestamp", "boolean", "the column 'meas_val_f' holds boolean, not numbers; choose another power_column"),
        ("timestamp", "varchar", "the column 'meas_val_f' holds varchar, not numbers"),
    ],
)
def test_columns_of_other_types_are_refused(source: Source, stamp: str, number: str, message: str):
    source.make_table("wrong", stamp=stamp, number=number)
    plug = source.plug(table="wrong")
    with pytest.raises(DataFormatError, match=message):
        plug.get_data(("a", "s"))
    assert message in next(iter(plug.check_access()))


@pytest.mark.parametrize("stamp", ["infinity", "-infinity", "0044-03-15 BC", "3000-01-01"])
def test_timestamps_that_no_data_can_have_are_refused(source: Source, stamp: str):
    source.add([*a_day([1.0]), ("a", "ac_power", stamp, "s", 2.0)])
    with pytest.raises(DataFormatError, match="holds a timestamp that no data can have"):
        source.plug().get_data(("a", "s"))


def test_the_connection_is_open_only_while_it_reads(source: Source):
    source.add(a_day([1.0]))
    plug = source.plug()
    plug.get_data(("a", "s"))
    assert not plug.source.is_open


def test_a_plug_that_has_read_still_becomes_class_and_options(source: Source):
    from sdt_dask_core.reference import refer_to

    source.add(a_day([1.0]))
    plug = source.plug()
    plug.get_data(("a", 0))
    list(plug.list_keys())
    assert refer_to("plug", plug).options == refer_to("plug", PvdbPlug, source.options).options
