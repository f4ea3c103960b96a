"""`Pulse`: what it takes for an answer, and when a cluster counts as lost."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sdt_dask_core import pulse as pulse_module
from sdt_dask_core.pulse import Pulse

from .processes import wait_until


class FakeClient:
    """A client whose scheduler answers what the test says: workers, an error, or nothing for ever."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = SimpleNamespace(asyncio_loop=loop)
        self.status = "running"
        self.scheduler = self
        self.answer: Any = {"tcp://a": 1, "tcp://b": 2}

    async def ncores(self, workers: None) -> dict[str, int]:
        if self.answer is None:
            await asyncio.sleep(3600)
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClient]:
    """A client with a loop of its own, asked without a pause."""
    monkeypatch.setattr(pulse_module, "_ASK_EVERY", 0.0)
    monkeypatch.setattr(pulse_module, "_ASK_AGAIN", 0.01)
    monkeypatch.setattr(pulse_module, "_ANSWER_WITHIN", 30.0)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield FakeClient(loop)
    asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def pulse_of(client: Any, **how: Any) -> Pulse:
    return Pulse(client, **how)


def test_the_first_answer_counts_the_threads(client: FakeClient) -> None:
    pulse = pulse_of(client)
    pulse.first()
    assert pulse.n_threads == 3
    assert pulse.is_well


def test_workers_that_come_are_counted(client: FakeClient) -> None:
    pulse = pulse_of(client)
    pulse.first()
    client.answer = {"tcp://a": 1, "tcp://b": 2, "tcp://c": 4}
    wait_until(lambda: not pulse.why_lost() and pulse.n_threads == 7, "the new worker was counted")


def test_a_scheduler_that_answers_nothing_twice_is_lost(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = pulse_of(client)
    pulse.first()
    monkeypatch.setattr(pulse_module, "_ANSWER_WITHIN", 0.05)
    client.answer = None
    assert wait_until(pulse.why_lost, "it was lost") == "the scheduler did not answer for 0.1 s"
    assert not pulse.is_well


def test_one_question_without_an_answer_is_no_loss(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse_module, "_ANSWER_WITHIN", 0.05)
    monkeypatch.setattr(pulse_module, "_MISSES", 1000)
    pulse = pulse_of(client)
    client.answer = None
    wait_until(lambda: pulse.why_lost() or not pulse.is_well, "a question was too old")
    client.answer = {"tcp://a": 1}
    monkeypatch.setattr(pulse_module, "_ANSWER_WITHIN", 30.0)
    wait_until(lambda: not pulse.why_lost() and pulse.is_well and pulse.n_threads == 1, "the next one was answered")


def test_a_connection_that_breaks_is_asked_again(client: FakeClient) -> None:
    pulse = pulse_of(client)
    client.answer = OSError("broken")
    pulse.why_lost()
    client.answer = {"tcp://a": 1}
    wait_until(lambda: not pulse.why_lost() and pulse.n_threads == 1, "it was asked again")
    assert pulse.is_well


def test_a_client_that_lost_its_connection_is_lost_at_once(client: FakeClient) -> None:
    pulse = pulse_of(client)
    pulse.first()
    client.status = "connecting"
    assert pulse.why_lost() == "the scheduler went away"


def test_a_cluster_without_workers_is_lost_after_a_while_and_said_before(
    client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    client.answer = {}
    pulse = pulse_of(client, clock=lambda: now[0])
    with caplog.at_level(logging.WARNING):
        pulse.first()
        assert pulse.why_lost() == ""
        now[0] = 599.0
        assert pulse.why_lost() == ""
        now[0] = 600.0
        assert pulse.why_lost() == "the cluster had no worker for 600 s"
    assert [record.getMessage() for record in caplog.records] == [
        "the cluster has no worker; the run waits for one, and ends as lost when none comes in 600 s"
    ]


def test_a_worker_that_comes_begins_the_while_anew(client: FakeClient) -> None:
    now = [0.0]
    client.answer = {}
    pulse = pulse_of(client, clock=lambda: now[0])
    pulse.first()
    client.answer = {"tcp://a": 1}
    wait_until(lambda: not pulse.why_lost() and pulse.n_threads, "the worker was counted")
    now[0] = 900.0
    assert pulse.why_lost() == ""
