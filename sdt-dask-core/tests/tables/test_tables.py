"""Tables of PV power: what each is read as, and what is said of those that cannot be read."""

from __future__ import annotations

import gzip
import importlib.util
import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core import oversize
from sdt_dask_core.errors import (
    AccessDeniedError,
    AmbiguousColumnError,
    DataFormatError,
    KeyNotFoundError,
    OptionError,
)
from sdt_dask_core.tables import TableFormat, read_power

ISO = "timestamp,power\n2020-01-01 11:00,1.5\n2020-01-01 12:00,2.5\n"
LONG = """site,meas_name,ts,sensor,meas_val_f
s1,ac_power,2020-01-01 11:00:00,inv_1,1.0
s1,ac_power,2020-01-01 11:00:00,inv_2,2.0
s1,ac_power,2020-01-01 12:00:00,inv_1,1.5
s1,dc_power,2020-01-01 12:00:00,inv_3,9.0
"""


def read(content: str | bytes, *, name: str = "site.csv", sensor: str | None = None, **options: object) -> pd.DataFrame:
    data = content.encode() if isinstance(content, str) else content
    return read_power(io.BytesIO(data), name=name, table_format=TableFormat(**options), sensor=sensor)


def message_of(error: type[Exception], content: str | bytes, **options: object) -> str:
    with pytest.raises(error) as caught:
        read(content, **options)
    return str(caught.value)


def codes(frame: pd.DataFrame) -> list[str]:
    return [note["code"] for note in frame.attrs["notes"]]


def stamps(frame: pd.DataFrame) -> list[str]:
    return [f"{stamp:%Y-%m-%d %H:%M}" for stamp in frame.index]


def as_parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def times(*texts: str) -> str:
    return "timestamp,power\n" + "".join(f"{text},{i}\n" for i, text in enumerate(texts))


# The frame


def test_a_wide_table_is_a_frame_of_one_named_column():
    frame = read(ISO)
    assert frame.columns.tolist() == ["power"]
    assert frame.index.name == "timestamp"
    assert frame.index.dtype == "datetime64[ns]"
    assert frame["power"].tolist() == [1.5, 2.5]


def test_units_and_notes_are_attributes():
    assert read(ISO, units="MW").attrs == {"units": "MW", "notes": []}


def test_order_and_duplicates_are_left_to_the_checks_of_frames():
    frame = read(times("2020-01-02 11:00", "2020-01-01 11:00", "2020-01-01 11:00"))
    assert stamps(frame) == ["2020-01-02 11:00", "2020-01-01 11:00", "2020-01-01 11:00"]


def test_a_path_is_read(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(ISO)
    assert len(read_power(path, name="a.csv", table_format=TableFormat())) == 2


@pytest.mark.parametrize("content", [ISO.encode(), as_parquet(pd.DataFrame({"t": pd.to_datetime(["2020"]), "p": [1]}))])
def test_a_stream_stays_open(content: bytes):
    stream = io.BytesIO(content)
    read_power(stream, name="x", table_format=TableFormat())
    assert not stream.closed


def test_a_stream_needs_read_only():
    class Body:
        read = io.BytesIO(gzip.compress(ISO.encode())).read

    assert len(read_power(Body(), name="a.csv.gz", table_format=TableFormat())) == 2  # type: ignore[arg-type]


def test_gzip_is_told_by_its_content():
    assert read(gzip.compress(ISO.encode()), name="no_extension").equals(read(ISO))


# CSV


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str):
    assert read(ISO.replace(",", separator)).equals(read(ISO))


def test_decimal_commas_beside_semicolons():
    frame = read("time;power\n2020-01-01 11:00;1,5\n2020-01-01 12:00;--\n", decimal=",")
    assert frame["power"].iloc[0] == 1.5


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert len(read(b"\xef\xbb\xbf" + ISO.encode(), timestamp_column="timestamp")) == 2


def test_another_encoding():
    text = "timestamp,Leistung für Süd\n2020-01-01 11:00,1\n"
    assert read(text.encode("cp1252"), encoding="cp1252").columns.tolist() == ["Leistung für Süd"]


def test_utf_16():
    assert read(ISO.encode("utf-16"), encoding="utf-16").equals(read(ISO))


