"""Which part of a record is analysed: what may be asked for, and what is cut."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import FrameError, OptionError
from sdt_dask_core.frames import CheckedFrame, check_frame
from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to
from sdt_dask_core.window import Window

from .plugs import FilesPlug

NOW = pd.Timestamp("2026-01-01")


def sunny(start: str, end: str, freq: str = "15min") -> pd.DataFrame:
    """Return half sines by day, from one time to before another."""
    index = pd.date_range(start, end, freq=freq, inclusive="left")
    hour = np.asarray(index.hour + index.minute / 60)
    return pd.DataFrame({"power": 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)


def checked(frame: pd.DataFrame, **window: Any) -> CheckedFrame:
    return check_frame(frame, units="kW", now=NOW, window=Window.given(**window))


def span(found: CheckedFrame) -> tuple[str, str]:
    return str(found.power.index[0]), str(found.power.index[-1])


def codes(found: CheckedFrame) -> list[str]:
    return [finding.code for finding in found.findings]


def test_without_a_window_all_is_kept() -> None:
    frame = sunny("2020-01-01", "2020-02-01")
    assert len(check_frame(frame, units="kW").power) == len(frame)
    assert (bool(Window()), str(Window())) == (False, "all")


def test_since_is_kept_and_until_is_not() -> None:
    found = checked(sunny("2020-01-01", "2020-02-01"), since="2020-01-05", until="2020-01-20")
    assert span(found) == ("2020-01-05 00:00:00", "2020-01-19 23:45:00")


def test_a_time_of_day_cuts_within_the_day() -> None:
    found = checked(sunny("2020-01-01", "2020-02-01"), since="2020-01-05 12:00", until=dt.datetime(2020, 1, 20, 6))
    assert span(found) == ("2020-01-05 12:00:00", "2020-01-20 05:45:00")


def test_what_was_cut_is_a_repaired_finding_with_its_evidence() -> None:
    found = checked(sunny("2020-01-01", "2020-02-01"), since="2020-01-05")
    (finding,) = (finding for finding in found.findings if finding.code == "window_cut")
    assert finding.repaired
    assert finding.evidence == {
        "n_rows": 31 * 96,
        "first": "2020-01-01T00:00:00",
        "last": "2020-01-31T23:45:00",
        "n_cut": 4 * 96,
    }
    assert finding.message.startswith("384 of 2976 rows lie outside the window (since 2020-01-05T00:00:00)")


def test_a_window_around_the_whole_record_is_no_finding() -> None:
    assert "window_cut" not in codes(checked(sunny("2020-01-01", "2020-02-01"), since="2019-01-01", look_back="9y"))


def test_a_stray_row_of_1970_is_dropped_by_since() -> None:
    frame = sunny("2020-01-01", "2020-02-01")
    stray = pd.concat([frame.set_axis([pd.Timestamp(0), *frame.index[1:]]), frame.iloc[:1]])
    with pytest.raises(FrameError, match="1970") as caught:
        checked(stray)
    assert caught.value.finding == "stray_timestamps"
    assert len(checked(stray, since="1990-01-01").power) == len(frame)


def test_a_stray_row_of_the_future_is_not_what_is_looked_back_from() -> None:
    frame = sunny("2020-01-01", "2020-02-01")
    frame = frame.set_axis([*frame.index[:-1], pd.Timestamp("2200-01-01")])
    with pytest.raises(FrameError) as caught:
        checked(frame, look_back="7d")
    assert caught.value.finding == "stray_timestamps"
    assert span(checked(frame, until="2100-01-01", look_back="7d")) == ("2020-01-24 23:45:00", "2020-01-31 23:30:00")


def test_look_back_keeps_whole_days_whenever_the_record_ends() -> None:
    for end in ("2020-02-01", "2020-01-20 11:15"):
        found = checked(sunny("2020-01-01", end), look_back="7d")
        assert len(found.power) == 7 * 96


def test_look_back_is_from_the_last_value_of_the_system_itself() -> None:
    """In a wide table a system that is gone has rows to the end, without values."""
    frame = sunny("2020-01-01", "2020-03-01")
    frame.loc["2020-02-01":, "power"] = np.nan
    assert span(checked(frame, look_back="7d"))[0] == "2020-01-25 00:00:00"


@pytest.mark.parametrize(
    ("length", "first"),
    [
        ("1y", "2019-03-01 00:00:00"),
        ("12 months", "2019-03-01 00:00:00"),
        ("1 month", "2020-01-29 00:00:00"),
        ("366d", "2019-02-28 00:00:00"),
        ("52 weeks", "2019-03-02 00:00:00"),
        ("52W", "2019-03-02 00:00:00"),
    ],
)
def test_months_and_years_are_those_of_the_calendar(length: str, first: str) -> None:
    """The last row is that of 23:00 on the 28th of February 2020, a leap year."""
    frame = sunny("2018-01-01", "2020-02-29", freq="1h")
    assert span(checked(frame, look_back=length))[0] == first


def test_the_three_cut_what_the_others_leave() -> None:
    frame = sunny("2020-01-01", "2020-06-01")
    cut = {"since": "2020-02-01", "until": "2020-03-01"}
    assert span(checked(frame, **cut, look_back="7d"))[0] == "2020-02-23 00:00:00"
    assert span(checked(frame, **cut, look_back="1y"))[0] == "2020-02-01 00:00:00"


def test_nothing_left_fails_the_key_and_says_what_there_is() -> None:
    with pytest.raises(FrameError) as caught:
        checked(sunny("2020-01-01", "2020-02-01"), since="2021-01-01")
    assert caught.value.finding == "outside_window"
    assert caught.value.message.startswith(
        "none of the 2976 rows, from 2020-01-01T00:00:00 to 2020-01-31T23:45:00, lies in the window "
        "(since 2021-01-01T00:00:00)."
    )


def test_aware_times_are_cut_in_local_standard_time() -> None:
    frame = sunny("2020-01-01", "2020-02-01").tz_localize("Etc/GMT-2").tz_convert("UTC")
    found = check_frame(frame.tz_convert("Etc/GMT-2"), units="kW", now=NOW, window=Window.given(since="2020-01-05"))
    assert span(found)[0] == "2020-01-05 00:00:00"


def test_the_callers_frame_is_never_changed() -> None:
    frame = sunny("2020-01-01", "2020-02-01")
    frame.iloc[900, 0] = np.inf
    before = frame.copy()
    checked(frame, since="2020-01-05", look_back="9d")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "given",
    ["2020-01-01", " 2020-01-01 ", "2020-01-01T00:00", "2020-01-01 00:00:00", dt.date(2020, 1, 1), NOW.replace(2020)],
)
def test_one_time_in_several_ways_is_one_window(given: Any) -> None:
    assert Window.given(since=given) == Window(since="2020-01-01T00:00:00")


@pytest.mark.parametrize("given", ["3y", "36 months", " 3 Years", "3yr", "36month"])
def test_one_length_in_several_ways_is_one_window(given: str) -> None:
    assert Window.given(look_back=given) == Window(look_back="36 months")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"since": "last year"}, "since cannot be 'last year'; write a date or a time, such as 2020-01-01"),
        ({"since": "2020-13-01"}, "since cannot be '2020-13-01'"),
        ({"since": "20200101"}, "since cannot be '20200101'"),
        ({"until": 2020}, "until cannot be 2020"),
        ({"until": ""}, "until cannot be ''"),
        ({"since": pd.NaT}, "since cannot be NaT"),
        ({"since": dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)}, "it has a time zone"),
        ({"since": "2020-01-01", "until": "2020-01-01"}, "no time lies between them; since must be before until"),
        ({"since": "2021-01-01", "until": "2020-01-01"}, "since must be before until"),
        ({"look_back": "3m"}, "look_back cannot be '3m'; write a number of days, weeks, months or years"),
        ({"look_back": "0d"}, "look_back cannot be '0d'"),
        ({"look_back": "-3y"}, "look_back cannot be '-3y'"),
        ({"look_back": "1.5y"}, "look_back cannot be '1.5y'"),
        ({"look_back": "730"}, "look_back cannot be '730'"),
        ({"look_back": 730}, "look_back cannot be 730"),
        ({"look_back": "999999 years"}, "at most 200 years"),
        ({"look_back": ""}, "look_back cannot be ''"),
    ],
)
def test_what_is_no_window_is_refused(given: dict[str, Any], answer: str) -> None:
    with pytest.raises(OptionError) as caught:
        Window.given(**given)
    assert answer in caught.value.message


def test_a_job_carries_it_as_text_and_an_older_one_has_none() -> None:
    job = Job(refer_to("plug", FilesPlug, {"path": "x"}), (), window=Window.given(until="2021-01-01", look_back="3y"))
    assert Job.from_text(job.as_text()) == job
    older = {name: value for name, value in json.loads(job.as_text()).items() if name != "window"}
    assert Job.from_text(json.dumps(older)).window == Window()
