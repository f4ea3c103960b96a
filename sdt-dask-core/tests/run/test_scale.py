"""What must not grow with the number of keys, as counted facts: what is held, what is synced, what a query reads."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from dask.utils import key_split

from sdt_dask_core import Progress, SDTDask
from sdt_dask_core.agreement.newcomers import _NAMES, _forget_old_names
from sdt_dask_core.cli.outcome import say_outcome
from sdt_dask_core.contract import HookManager
from sdt_dask_core.expected import BY_LAST_TIME, BY_MEAN, BY_SIZE, UNKNOWN, Measured
from sdt_dask_core.ledger import LastOutcome, Ledger, LedgerReader, PlannedTask
from sdt_dask_core.ledger.reader import _PAGE
from sdt_dask_core.limits import Limits, LimitWatch
from sdt_dask_core.progress import RunInfo
from sdt_dask_core.run import _pieces
from sdt_dask_core.runner import Runner, _Attempt

from .plugs import FolderPlug, ManyKeysPlug

DONE = {"status": "done", "grade": "ok", "columns": {}, "seconds": {"read": 2.0}}
FAILED = {"status": "failed", "stage": "read", "cause": "exception", "message": "ValueError: no"}
N_KEYS = 3 * _PAGE


def task(number: int, **more: Any) -> PlannedTask:
    return PlannedTask(f"[{number}]", "todo", "new", "1", "d", {}, {}, **more)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as opened:
        yield opened


def held() -> int:
    """Return how many planned tasks there are in this process."""
    return sum(type(thing) is PlannedTask for thing in gc.get_objects())


def traced(ledger: LedgerReader, work: Callable[[], object]) -> list[str]:
    """Return the statements that SQLite was given."""
    statements: list[str] = []
    connection = ledger._connection  # noqa: SLF001 - the only way to see them
    connection.set_trace_callback(statements.append)
    work()
    connection.set_trace_callback(None)
    return statements


def runner_with_landed(ledger: Ledger, run_id: str, outcomes: list[dict[str, Any]], observe: Any) -> Runner:
    """Return a runner to which these outcomes landed together, and which has nothing more to hand out."""
    runner = Runner(
        SimpleNamespace(),  # type: ignore[arg-type]
        job=SimpleNamespace(as_text=str),  # type: ignore[arg-type]
        ledger=ledger,
        run=RunInfo(run_id, "", len(outcomes)),
        hooks=HookManager().hook,
        observe=observe,
        limits=LimitWatch(Limits()),
        newcomers=SimpleNamespace(),  # type: ignore[arg-type]
        stop=SimpleNamespace(is_asked=True),  # type: ignore[arg-type]
    )
    runner.progress = Progress(total=len(outcomes))
    with ledger.transaction():
        for number, outcome in enumerate(outcomes):
            attempt = _Attempt(task(number), ledger.start_attempt(run_id, f"[{number}]"))
            runner._landed.append((attempt, outcome, None))  # noqa: SLF001 - as if they had been fetched
    return runner


@pytest.mark.parametrize("end", ["_record_and_launch", "_abandon"])
def test_what_lands_together_is_one_transaction(ledger: Ledger, end: str) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(50)))
    runner = runner_with_landed(ledger, run_id, [DONE] * 49 + [FAILED], lambda _: None)
    arguments = ("lost",) if end == "_abandon" else ()
    statements = traced(ledger, lambda: getattr(runner, end)(*arguments))
    assert statements.count("COMMIT") == 1
    assert ledger.counts(run_id) == {"done": 49, "grade:ok": 49, "failed": 1}
    assert (runner.progress.finished, runner.progress.failed) == (50, 1)


def test_nobody_hears_of_an_outcome_before_it_is_durable(ledger: Ledger) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(5)))
    seen: list[tuple[int, int]] = []

    def observe(progress: Progress) -> None:
        with LedgerReader(ledger.folder) as other:
            seen.append((progress.finished, other.counts(run_id).get("done", 0)))

    runner_with_landed(ledger, run_id, [DONE] * 5, observe)._record_and_launch()  # noqa: SLF001
    assert seen == [(number, 5) for number in range(1, 6)]


def test_an_observer_that_breaks_off_loses_no_count(ledger: Ledger) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(5)))

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    runner = runner_with_landed(ledger, run_id, [DONE] * 5, interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner._record_and_launch()  # noqa: SLF001
    runner._abandon("interrupted")  # noqa: SLF001
    assert runner.progress.finished == 5


def test_a_page_of_the_tasks_is_held_while_they_are_handed_out(ledger: Ledger) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(N_KEYS)))
    before = held()
    counted = [held() - before for number, _ in enumerate(ledger.todo(run_id)) if number % 50 == 0]
    assert len(counted) == N_KEYS // 50
    assert max(counted) <= _PAGE + 1


def test_a_plan_is_written_as_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    class Counting(ManyKeysPlug):
        def fingerprint(self, key: Any) -> str:
            counted.append(held())
            return "1"

    monkeypatch.setattr("sdt_dask_core.api.work_off", lambda *_: None)
    SDTDask(Counting, plug_options={"n_keys": 100}, analyses=[], output=tmp_path).execute()
    assert len(counted) == 100
    assert max(counted) - counted[0] <= 2


def test_a_table_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdt_dask_core.run._PIECE", 2)
    assert [len(piece) for piece in _pieces({"key": str(number)} for number in range(5))] == [2, 2, 1]
    assert list(_pieces(iter(()))) == [[]]


@pytest.mark.parametrize("n_keys", [1, 2, N_KEYS])
def test_every_task_is_handed_out_once(ledger: Ledger, n_keys: int) -> None:
    run_id = ledger.begin_run({}, {}, (task(number, weight=float(number % 7)) for number in range(n_keys)))
    handed = [found.key for found in ledger.todo(run_id)]
    assert sorted(handed) == sorted(f"[{number}]" for number in range(n_keys))


def test_the_heaviest_go_first_and_equals_in_their_order(ledger: Ledger) -> None:
    weights = [1.0, 5.0, 1.0, 9.5, 5.0]
    run_id = ledger.begin_run({}, {}, (task(number, weight=weight) for number, weight in enumerate(weights)))
    assert [found.key for found in ledger.todo(run_id)] == ["[3]", "[1]", "[4]", "[0]", "[2]"]
    assert [row["key"] for row in ledger.rows(run_id)] == [f"[{number}]" for number in range(5)]


def test_what_was_done_meanwhile_is_not_handed_out(ledger: Ledger) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(3)))
    with ledger.transaction():
        ledger.record(run_id, task(1), ledger.start_attempt(run_id, "[1]"), DONE)
    assert [found.key for found in ledger.todo(run_id)] == ["[0]", "[2]"]


QUESTIONS: dict[str, Callable[[LedgerReader, str], Any]] = {
    "counts": lambda ledger, run_id: ledger.counts(run_id),
    "reasons": lambda ledger, run_id: ledger.reasons(run_id),
    "keys_because": lambda ledger, run_id: ledger.keys_because(run_id, "vanished"),
    "causes": lambda ledger, run_id: ledger.causes(run_id),
    "keys_failed": lambda ledger, run_id: ledger.keys_failed(run_id, "exception"),
    "first_failed": lambda ledger, run_id: ledger.first_failed(run_id, "exception"),
    "rows": lambda ledger, run_id: list(ledger.rows(run_id)),
    "failed_rows": lambda ledger, run_id: list(ledger.failed_rows(run_id)),
    "tasks": lambda ledger, run_id: list(ledger.tasks(run_id)),
    "todo": lambda ledger, run_id: list(ledger.todo(run_id)),
    "last_outcome": lambda ledger, _: ledger.last_outcome("[1]"),
    "newest_outcomes": lambda ledger, _: list(ledger.newest_outcomes(3)),
}
#: Those that count all keys of a run: they read an index, and not the rows.
COUNTING = {"counts", "reasons"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_reads_an_index_and_sorts_no_run(ledger: Ledger, name: str) -> None:
    run_id = ledger.begin_run({}, {}, map(task, range(3)))
    with ledger.transaction():
        ledger.record(run_id, task(1), ledger.start_attempt(run_id, "[1]"), FAILED)
    (*_, statement) = traced(ledger, lambda: QUESTIONS[name](ledger, run_id))
    steps = [row["detail"] for row in ledger._connection.execute(f"EXPLAIN QUERY PLAN {statement}")]  # noqa: SLF001
    first = steps[0]
    if name == "newest_outcomes":
        assert steps == ["SCAN outcome"]  # by its row number, from the end, and no further than its limit
        return
    assert re.match(r"SEARCH \w+ USING (COVERING )?INDEX", first), steps
    if name in COUNTING:
        assert "USING COVERING INDEX task_counted" in first
        assert not any("GROUP BY" in step for step in steps), steps
    if name not in ("reasons", "keys_because", "causes"):  # they sort the few that they found
        assert not any("TEMP B-TREE" in step for step in steps), steps


def test_open_attempts_are_found_by_their_index(ledger: Ledger) -> None:
    statement = "UPDATE attempt SET ending = 'interrupted' WHERE ended_at IS NULL"
    (step,) = ledger._connection.execute(f"EXPLAIN QUERY PLAN {statement}")  # noqa: SLF001
    assert "INDEX attempt_open" in step["detail"]


def test_dask_remembers_a_bounded_number_of_names() -> None:
    for number in range(1, 2 * _NAMES + 2):
        key_split(f"sdt-dask-{number}-1")
        _forget_old_names(number)
    assert key_split.cache_info().currsize <= _NAMES


def last(seconds: float | None, size: int | None = None) -> LastOutcome:
    return LastOutcome(1, "done", "1", "d", "ok", seconds, size, 500.0)


def test_the_scheduler_keeps_one_span_and_no_note_of_each_key(tmp_path: Path) -> None:
    spans: dict[str, Any] = {}

    def look(_progress: Progress) -> None:
        spans.update(distributed.default_client().cluster.scheduler.extensions["spans"].spans)

    SDTDask(ManyKeysPlug, plug_options={"n_keys": 8}, analyses=[], output=tmp_path / "out").execute(observe=look)
    assert [span.name for span in spans.values()] == [("sdt-dask",)]
    assert [span.metadata["collections"] for span in spans.values()] == [[]]
    assert [len(span.groups) for span in spans.values()] == [1]


def test_the_end_of_a_run_reads_no_more_rows_than_it_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = SDTDask(ManyKeysPlug, plug_options={"n_keys": 30}, analyses=[], output=tmp_path / "out").execute(report=False)
    say_outcome(run)
    assert "and 10 more in" in capsys.readouterr().out
    assert not {"rows", "results"} & vars(run).keys()


def test_a_key_is_expected_to_take_what_it_took_last() -> None:
    measured = Measured.of([last(4.0), last(8.0)])
    assert measured.expect(last(30.0), 5) == (30.0, BY_LAST_TIME)


def test_a_key_that_never_ran_is_expected_to_take_time_by_its_size() -> None:
    measured = Measured.of([last(4.0, 200), last(8.0, 400), last(100.0, None)])
    assert measured.expect(None, 1000) == (20.0, BY_SIZE)


def test_a_key_of_which_nothing_is_known_is_expected_to_take_the_mean() -> None:
    assert Measured.of([last(4.0), last(8.0), last(None)]).expect(None, None) == (6.0, BY_MEAN)


def test_where_nothing_was_measured_the_size_orders_the_keys() -> None:
    assert Measured.of([last(None)]).expect(None, 700) == (700.0, UNKNOWN)
    assert Measured.of([]).expect(None, None) == (0.0, UNKNOWN)


class SizedPlug(FolderPlug):
    """Says how large its files are."""

    def data_size(self, key: Any) -> int:
        return {"a": 10, "b": 30, "c": 20}[key[0]]


class OddPlug(FolderPlug):
    """Says sizes that are none."""

    def data_size(self, key: Any) -> Any:
        return {"a": float("nan"), "b": "large", "c": -1}[key[0]]


def test_the_largest_are_handed_out_first(tool: Callable[..., SDTDask], folder: Path) -> None:
    order: list[str] = []
    run = tool(SizedPlug, {"path": str(folder)}).execute(observe=lambda p: order.extend(p.in_work))
    assert list(dict.fromkeys(order)) == ['["b"]', '["c"]', '["a"]']
    assert [row["key"] for row in run.rows] == ['["a"]', '["b"]', '["c"]']


def test_a_plan_says_what_its_estimate_rests_on(tool: Callable[..., SDTDask], folder: Path) -> None:
    sized = tool(SizedPlug, {"path": str(folder)})
    assert (sized.plan().seconds, sized.plan().expected_by) == (None, {UNKNOWN: 3})
    sized.execute(["a"])
    plan = sized.plan(force=True)
    assert plan.expected_by == {BY_LAST_TIME: 1, BY_SIZE: 2}
    assert plan.measured.n == 1
    first, second, third = (task.weight for task in plan.tasks)
    assert (second, third) == pytest.approx((3 * first, 2 * first))
    estimate = sized.estimate(plan)
    assert estimate.seconds_per_key == pytest.approx(2 * first)
    assert estimate.peak_mb == plan.measured.peak_mb


def test_sizes_that_are_none_are_not_known(tool: Callable[..., SDTDask], folder: Path) -> None:
    assert [task.size for task in tool(OddPlug, {"path": str(folder)}).plan().tasks] == [None, None, None]