def test_trailing_separators_are_no_column():
    assert read("timestamp,power\n2020-01-01 11:00,1.5,\n2020-01-01 12:00,2.5,\n").equals(read(ISO))


def test_rows_may_be_shorter_than_the_header():
    assert read(ISO.replace("power", "power,")).equals(read(ISO))


def test_blank_lines_are_left_out_without_a_note():
    frame = read("\n" + ISO.replace("1.5\n", "1.5\n\n") + "\n\n")
    assert (len(frame), codes(frame)) == (2, [])


def test_a_row_without_a_timestamp_is_left_out_with_a_note():
    frame = read(ISO + ",7.5\n")
    assert frame.attrs["notes"] == [
        {"code": "missing_timestamps", "message": "1 rows with power but without a timestamp were left out"}
    ]


# Which columns


def test_an_unnamed_row_number_is_no_power():
    assert read(",timestamp,power\n0,2020-01-01 11:00,1\n1,2020-01-01 12:00,2\n").columns.tolist() == ["power"]


def test_texts_truth_values_and_empty_columns_are_no_power():
    frame = read("timestamp,name,power,ok,note\n2020-01-01 11:00,x,1,True,\n2020-01-01 12:00,y,2,False,\n")
    assert frame.columns.tolist() == ["power"]


def test_a_power_column_that_starts_late_is_still_the_other_choice():
    rows = [f"2020-01-01 {i // 60:02d}:{i % 60:02d},1,{'' if i < 900 else 2}" for i in range(1000)]
    text = message_of(AmbiguousColumnError, "timestamp,a,b\n" + "\n".join(rows))
    assert "it has 'a', 'b'" in text


def test_the_only_column_may_be_all_missing():
    assert read("timestamp,power\n2020-01-01 11:00,\n2020-01-01 12:00,\n")["power"].isna().all()


def test_several_power_columns_are_listed_never_guessed():
    assert message_of(AmbiguousColumnError, "timestamp,a,b\n2020-01-01 11:00,1,2\n") == (
        "site.csv could mean several power columns: it has 'a', 'b'; choose one with the key ('name', 'a') "
        "or with power_columns='a'"
    )


def test_the_sensor_of_a_key_is_a_column_of_a_wide_table():
    frame = read("timestamp,a,b\n2020-01-01 11:00,1,2\n", sensor="b", power_columns=("a",))
    assert frame["b"].tolist() == [2.0]


def test_power_columns_chooses():
    assert read("timestamp,a,b\n2020-01-01 11:00,1,2\n", power_columns=("b",)).columns.tolist() == ["b"]


def test_several_chosen_columns_need_a_sensor():
    text = message_of(AmbiguousColumnError, "timestamp,a,b\n2020-01-01 11:00,1,2\n", power_columns=("a", "b"))
    assert "power_columns names 'a', 'b'" in text


def test_a_sensor_that_is_not_there_names_the_nearest():
    assert message_of(KeyNotFoundError, ISO, sensor="powr") == (
        "site.csv has no sensor 'powr'; did you mean 'power'?; its columns: 'power'"
    )


@pytest.mark.parametrize("option", ["power_columns", "timestamp_column"])
def test_a_chosen_column_that_is_not_there_names_the_option_and_the_nearest(option: str):
    value = ("powr",) if option == "power_columns" else "powr"
    assert message_of(DataFormatError, ISO, **{option: value}) == (
        f"site.csv has no column 'powr' (option {option}); did you mean 'power'?; its columns: 'timestamp', 'power'"
    )


def test_two_columns_of_timestamps_are_listed():
    text = message_of(DataFormatError, "utc,local,power\n2020-01-01 20:00,2020-01-01 12:00,1\n")
    assert "several columns that may be the timestamps: 'utc', 'local'; choose one with timestamp_column" in text


def test_a_long_table_is_told_by_its_columns_in_any_order():
    text = "meas_val_f,sensor,ts\n1.5,inv_1,2020-01-01 11:00\n"
    assert read(text)["inv_1"].tolist() == [1.5]


def test_a_long_table_may_be_read_as_a_wide_one():
    assert read("meas_val_f,sensor,ts\n1.5,i,2020-01-01 11:00\n", layout="wide").columns.tolist() == ["meas_val_f"]


