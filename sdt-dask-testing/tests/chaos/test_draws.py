"""What is drawn: the same from the same seed, and everything in the long run."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sdt_dask_testing.chaos.audit import Snapshot
from sdt_dask_testing.chaos.faults import drawn_keys, kinds_of_faults
from sdt_dask_testing.chaos.instants import PHASES, Instant, Watched, draw_instant, phase_between


def test_the_same_seed_draws_the_same_faults() -> None:
    assert drawn_keys(7, 20) == drawn_keys(7, 20)
    assert drawn_keys(7, 20) != drawn_keys(8, 20)


def test_a_third_of_the_keys_has_a_fault_each_of_its_own_kind() -> None:
    keys = drawn_keys(7, 20)
    faults = Counter(key.fault for key in keys)
    assert faults.pop("") == 40
    assert set(faults.values()) == {1}
    assert len(faults) == 20


def test_no_two_keys_are_the_same() -> None:
    keys = drawn_keys(7, 56)
    assert len({key.key for key in keys}) == len(keys)


def test_ten_seeds_draw_every_kind_of_fault() -> None:
    drawn = {key.fault for seed in range(10) for key in drawn_keys(seed, 24)} - {""}
    assert drawn == set(kinds_of_faults())


def test_the_same_seed_draws_the_same_instants() -> None:
    one, other = random.Random(3), random.Random(3)
    assert [draw_instant(one, 40) for _ in range(20)] == [draw_instant(other, 40) for _ in range(20)]


def test_every_phase_is_aimed_at() -> None:
    rng = random.Random(3)
    assert {draw_instant(rng, 40).phase for _ in range(200)} == set(PHASES)


def _watched(*, is_alive: bool, n_outcomes: int) -> Watched:
    lives = lambda: is_alive  # noqa: E731 - four of them
    return Watched(lives, lives, lives, lives, lambda: n_outcomes, 40)


@pytest.mark.parametrize(
    ("is_alive", "n_outcomes", "has_come"), [(True, 3, True), (True, 2, False), (False, 2, False), (False, 3, False)]
)
def test_an_instant_comes_only_to_a_driver_that_gets_there_alive(
    is_alive: bool, n_outcomes: int, has_come: bool
) -> None:
    watched = _watched(is_alive=is_alive, n_outcomes=n_outcomes)
    assert Instant("computing", 3, 0.0).wait(watched, patience=0.1) is has_come


def test_the_documentation_says_how_many_kinds_of_faults_there_are() -> None:
    assert len(kinds_of_faults()) == 56


def _snapshot(state: str, *, todo: int, outcomes: int, attempts: int) -> Snapshot:
    tasks = {str(number): {"state": "todo"} for number in range(todo)}
    return Snapshot({number: {} for number in range(outcomes)}, tasks, [{}] * attempts, "run", state)


def test_the_phase_of_a_kill_is_read_from_what_it_left() -> None:
    before = _snapshot("interrupted", todo=5, outcomes=2, attempts=3)
    assert [
        phase_between(Snapshot(), Snapshot()),
        phase_between(before, before),
        phase_between(before, _snapshot("running", todo=5, outcomes=2, attempts=3)),
        phase_between(before, _snapshot("running", todo=5, outcomes=2, attempts=5)),
        phase_between(before, _snapshot("running", todo=4, outcomes=3, attempts=5)),
        phase_between(before, _snapshot("running", todo=0, outcomes=7, attempts=8)),
        phase_between(before, _snapshot("complete", todo=0, outcomes=7, attempts=8)),
    ] == [
        "before its run was in the ledger",
        "before it took up the run again",
        "starting its cluster",
        "before its first outcome",
        "computing",
        "closing",
        "writing its tables",
    ]
