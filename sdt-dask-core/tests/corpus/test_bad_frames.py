"""Every bad frame of the corpus: its finding, its evidence, and that nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import FrameError
from sdt_dask_core.frames import FINDINGS, Finding, check_frame

from .bad_frames import BAD_FRAMES, SOUND_FRAMES, Bad
from .sound import NOW, sound_frame


def findings_of(bad: Bad) -> tuple[list[Finding], bool]:
    """Return all findings of a frame, and whether the last one failed it."""
    options: dict[str, Any] = {"units": "kW", "now": NOW, **bad.options}
    try:
        return list(check_frame(bad.make(), **options).findings), False
    except FrameError as error:
        last = Finding(error.finding, str(error), error.evidence, repaired=False)
        return [*error.findings, last], True


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame_gives_its_finding_with_evidence(name: str) -> None:
    bad = BAD_FRAMES[name]
    findings, failed = findings_of(bad)
    assert (failed, bad.code in [finding.code for finding in findings]) == (bad.fails, True), findings
    finding = next(finding for finding in findings if finding.code == bad.code)
    assert {fact: finding.evidence.get(fact) for fact in bad.evidence} == dict(bad.evidence)
    assert not failed or findings[-1].code == bad.code


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_what_is_found_in_a_bad_frame_is_small_and_strict_json(name: str) -> None:
    findings, _ = findings_of(BAD_FRAMES[name])
    text = json.dumps([(f.code, f.message, f.evidence) for f in findings], allow_nan=False)
    assert len(text) < 20_000
    assert {finding.code for finding in findings} <= FINDINGS.keys()


@pytest.mark.parametrize("name", SOUND_FRAMES)
def test_a_frame_that_only_looks_odd_gives_its_power(name: str) -> None:
    checked = check_frame(SOUND_FRAMES[name](), units="kW", now=NOW)
    assert checked.findings == ()
    pd.testing.assert_series_equal(checked.power, check_frame(sound_frame(), units="kW", now=NOW).power)


def test_every_finding_stands_in_the_corpus() -> None:
    assert {bad.code for bad in BAD_FRAMES.values()} == FINDINGS.keys()


def test_the_corpus_holds_sixty_bad_frames_and_more() -> None:
    assert len(BAD_FRAMES) >= 60
    assert len({bad.code for bad in BAD_FRAMES.values() if bad.fails}) >= 20


def test_memory_that_runs_out_is_no_finding() -> None:
    """So that the key is tried again with more of it."""

    class Full(pd.DataFrame):
        @property
        def attrs(self) -> Any:
            raise MemoryError

    with pytest.raises(MemoryError):
        check_frame(Full(sound_frame()), units="kW")


@pytest.mark.parametrize("value", [np.nan, np.inf, -9999.0])
def test_the_caller_keeps_its_values(value: float) -> None:
    frame = sound_frame()
    frame.iloc[::100] = value
    before = frame.copy(deep=True)
    check_frame(frame, units="W", now=NOW)
    pd.testing.assert_frame_equal(frame, before)