def test_several_sensors_of_a_long_table_are_listed():
    assert message_of(AmbiguousColumnError, LONG, power_columns=("ac_power",)) == (
        "site.csv holds 2 sensors: 'inv_1', 'inv_2'; choose one with the key ('name', 'inv_1')"
    )


def test_the_sensor_of_a_key_is_a_sensor_of_a_long_table():
    assert read(LONG, sensor="inv_1")["inv_1"].tolist() == [1.0, 1.5]


def test_a_chosen_meas_name_may_stand_in_a_key():
    frame = read(LONG, power_columns=("ac_power", "dc_power"), sensor="dc_power")
    assert frame["inv_3"].tolist() == [9.0]


def test_several_meas_names_of_one_sensor_are_listed():
    text = message_of(AmbiguousColumnError, LONG.replace("inv_3", "inv_1"), sensor="inv_1")
    assert text.endswith("2 meas_names: 'ac_power', 'dc_power'; choose one with power_columns='ac_power'")


def test_several_sites_of_one_sensor_are_listed():
    text = message_of(
        AmbiguousColumnError, LONG.replace("s1,ac_power,2020-01-01 12", "s2,ac_power,2020-01-01 12"), sensor="inv_1"
    )
    assert "holds 2 sites: 's1', 's2'; write one file for each site" in text


def test_a_sensor_that_a_long_table_lacks():
    assert "did you mean 'inv_" in message_of(KeyNotFoundError, LONG, sensor="inv_9")


def test_a_meas_name_that_a_long_table_lacks():
    text = message_of(DataFormatError, LONG, power_columns=("ac_powr",))
    assert "no meas_name 'ac_powr' (option power_columns); did you mean 'ac_power'?" in text


def test_layout_long_needs_its_columns():
    assert "it has no column 'ts' among 'timestamp', 'power'" in message_of(DataFormatError, ISO, layout="long")


def test_a_sensor_named_na_is_a_sensor():
    assert read(LONG.replace("inv_3", "NA"), sensor="NA")["NA"].tolist() == [9.0]


def test_a_sensor_named_by_a_number_is_a_sensor():
    frame = read(LONG.replace("inv_1", "01").replace("ac_power,2020-01-01 12", '"ac_power",2020-01-01 12'), sensor="01")
    assert frame["01"].tolist() == [1.0, 1.5]


# Numbers


def test_stray_texts_are_missing_with_a_note():
    frame = read(
        times(*[f"2020-01-01 {h:02d}:00" for h in range(8)]).replace(",2\n", ",Bad\n").replace(",3\n", ",--\n")
    )
    assert frame["power"].isna().sum() == 2
    assert frame.attrs["notes"] == [
        {
            "code": "non_numeric_missing",
            "message": "2 values of 'power' are no numbers ('Bad', '--') and were taken as missing",
        }
    ]


@pytest.mark.parametrize("marker", ["", "NaN", "null", "NA"])
def test_usual_marks_of_missing_values_need_no_note(marker: str):
    frame = read(ISO + f"2020-01-01 13:00,{marker}\n")
    assert (frame["power"].isna().sum(), codes(frame)) == (1, [])


def test_a_column_of_texts_is_no_power():
    text = message_of(DataFormatError, ISO.replace("1.5", "Bad").replace("2.5", "off"), sensor="power")
    assert "the column 'power' is not numbers: 2 of 2 values are texts such as 'Bad', 'off'" in text


def test_decimal_commas_are_hinted_at():
    text = message_of(DataFormatError, "t;p\n2020-01-01 11:00;1,5\n2020-01-01 12:00;2,5\n")
    assert "set decimal=',' for numbers like 1,5" in text


def test_no_numbers_at_all():
    text = message_of(DataFormatError, "timestamp,state\n2020-01-01 11:00,on\n")
    assert "no column of numbers besides the timestamps 'timestamp'" in text


# Reading timestamps


@pytest.mark.parametrize(
    "text",
    ["2020-01-31T12:00", "2020/01/31 12:00", "2020-1-31 12:00:00", "31/01/2020 12:00", "01/31/2020 12:00",
     "31.01.2020 12:00:00", "1/31/2020 12:00 PM", "31-Jan-2020 12:00", "20200131T1200"],
)  # fmt: skip
def test_common_formats(text: str):
    assert stamps(read(times(text))) == ["2020-01-31 12:00"]


