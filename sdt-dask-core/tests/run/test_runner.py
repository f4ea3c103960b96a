"""Runs on real clusters: every key gets its row, whatever its plug does, and no other key suffers for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import LocalCluster

from sdt_dask_core import Run, SDTDask
from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_testing import FaultyPlug
from sdt_dask_testing.faulty import FAULTS

from .conftest import computing, descendants, reads, states
from .plugs import DrawingPlug, FolderPlug, ManyKeysPlug, TalkingPlug, WorkerKillerPlug

N_KEYS = 1_000


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> tuple[SDTDask, Run]:
    """A thousand keys on the local client."""
    output = tmp_path_factory.mktemp("thousand")
    tool = SDTDask(
        ManyKeysPlug, plug_options={"n_keys": N_KEYS}, client_options={"n_workers": 2}, analyses=[], output=output
    )
    return tool, tool.execute()


@pytest.mark.slow
def test_each_of_a_thousand_keys_has_its_row(thousand: tuple[SDTDask, Run]) -> None:
    _, run = thousand
    assert run.results["key"].tolist() == [f"[{number}]" for number in range(N_KEYS)]
    assert run.results["status"].eq("done").all()
    assert run.results["n_timestamps"].eq(288).all()


@pytest.mark.slow
def test_a_second_run_on_unchanged_data_does_no_work(
    thousand: tuple[SDTDask, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, first = thousand
    monkeypatch.setattr("distributed.LocalCluster", None)  # so that starting one fails
    second = tool.execute()
    assert second.counts["skipped"] == N_KEYS
    assert second.results["n_timestamps"].eq(288).all()
    with LedgerReader(tool.output) as ledger:
        assert not any(ledger.attempts(second.run_id, row["key"]) for row in second.rows)
        assert all(len(ledger.attempts(first.run_id, row["key"])) == 1 for row in first.rows)


# Those of `FaultyPlug`'s that take seconds; the chaos suite runs all.
KINDS = (
    *("exception", "own_error", "unavailable", "without_message", "broken_text", "unpicklable", "item", "panic"),
    *("recursion", "memory_error", "long_message", "surrogates", "keyboard", "sys_exit"),
    *("os_exit", "segfault", "abort", "kill", "fork_and_exit"),
    *("hang", "hang_in_c", "endless_loop", "hog", "good_with_twice_the_memory"),
    *("closes_everything", "talks_into_the_protocol", "closes_stdout"),
    *("none", "text", "strings", "frame_that_raises"),
    *("good_prints_100_mb", "good_starts_a_process", "good_leaves_a_process"),
)


@pytest.fixture(scope="module")
def faulty(
    cluster: LocalCluster, on_cluster: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, list[psutil.Process]]:
    """Every fault in one run, each followed by a good key; and the Dask workers before it."""
    keys = [key for fault in KINDS for key in ((fault,), (f"after {fault}",))]
    workers = [psutil.Process(nanny.pid) for nanny in cluster.workers.values()]
    tool = SDTDask(FaultyPlug, analyses=[], key_timeout=10, output=tmp_path_factory.mktemp("faulty"), **on_cluster)
    return tool.execute(keys), workers


@pytest.mark.slow
@pytest.mark.parametrize("fault", KINDS)
def test_a_fault_is_one_row_with_what_is_true_of_it(faulty: tuple[Run, Any], fault: str) -> None:
    (row,) = (row for row in faulty[0].rows if row["key"] == f'["{fault}"]')
    expected = FAULTS[fault]
    found = (row["status"], row["cause"] or "", row["stage"] or "", row["attempt"])
    assert found == (expected.status, expected.cause, expected.stage, expected.attempts)
    assert expected.says in (row["message"] or "")


@pytest.mark.slow
def test_every_other_key_of_a_faulty_run_is_done(faulty: tuple[Run, Any]) -> None:
    others = [row for row in faulty[0].rows if row["key"].startswith('["after ')]
    assert len(others) == len(KINDS)
    assert {(row["status"], row["attempt"]) for row in others} == {("done", 1)}


@pytest.mark.slow
def test_no_fault_restarts_a_dask_worker(faulty: tuple[Run, list[psutil.Process]]) -> None:
    assert all(worker.is_running() for worker in faulty[1])


@pytest.mark.slow
def test_no_process_is_left_after_a_faulty_run(faulty: tuple[Run, Any]) -> None:
    assert computing(descendants()) == []


@pytest.mark.slow
def test_a_memory_hog_tells_its_peak(faulty: tuple[Run, Any]) -> None:
    (row,) = (row for row in faulty[0].rows if row["key"] == '["hog"]')
    assert row["body"]["peak_rss_mb"] > 1024


@pytest.mark.slow
def test_a_crash_keeps_its_last_words(faulty: tuple[Run, Any]) -> None:
    (row,) = (row for row in faulty[0].rows if row["key"] == '["segfault"]')
    assert "Fatal Python error: Segmentation fault" in row["body"]["prints"]


@pytest.mark.slow
def test_what_is_kept_of_100_mb_of_prints_is_short(faulty: tuple[Run, Any]) -> None:
    (row,) = (row for row in faulty[0].rows if row["key"] == '["good_prints_100_mb"]')
    assert set(row["body"]["prints"]) == {"y"}
    assert len(row["body"]["prints"]) == 4_000


@pytest.mark.slow
def test_a_long_message_is_cut(faulty: tuple[Run, Any]) -> None:
    errors = faulty[0].errors
    (message,) = errors.loc[errors["key"] == "long_message", "message"]
    assert len(message) < 10_100


def test_what_a_plug_prints_is_in_its_outcome(tool: Callable[..., SDTDask]) -> None:
    run = tool(TalkingPlug, {"n_keys": 2}).execute()
    assert [row["body"]["prints"] for row in run.rows] == [
        f"reading {number}\nto the other stream\nbelow Python" for number in range(2)
    ]


def test_a_warning_is_in_the_outcome_once(tool: Callable[..., SDTDask]) -> None:
    run = tool(TalkingPlug, {"n_keys": 1}).execute()
    assert run.rows[0]["body"]["warnings"] == ["UserWarning: the sensor drifts"]


def test_random_numbers_come_from_the_key_alone(tool: Callable[..., SDTDask], tmp_path: Path) -> None:
    first = tool(DrawingPlug, {"n_keys": 4}).execute([(number,) for number in range(4)])
    second = tool(DrawingPlug, {"n_keys": 4}, output=tmp_path / "again").execute([(3,), (1,), (0,), (2,)])
    drawn = {row["key"]: row["body"]["prints"] for row in first.rows}
    assert {row["key"]: row["body"]["prints"] for row in second.rows} == drawn
    assert len(set(drawn.values())) == 4


def test_a_key_with_a_lone_surrogate_has_its_row(tool: Callable[..., SDTDask]) -> None:
    run = tool(ManyKeysPlug).execute([("caf\udce9",)])
    assert states(run) == {r'["caf\udce9"]': "done"}


def test_a_retry_does_the_failed_keys_of_the_same_run(tool: Callable[..., SDTDask], folder: Path) -> None:
    (folder / "b.txt").write_text("fail", encoding="utf-8")
    sdt = tool(FolderPlug, {"path": str(folder)})
    first = sdt.execute()
    (folder / "b.txt").write_text("5", encoding="utf-8")
    second = sdt.retry()
    assert second.run_id == first.run_id
    assert [(row["key"], row["state"], row["attempt"]) for row in second.rows] == [
        ('["a"]', "done", 1),
        ('["b"]', "done", 4),
        ('["c"]', "done", 1),
    ]
    assert [reads(folder, name) for name in "abc"] == [1, 4, 1]
    assert second.errors.empty


def test_resuming_a_complete_run_does_nothing(tool: Callable[..., SDTDask], folder: Path) -> None:
    sdt = tool(FolderPlug, {"path": str(folder)})
    first = sdt.execute()
    second = sdt.resume()
    assert (second.run_id, second.state, second.ended_at) == (first.run_id, "complete", first.ended_at)
    assert [reads(folder, name) for name in "abc"] == [1, 1, 1]


def test_resuming_where_nothing_ran_is_told(tool: Callable[..., SDTDask], tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no run has written there"):
        tool(ManyKeysPlug).resume()
    assert not (tmp_path / "out").exists()


def test_progress_counts_up_to_the_end(tool: Callable[..., SDTDask]) -> None:
    seen: list[tuple[int, int]] = []
    tool(ManyKeysPlug, {"n_keys": 5}).execute(observe=lambda progress: seen.append((progress.finished, progress.todo)))
    assert seen == [(number, 5 - number) for number in range(6)]


@pytest.fixture(scope="module")
def with_dying_workers(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which one key kills its Dask worker once, and another one each time."""
    marks = tmp_path_factory.mktemp("marks")
    output = tmp_path_factory.mktemp("dying")
    options = {"path": str(marks)}
    tool = SDTDask(WorkerKillerPlug, plug_options=options, analyses=[], output=output, client_options={"n_workers": 2})
    return tool.execute(["always", "once", *range(6)])


@pytest.mark.slow
def test_a_key_under_which_a_worker_died_is_tried_again(with_dying_workers: Run) -> None:
    assert [(row["state"], row["attempt"]) for row in with_dying_workers.rows[1:2]] == [("done", 2)]
    with LedgerReader(with_dying_workers.output) as ledger:
        attempts = ledger.attempts(with_dying_workers.run_id, '["once"]')
    assert [attempt["ending"] for attempt in attempts] == ["worker_died", "done"]


@pytest.mark.slow
def test_a_key_under_which_every_worker_dies_fails(with_dying_workers: Run) -> None:
    row = with_dying_workers.rows[0]
    assert (row["state"], row["cause"], row["stage"], row["attempt"]) == ("failed", "worker_died", "worker", 3)
    assert row["message"].startswith("the Dask worker died under this key, last tcp://127.0.0.1:")
    assert row["message"].endswith("look at the worker's log and memory, then sdt-dask retry (tried 3 times)")


@pytest.mark.slow
def test_the_neighbours_of_a_dead_worker_are_not_blamed(with_dying_workers: Run) -> None:
    # One whose outcome died with its worker before it was fetched has a second attempt.
    assert [row["state"] for row in with_dying_workers.rows[2:]] == ["done"] * 6
