"""Grades: bounds included, and whatever is no number is withheld."""

from __future__ import annotations

import math

import pytest

from sdt_dask_core import Grade, Verdict
from sdt_dask_core.analyses.grades import judge_range, worst

RATE = "degradation rate {:.2f} %/yr"


def judge(value: float | None) -> Verdict | None:
    return judge_range(RATE, value, ok=(-3, 1), caution=(-10, 3))


@pytest.mark.parametrize("value", [-3, -0.75, 0, 1])
def test_what_is_within_the_bounds_is_trusted(value: float) -> None:
    assert judge(value) is None


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        (-10, "below -3"),
        (math.nextafter(-3, -math.inf), "below -3"),
        (math.nextafter(1, math.inf), "above 1"),
        (3, "above 1"),
    ],
)
def test_what_is_just_outside_calls_for_caution(value: float, limit: str) -> None:
    assert judge(value) == Verdict(Grade.CAUTION, f"{RATE.format(value)} is {limit}")


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        (math.nextafter(-10, -math.inf), "below -10"),
        (math.nextafter(3, math.inf), "above 3"),
        (-1e9, "below -10"),
    ],
)
def test_what_cannot_be_right_is_withheld(value: float, limit: str) -> None:
    assert judge(value) == Verdict(Grade.WITHHELD, f"{RATE.format(value)} is {limit}")


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_withheld(value: float | None) -> None:
    assert judge(value) == Verdict(Grade.WITHHELD, "degradation rate nan %/yr is not a finite number")


def test_a_range_may_be_open() -> None:
    assert judge_range("score {}", 1e9, ok=(0.7, math.inf), caution=(0.5, math.inf)) is None


def test_the_worst_grade_wins() -> None:
    assert worst([Grade.CAUTION, Grade.WITHHELD, Grade.OK]) is Grade.WITHHELD
    assert worst([Grade.OK, Grade.CAUTION]) is Grade.CAUTION


def test_nothing_against_a_system_is_ok() -> None:
    assert worst([]) is Grade.OK