def test_open_order_of_day_and_month_asks_for_date_format():
    assert message_of(DataFormatError, times("01/02/2020 11:00", "02/02/2020 11:00")) == (
        "site.csv: the order of day and month is open in timestamps such as '01/02/2020 11:00'; "
        "set date_format, such as '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"
    )


def test_years_of_two_digits_ask_for_date_format():
    assert "order of day and month is open" in message_of(DataFormatError, times("20/01/02 11:00"))


def test_date_format_decides():
    frame = read(times("01/02/2020 11:00"), date_format="%d/%m/%Y %H:%M")
    assert stamps(frame) == ["2020-02-01 11:00"]


def test_days_past_twelve_in_both_places_are_refused():
    text = message_of(DataFormatError, times("13/01/2020 11:00", "14/01/2020 11:00", "01/13/2020 11:00"))
    assert "'01/13/2020 11:00' in line 4" in text


def test_a_bad_timestamp_is_named_with_its_line():
    text = message_of(DataFormatError, "\n" + times("2020-01-01 11:00", "2020-01-01 12:00", "Total"))
    assert "site.csv: 'Total' in line 5 of the column 'timestamp' cannot be read as ISO 8601" in text


def test_a_timestamp_that_date_format_does_not_read():
    text = message_of(DataFormatError, ISO, date_format="%d/%m/%Y")
    assert (
        "'2020-01-01 11:00' in line 2 of the column 'timestamp' cannot be read as date_format='%d/%m/%Y' asks" in text
    )


def test_days_without_time_are_refused():
    text = message_of(DataFormatError, "date,time,power\n" + "2020-01-31,00:15,1\n" * 4)
    assert "the column 'date' holds days without a time of the day" in text


@pytest.mark.parametrize("text", ["1020-01-31 12:00", "31/01/1020 12:00"])
def test_years_that_no_data_can_have(text: str):
    assert "1020" in message_of(DataFormatError, times(text, ""))


@pytest.mark.parametrize("factor", [1, 1000])
def test_epochs_are_utc_seconds_or_milliseconds(factor: int):
    frame = read(times(*(str(1577880000 * factor) for _ in "a")))
    assert (stamps(frame), codes(frame)) == (["2020-01-01 12:00"], ["utc_offset_applied"])


def test_numbers_that_are_no_epochs():
    text = message_of(DataFormatError, times("20200131", "20200201"))
    assert "holds numbers such as 20200131 that are no timestamps" in text


def test_numbers_are_no_timestamps_unless_named_so():
    assert "no column of timestamps among 'n', 'power'" in message_of(DataFormatError, "n,power\n1577880000,2\n")


# Site time


def test_local_timestamps_are_taken_as_they_are():
    assert stamps(read(ISO)) == ["2020-01-01 11:00", "2020-01-01 12:00"]


def test_utc_with_an_offset():
    frame = read(ISO, timestamps="utc", utc_offset=-8)
    assert stamps(frame) == ["2020-01-01 03:00", "2020-01-01 04:00"]
    assert frame.attrs["notes"][0]["message"] == "the timestamps were brought to -8 h from UTC (utc_offset=-8)"


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("America/Los_Angeles", 4), ("Europe/Dublin", 12), ("Australia/Sydney", 22), ("Asia/Kolkata", 17)],
)
def test_utc_in_a_zone_becomes_standard_time_in_summer_too(zone: str, hour: int):
    frame = read(times("2020-07-01 12:00", "2020-01-01 12:00"), timestamps="utc", tz=zone)
    assert frame.index.hour.tolist() == [hour, hour]


def test_wall_clock_loses_its_summer_time():
    frame = read(times("2020-01-01 12:00", "2020-07-01 12:00"), tz="America/Los_Angeles")
    assert stamps(frame) == ["2020-01-01 12:00", "2020-07-01 11:00"]


def test_the_repeated_hour_is_told_by_its_order():
    frame = read(times("2020-11-01 01:00", "2020-11-01 01:30", "2020-11-01 01:00", "2020-11-01 01:30"), tz="US/Pacific")
    assert stamps(frame) == [f"2020-11-01 {time}" for time in ("00:00", "00:30", "01:00", "01:30")]


