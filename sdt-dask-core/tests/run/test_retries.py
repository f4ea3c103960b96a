"""What is tried again: by cause, so many times, after such a wait, with so much memory."""

from __future__ import annotations

from typing import Any

import pytest

from sdt_dask_core.causes import FIXES
from sdt_dask_core.frames import FINDINGS
from sdt_dask_core.ledger import PlannedTask
from sdt_dask_core.outcome import failure
from sdt_dask_core.retries import POLICIES, Again, Retries
from sdt_dask_core.waiting import Waiting, places_apart


def failed(cause: str, **more: Any) -> dict[str, Any]:
    return failure(stage="read", cause=cause, message="it went wrong", **more)


def attempts(retries: Retries, *outcomes: dict[str, Any]) -> list[Again | None]:
    return [retries.judge('["a"]', outcome)[1] for outcome in outcomes]


def task(key: str) -> PlannedTask:
    return PlannedTask(key, "todo", "new", None, "digest", {}, {})


def test_a_source_that_does_not_answer_is_asked_three_times_with_growing_waits() -> None:
    retries = Retries(draw=lambda: 0.5)
    assert attempts(retries, *[failed("source_unavailable")] * 3) == [Again(wait=2.0), Again(wait=8.0), None]


def test_keys_that_failed_together_come_back_apart() -> None:
    retries = Retries()
    waits = {retries.judge(f"[{number}]", failed("source_unavailable"))[1] for number in range(20)}
    assert len(waits) == 20
    assert all(again is not None and 1.0 <= again.wait <= 3.0 for again in waits)


def test_out_of_memory_is_tried_once_more_with_twice_the_share() -> None:
    assert attempts(Retries(), *[failed("out_of_memory")] * 2) == [Again(share=2), None]


def test_a_machine_without_more_memory_gets_no_second_attempt() -> None:
    alone = failed("out_of_memory", memory_limit_mb=4000.0, machine_memory_mb=4096.0)
    assert attempts(Retries(), alone) == [None]


@pytest.mark.parametrize("cause", sorted({*FIXES, *FINDINGS} - POLICIES.keys()))
def test_what_cannot_pass_is_tried_once(cause: str) -> None:
    assert attempts(Retries(), failed(cause)) == [None]


def test_each_cause_has_a_budget_of_its_own() -> None:
    retries = Retries()
    found = attempts(retries, failed("worker_died"), failed("killed"), failed("worker_died"), failed("worker_died"))
    assert [again is not None for again in found] == [True, True, True, False]


def test_a_key_that_comes_right_owes_nothing_for_its_failures() -> None:
    retries = Retries()
    outcome, again = retries.judge('["a"]', failed("killed"))
    outcome, again = retries.judge('["a"]', {"status": "done", "grade": "ok"})
    assert (outcome, again) == ({"status": "done", "grade": "ok"}, None)
    assert attempts(retries, failed("killed"))[0] is not None


def test_the_last_failure_says_how_often_it_was_tried() -> None:
    retries = Retries()
    retries.judge('["a"]', failed("killed"))
    outcome, _ = retries.judge('["a"]', failed("killed"))
    assert outcome["message"] == "it went wrong (tried 2 times)"


def test_a_key_comes_back_when_its_time_has_come() -> None:
    now = [0.0]
    waiting = Waiting(clock=lambda: now[0])
    waiting.add(task("late"), Again(wait=8.0))
    waiting.add(task("soon"), Again(wait=2.0))
    assert waiting.due() is None
    now[0] = 9.0
    assert [found and found.key for found in (waiting.due(), waiting.due(), waiting.due())] == ["soon", "late", None]


def test_a_large_key_comes_when_no_other_waits() -> None:
    waiting = Waiting(clock=lambda: 0.0)
    waiting.add(task("large"), Again(share=2))
    waiting.add(task("small"), Again())
    assert waiting.large() is None
    assert waiting.due() == task("small")
    assert waiting.large() == task("large")
    assert len(waiting) == 0


@pytest.mark.parametrize(
    ("workers", "apart"),
    [
        (["tcp://10.0.0.1:1"], ["tcp://10.0.0.1:1"]),
        (["tcp://10.0.0.1:1", "tcp://10.0.0.1:2"], ["tcp://10.0.0.1:1"]),
        ([f"tcp://10.0.0.1:{n}" for n in range(5)], ["tcp://10.0.0.1:0", "tcp://10.0.0.1:1"]),
        (["tls://[::1]:1", "tls://10.0.0.2:1", "tls://[::1]:2"], ["tls://10.0.0.2:1", "tls://[::1]:1"]),
        ([], []),
    ],
)
def test_every_worker_with_twice_the_share_has_a_neighbour_that_idles(workers: list[str], apart: list[str]) -> None:
    assert places_apart(workers) == apart
