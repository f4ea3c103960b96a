"""What a child makes of one key, in this process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.analyses import Analysis, Column
from sdt_dask_core.job import Job
from sdt_dask_core.reference import refer_to
from sdt_dask_core.workplace import Workplace

from .plugs import ManyKeysPlug, clear_days


class DoubtfulPlug(ManyKeysPlug):
    """Changes one thing and doubts another."""

    def get_data(self, key: Any) -> pd.DataFrame:
        frame = clear_days()
        frame.attrs["notes"] = ["one value was dropped", {"message": "the clock is unsure", "repaired": False}]
        return frame


class OneNumber(Analysis):
    """Gives the number that it is told."""

    name = "one_number"
    version = 1
    provides = (Column("one_kw", "kW", "A number.", ""),)

    def __init__(self, number: str) -> None:
        self.number: Any = float(number)

    def run(self, system: Any) -> dict[str, Any]:
        return {"one_kw": self.number}


def test_a_doubt_of_the_plug_is_the_reason_of_a_caution_and_a_change_is_not() -> None:
    place = Workplace(Job(plug=refer_to("plug", DoubtfulPlug, {}), analyses=()))
    outcome = place.analyse_key(("a",), {})
    assert (outcome["grade"], outcome["reasons"]) == ("caution", ["caution: the clock is unsure"])


@pytest.mark.parametrize("number", [float("nan"), np.float64("inf"), -np.inf])
def test_a_number_that_is_not_finite_is_left_out_and_the_row_is_no_longer_ok(number: Any) -> None:
    analyses = (refer_to("analysis", OneNumber, {"number": "nan"}),)
    place = Workplace(Job(plug=refer_to("plug", ManyKeysPlug, {}), analyses=analyses))
    place.analyses[0].number = number
    outcome = place.analyse_key(("a",), {})
    assert (outcome["columns"]["one_kw"], outcome["grade"]) == (None, "caution")
    assert outcome["reasons"] == ["caution: one_number gave no finite number for one_kw"]