def test_repeated_hours_that_cannot_be_told_are_left_out_and_counted():
    frame = read(times("2020-11-01 00:30", "2020-11-01 01:00", "2020-11-01 01:30"), tz="US/Pacific")
    assert stamps(frame) == ["2020-10-31 23:30"]
    assert "2 rows in the hour that the change to winter time repeats" in frame.attrs["notes"][0]["message"]


def test_hours_that_a_zone_skips_are_left_out_and_counted():
    frame = read(times("2020-03-08 01:30", "2020-03-08 02:30"), tz="US/Pacific")
    assert (len(frame), codes(frame)) == (1, ["dst_nonexistent", "utc_offset_applied"])


def test_an_own_offset_is_the_sites():
    assert stamps(read(times("2020-01-01T12:00:00-08:00"))) == ["2020-01-01 12:00"]


def test_two_own_offsets_are_standard_and_summer_time():
    frame = read(times("2020-01-01T12:00:00-08:00", "2020-07-01T12:00:00-07:00"))
    assert stamps(frame) == ["2020-01-01 12:00", "2020-07-01 11:00"]


def test_more_own_offsets_ask_for_tz():
    text = message_of(DataFormatError, times("2020-01-01T12:00-08:00", "2020-01-01T12:00+01:00"))
    assert "several offsets from UTC (-8 h, +1 h); say with tz where the site is" in text


def test_own_offsets_on_some_timestamps_only():
    text = message_of(DataFormatError, times("2020-01-01T12:00Z", "2020-01-01T12:00"))
    assert "'2020-01-01T12:00' in line 3 has none" in text


@pytest.mark.parametrize("text", ["2020-01-01T12:00:00Z", "2020-01-01 12:00:00 UTC", "2020-01-01 12:00:00+00"])
def test_own_utc_without_a_site_stays_utc_and_says_so(text: str):
    frame = read(times(text))
    assert stamps(frame) == ["2020-01-01 12:00"]
    assert "neither tz nor utc_offset says where the site is" in frame.attrs["notes"][0]["message"]


@pytest.mark.parametrize("site", [{"tz": "America/Los_Angeles"}, {"timestamps": "utc", "utc_offset": -8}])
def test_own_offsets_are_converted_to_the_site(site: dict[str, object]):
    assert stamps(read(times("2020-07-01T12:00:00+00:00"), **site)) == ["2020-07-01 04:00"]


def test_own_offsets_by_date_format():
    frame = read(times("01/02/2020 12:00 -0800"), date_format="%d/%m/%Y %H:%M %z")
    assert stamps(frame) == ["2020-02-01 12:00"]


@pytest.mark.parametrize("timestamps", ["local", "utc"])
def test_tz_auto_puts_midday_at_noon_and_says_so(timestamps: str):
    index = pd.date_range("2020-01-01", periods=240, freq="h")
    power = np.maximum(0, np.cos((index.hour - 20) / 12 * np.pi))
    content = pd.DataFrame({"timestamp": index, "power": power}).to_csv(index=False)
    frame = read(content, tz="auto", timestamps=timestamps)
    assert frame.index[0] == pd.Timestamp("2019-12-31 16:00")
    assert frame.attrs["notes"] == [
        {
            "code": "utc_offset_found",
            "message": "tz=auto: midday was near 20:00, so the timestamps were shifted by -8 h",
        }
    ]


def test_tz_auto_without_a_midday_says_so():
    assert codes(read(ISO, tz="auto")) == ["utc_offset_unknown"]


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"timestamps": "utc"},
            "timestamps=utc needs tz (IANA zone of the site), utc_offset (hours, such as -8) or tz=auto",
        ),
        ({"timestamps": "utc", "tz": "auto", "utc_offset": -8}, "tz='auto' and utc_offset=-8 say the same thing twice"),
        ({"utc_offset": -8}, "utc_offset=-8 needs timestamps=utc"),
        ({"timestamps": "utc", "utc_offset": -480}, "utc_offset=-480 is not between -14 and 14"),
        ({"tz": "America/LosAngeles"}, "is no IANA time zone; did you mean 'America/Los_Angeles'?"),
        ({"tz": "../../etc/passwd"}, "is no IANA time zone"),
        ({"units": "kWh"}, "units='kWh' is not one of 'W', 'kW', 'MW'"),
        ({"layout": "tall"}, "layout='tall' is not one of"),
        ({"separator": "ab"}, "separator='ab' is no separator"),
        ({"separator": ",", "decimal": ","}, "separator and decimal are both ','"),
        ({"encoding": "utf8000"}, "encoding='utf8000' is no text encoding"),
        ({"date_format": "dd/mm/yyyy"}, "date_format='dd/mm/yyyy' is no date format"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], message: str):
    with pytest.raises(OptionError) as caught:
        TableFormat(**options)
    assert message in str(caught.value)


