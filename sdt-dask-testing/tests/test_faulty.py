"""`FaultyPlug`: each of its faults is documented and has its true outcome."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from sdt_dask_core.errors import SourceUnavailableError
from sdt_dask_core.frames import FINDINGS
from sdt_dask_testing.faulty import BUILD_FAULTS, FAULTS, FaultyPlug


def test_each_fault_has_its_true_outcome() -> None:
    assert set(FAULTS) == set(FaultyPlug.faults())


@pytest.mark.parametrize("fault", FaultyPlug.faults())
def test_a_fault_is_documented(fault: str) -> None:
    assert f"``{fault}``" in str(inspect.getdoc(FaultyPlug))


def test_there_are_more_than_fifty_kinds_of_faults() -> None:
    assert len(FAULTS) + len(BUILD_FAULTS) > 50


def test_a_failure_has_a_cause_and_a_stage_and_a_success_has_none() -> None:
    for expected in (*FAULTS.values(), *BUILD_FAULTS.values()):
        assert bool(expected.cause) == bool(expected.stage) == (expected.status == "failed")


def test_a_fault_of_a_frame_has_a_finding_for_its_cause() -> None:
    causes = {expected.cause for expected in FAULTS.values() if expected.stage == "check"}
    assert causes <= set(FINDINGS)


def test_a_number_behind_the_name_makes_another_good_frame() -> None:
    plug = FaultyPlug()
    assert plug.get_data(("good", 7))["power"].max() == pytest.approx(5.07)
    assert plug.get_data(("good",))["power"].max() == pytest.approx(5.0)


def test_a_source_that_comes_back_is_counted_by_key(tmp_path: Path) -> None:
    plug = FaultyPlug(counts=str(tmp_path))
    for key in (("good_at_the_third_time", 1), ("good_at_the_third_time", 2)):
        for _ in range(2):
            with pytest.raises(SourceUnavailableError):
                plug.get_data(key)
        assert len(plug.get_data(key)) == 288


def test_a_plug_that_cannot_be_built_says_so() -> None:
    with pytest.raises(RuntimeError, match="no such driver"):
        FaultyPlug(builds="raises")
