"""Properties of the checks, and of a key's whole path, for frames that are made from a sound one by mutations.

A run in CI takes the same few hundred examples each time; ``FUZZ_EXAMPLES=20000 pytest THIS_FILE`` takes others.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings

from sdt_dask_core import Plug
from sdt_dask_core.analyses import Analysis, Column, Grade, System, Verdict
from sdt_dask_core.analyses.quality import QualityAnalysis
from sdt_dask_core.causes import FIXES
from sdt_dask_core.errors import FrameError
from sdt_dask_core.frames import FINDINGS, CheckedFrame, check_frame
from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to
from sdt_dask_core.workplace import Workplace

from .mutations import MUTATIONS, mutated_frames
from .sound import NOW, sound_frame

_ASKED = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def examples(count: int) -> settings:
    return settings(
        max_examples=_ASKED or count,
        derandomize=not _ASKED,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


def answer(frame: Any) -> CheckedFrame | FrameError:
    try:
        return check_frame(frame, units="kW", now=NOW)
    except FrameError as error:
        return error


def told(result: CheckedFrame | FrameError) -> str:
    """Return all that was said of a frame, as strict JSON."""
    findings = [(f.code, f.message, f.evidence, f.repaired) for f in result.findings]
    last = (result.finding, str(result), result.evidence) if isinstance(result, FrameError) else result.statistics
    return json.dumps([findings, last], allow_nan=False)


def codes(result: CheckedFrame | FrameError) -> set[str]:
    last = {result.finding} if isinstance(result, FrameError) else set()
    return {finding.code for finding in result.findings} | last


def assert_power_is_sound(power: pd.Series) -> None:
    assert power.dtype == np.float64
    assert power.index.is_monotonic_increasing
    assert power.index.is_unique
    assert not np.isinf(power.to_numpy()).any()
    assert power.notna().any()
    assert_is_regular(power.index)


def assert_is_regular(index: pd.DatetimeIndex) -> None:
    """Four of five steps within days are whole multiples of the most common one, and a day is too."""
    steps = np.diff(index.asi8) / 1e9
    steps = np.round(steps[steps < 7200] / 10)
    interval = Counter(steps.tolist()).most_common(1)[0][0]
    assert 8640 % interval == 0
    assert np.mean(steps % interval == 0) >= 0.8


def counted(check: Callable[[Any], str], count: int) -> Counter[str]:
    """Run a check of mutated frames; return how often it said what."""
    counts: Counter[str] = Counter()

    @examples(count)
    @given(mutated_frames())
    def checked(frame: Any) -> None:
        verdict = check(frame)
        counts[verdict] += 1
        event(verdict)

    checked()
    return counts


def test_every_frame_is_admitted_sound_or_refused_with_a_code(record_property: Callable[[str, object], None]) -> None:
    seen: set[str] = set()

    def check(frame: Any) -> str:
        result = answer(frame)
        seen.update(codes(result))
        if isinstance(result, FrameError):
            return "refused"
        assert_power_is_sound(result.power)
        return "admitted"

    counts = counted(check, 400)
    record_property("frames", dict(counts))
    record_property("findings", sorted(seen))
    assert seen <= FINDINGS.keys()
    assert min(counts["admitted"], counts["refused"]) >= 0.2 * counts.total()
    assert len(seen) >= 25


def test_no_frame_is_changed_and_each_gives_the_same_answer_twice() -> None:
    def check(frame: Any) -> str:
        before, attrs = frame.copy(deep=True), dict(frame.attrs)
        first, second = answer(frame), answer(frame)
        assert told(first) == told(second)
        compare = pd.testing.assert_series_equal if isinstance(frame, pd.Series) else pd.testing.assert_frame_equal
        compare(frame, before)
        assert dict(frame.attrs) == attrs
        if isinstance(first, CheckedFrame):
            pd.testing.assert_series_equal(first.power, answer(frame).power)
        return type(first).__name__

    assert len(counted(check, 150)) == 2


def test_what_was_admitted_is_admitted_again_without_a_repair() -> None:
    def check(frame: Any) -> str:
        first = answer(frame)
        if isinstance(first, FrameError):
            return "refused"
        second = check_frame(first.power, units="kW", now=NOW)
        pd.testing.assert_series_equal(second.power, first.power)
        return "admitted"

    assert counted(check, 150)["admitted"] > 20


# --- the whole path of a key


class GivenPlug(Plug):
    """Gives the frame that a test has put into it."""

    frame: Any = None

    def get_data(self, key: Any) -> Any:
        return self.frame


class Quotients(Analysis):
    """Numbers that are infinite or NaN as soon as something is zero or missing."""

    name = "quotients"
    provides = (
        Column("peak_kw", "kW", "Largest power."),
        Column("peak_to_least", "1", "Largest power by the least."),
        Column("spread", "1", "Standard deviation by the mean."),
    )

    def run(self, system: System) -> Mapping[str, Any]:
        power = system.power
        with np.errstate(all="ignore"):
            return {
                "peak_kw": power.max(),
                "peak_to_least": np.float64(power.max()) / np.float64(power.min()),
                "spread": power.std() / power.mean(),
            }

    def judge(self, system: System) -> Iterator[Verdict]:
        if not system.values["peak_kw"] > 0:
            yield Verdict(Grade.WITHHELD, "no power")


def place_of(*analyses: type) -> Workplace:
    return Workplace(
        Job(plug=refer_to("plug", GivenPlug, {}), analyses=tuple(refer_to("analysis", each, {}) for each in analyses))
    )


def outcome_of(place: Workplace, frame: Any) -> dict[str, Any]:
    place.plug.frame = frame
    return place.analyse_key(("a",), {})


def numbers_of(outcome: Mapping[str, Any]) -> list[float]:
    return [value for value in outcome["columns"].values() if isinstance(value, (int, float))]


@pytest.mark.parametrize("analyses", [(), (Quotients,)], ids=["none", "one"])
def test_no_frame_makes_a_key_raise_or_its_row_hold_what_is_no_number(analyses: tuple[type, ...]) -> None:
    place = place_of(*analyses)

    def check(frame: Any) -> str:
        outcome = outcome_of(place, frame)
        json.dumps(outcome, allow_nan=False)
        assert all(np.isfinite(numbers_of(outcome)))
        assert outcome["status"] == "done" or outcome["cause"] in FINDINGS
        return str(outcome["status"])

    counts = counted(check, 120)
    assert min(counts["done"], counts["failed"]) >= 0.2 * counts.total()


def test_a_frame_deeper_than_python_follows_fails_its_key_with_a_cause() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    frame = sound_frame().astype(object)
    frame.iloc[0, 0] = deep
    assert outcome_of(place_of(), frame)["cause"] in FINDINGS
    while deep:  # taken apart step by step, as an interpreter that follows it to its end would crash
        deep = deep.pop()


#: Frames that come past the checks, and are hard on Solar Data Tools.
_HARD = (
    ("many missing",),
    ("some infinite", "clipped"),
    ("a run stuck", "some rows twice", "noise"),
)


@pytest.mark.sdt
@pytest.mark.slow
@pytest.mark.parametrize("names", _HARD, ids=", ".join)
def test_no_row_of_solar_data_tools_is_ok_with_a_number_that_is_none(names: tuple[str, ...]) -> None:
    frame, rng = sound_frame(days=60, minutes=60), np.random.default_rng(3)
    for name in names:
        frame = MUTATIONS[name](frame, rng)
    outcome = outcome_of(place_of(QualityAnalysis), frame)
    json.dumps(outcome, allow_nan=False)
    assert all(np.isfinite(numbers_of(outcome)))
    assert outcome["status"] == "done" or outcome["cause"] in FINDINGS or outcome["cause"] in FIXES
    assert outcome.get("cause") != "exception"
    assert outcome["grade"] != "ok" or None not in outcome["columns"].values()