def test_a_tab_may_be_named():
    assert read(ISO.replace(",", "\t"), separator="tab").equals(read(ISO))


# Parquet


def test_parquet_is_told_by_its_content():
    content = as_parquet(pd.DataFrame({"t": pd.to_datetime(["2020-01-01 12:00"]), "p": [2]}))
    assert read(content, name="no_extension")["p"].tolist() == [2.0]


def test_parquet_with_the_timestamps_as_index():
    index = pd.DatetimeIndex(["2020-01-01 12:00"], name="when")
    assert stamps(read(as_parquet(pd.DataFrame({"p": [2.0]}, index=index)))) == ["2020-01-01 12:00"]


def test_a_zone_of_a_parquet_column_is_the_sites():
    index = pd.DatetimeIndex(["2020-07-01 12:00"], tz="America/Los_Angeles")
    assert stamps(read(as_parquet(pd.DataFrame({"t": index, "p": [2.0]})))) == ["2020-07-01 11:00"]


def test_parquet_in_utc_is_converted_to_the_site():
    index = pd.DatetimeIndex(["2020-07-01 12:00"], tz="UTC")
    assert stamps(read(as_parquet(pd.DataFrame({"t": index, "p": [2.0]})), tz="US/Pacific")) == ["2020-07-01 04:00"]


def test_a_long_parquet_table():
    content = as_parquet(pd.read_csv(io.StringIO(LONG)))
    assert read(content, sensor="inv_1").equals(read(LONG, sensor="inv_1"))


def test_parquet_reads_the_needed_columns_only(monkeypatch: pytest.MonkeyPatch):
    content = as_parquet(
        pd.DataFrame({"t": pd.date_range("2020", periods=9000, freq="h"), "p": 1.0, "big": np.arange(9000) / 7})
    )
    monkeypatch.setattr(oversize, "MAX_BYTES", 240_000)
    assert len(read(content, sensor="p")) == 9000


class Counted(io.BytesIO):
    """A stream that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("options", [{}, {"timestamp_column": "t"}])
def test_parquet_takes_no_more_from_a_stream_than_the_needed_columns(options: dict[str, object]):
    noise = np.random.default_rng(1).random((50_000, 12))
    wide = pd.DataFrame(noise, columns=[f"inv_{i}" for i in range(12)])
    wide.insert(0, "t", pd.date_range("2020", periods=50_000, freq="5min"))
    stream = Counted(as_parquet(wide))
    frame = read_power(stream, name="fleet", table_format=TableFormat(**options), sensor="inv_7")
    assert frame["inv_7"].tolist() == wide["inv_7"].tolist()
    assert stream.count < len(stream.getvalue()) / 3


def test_a_parquet_column_of_dates_as_text_is_found_among_numbers():
    content = as_parquet(pd.DataFrame({"n": [1, 5], "when": ["2020-01-01 11:00", "2020-01-01 12:00"], "p": [1.5, 2.5]}))
    assert stamps(read(content, sensor="p")) == ["2020-01-01 11:00", "2020-01-01 12:00"]


def test_a_parquet_column_of_many_equal_values_is_no_bomb(monkeypatch: pytest.MonkeyPatch):
    content = as_parquet(pd.DataFrame({"t": pd.to_datetime(["2020-01-01"] * 100_000), "p": 1.0}))
    monkeypatch.setattr(oversize, "MAX_BYTES", 1_000_000)
    assert "would take 1.53 MiB of memory, more than the 977 KiB that are held of one table" in message_of(
        DataFormatError, content
    )


def test_parquet_without_timestamps():
    text = message_of(DataFormatError, as_parquet(pd.DataFrame({"a": [1.0], "b": ["x"]})), name="a.parquet")
    assert text.startswith("a.parquet has no column of timestamps among 'a', 'b'")


def test_a_text_file_named_parquet():
    assert "a.parquet is not a Parquet file though its name says so" in message_of(
        DataFormatError, ISO, name="a.parquet"
    )


def test_a_parquet_file_that_is_cut_off():
    content = as_parquet(pd.DataFrame({"t": pd.to_datetime(["2020"]), "p": [1.0]}))
    assert "a.parquet cannot be read as Parquet" in message_of(DataFormatError, content[:-20], name="a.parquet")


def test_parquet_without_rows():
    content = as_parquet(pd.DataFrame({"t": pd.to_datetime([]), "p": []}))
    assert "has columns but no rows" in message_of(DataFormatError, content)


# Files that are no tables


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "site.csv is empty (0 bytes)"),
        (gzip.compress(b""), "site.csv is empty (0 bytes)"),
        (b"\n\n\n", "site.csv holds blank lines only"),
        (b"timestamp,power\n", "site.csv has a header ('timestamp', 'power') but no rows"),
        (b"Dear all,\nplease find the data\nof May, June, and July below.\n", "is no table of columns separated by"),
        (b"hello world", "is no table of columns separated by comma, semicolon, tab or bar: it begins 'hello world'"),
        (b"a,b\n1,2\n3,4\n", "site.csv has no column of timestamps among 'a', 'b'"),
        (b"2020-01-01 11:00,1\n2020-01-01 12:00,2\n", "has no line of column names: its first line holds"),
        (b"\x00\x01\x02" * 99, "holds binary data (zero bytes), not CSV or Parquet"),
        (random.Random(0).randbytes(4000).replace(b"\0", b"\1"), "site.csv is not utf-8 text; set encoding"),
        (b"PK\x03\x04 zip", "site.csv is a zip archive (an Excel workbook is one too)"),
        (ISO.encode("utf-16"), "site.csv is UTF-16 text; set encoding=utf-16"),
        (gzip.compress(ISO.encode() * 99)[:60], "site.csv cannot be decompressed"),
        (ISO.encode() + b"2020-01-01 13:00,1,2,3\n", "line 4 has more values than the header, which has 2 columns"),
        (ISO.encode() + b'2020-01-01 13:00,"1\n', "site.csv cannot be read as CSV"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_reason(content: bytes, message: str):
    assert message in message_of(DataFormatError, content)


def test_gzip_that_is_cut_off_past_the_head():
    rows = "".join(f"2020-01-01 11:00,{random.Random(i).random()}\n" for i in range(30_000))
    packed = gzip.compress(("timestamp,power\n" + rows).encode())
    assert "the file is cut off or damaged" in message_of(DataFormatError, packed[:-5000])


def test_bad_encoding_past_the_head():
    content = ISO.encode() + b"2020-01-01 13:00,1\n" * 30_000 + b"2020-01-01 13:00,\xff\n"
    assert "site.csv is not utf-8 text" in message_of(DataFormatError, content)


def test_a_decompression_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oversize, "MAX_BYTES", 1024**2)
    bomb = gzip.compress(ISO.encode() + b"2020-01-01 13:00,1\n" * 200_000)
    assert "is larger than 1 MiB when unpacked, more than the 1 MiB that are held of one table" in message_of(
        DataFormatError, bomb
    )


def test_a_path_that_does_not_exist(tmp_path: Path):
    with pytest.raises(KeyNotFoundError, match="does not exist; check the name"):
        read_power(tmp_path / "a.csv", name="a.csv", table_format=TableFormat())


def test_a_path_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AccessDeniedError, match="no permission to open"):
        read_power(tmp_path / "a.csv", name="a.csv", table_format=TableFormat())


# Real data


@pytest.mark.parametrize("name", ["TAEFC1044741.csv", "ZT162185000441C1203.csv"])
def test_tz_auto_finds_the_offset_of_the_example_files(name: str):
    spec = importlib.util.find_spec("sdt_dask")
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or []))) / "examples" / "example_data"
    frame = read_power(folder / name, name=name, table_format=TableFormat(tz="auto"))
    assert frame.attrs["notes"][0]["message"].endswith("were shifted by -8 h")
