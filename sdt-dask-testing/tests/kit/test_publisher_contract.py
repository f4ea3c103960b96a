"""The tests of `PublisherContract` see what a wrong publisher does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sdt_dask_core import Chunk, Publication, Publisher
from sdt_dask_testing import PublisherContract

Refused = pytest.fail.Exception


class Target:
    """Stands in for a reference: what it builds shares one target."""

    def __init__(self, cls: type[Publisher]) -> None:
        self.cls = cls
        self.rows: list[dict[str, Any]] = []
        self.record: dict[tuple[str, int], str] = {}

    def build(self) -> Any:
        made: Any = self.cls()
        made.target = self
        return made

    def of_run(self, run_id: str) -> list[Mapping[str, Any]]:
        return [row for row in self.rows if row["run_id"] == run_id]


class Good(Publisher):
    """Replaces the rows of a chunk and records it."""

    target: Target

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        return {number: d for (run_id, number), d in self.target.record.items() if run_id == publication.run_id}

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        new = {(row["run_id"], row["key"]) for row in rows}
        kept = [row for row in self.target.rows if (row["run_id"], row["key"]) not in new]
        self.target.rows = [*kept, *map(dict, rows)]
        self.target.record[publication.run_id, chunk.number] = chunk.digest


class Appends(Good):
    """Adds rows to those that are there, and forgets what it wrote."""

    def published_chunks(self, publication: Publication) -> Mapping[int, str]:
        return {}

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        self.target.rows += map(dict, rows)


class Keeps(Good):
    """Takes a row that is there for the one that comes."""

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        there = {(row["run_id"], row["key"]) for row in self.target.rows}
        self.target.rows += [dict(row) for row in rows if (row["run_id"], row["key"]) not in there]
        self.target.record[publication.run_id, chunk.number] = chunk.digest


class ForgetsTheRun(Good):
    """Tells rows by their key alone."""

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        new = {row["key"] for row in rows}
        self.target.rows = [*(row for row in self.target.rows if row["key"] not in new), *map(dict, rows)]


class LosesTheLast(Good):
    """Leaves out a chunk that is not full."""

    def publish_rows(self, publication: Publication, chunk: Chunk, rows: Sequence[Mapping[str, Any]]) -> None:
        if chunk.number + 1 < publication.n_chunks:
            super().publish_rows(publication, chunk, rows)


def ask(test: str, cls: type[Publisher]) -> None:
    """Let one test of the contract ask a publisher."""
    target, contract = Target(cls), PublisherContract()
    contract.publisher = cls
    arguments = [target, "run"] if test == "test_what_is_there_is_not_written_again" else [target, "run", target.of_run]
    getattr(contract, test)(*arguments)


TESTS = (
    "test_each_row_is_there_once",
    "test_published_twice_each_row_is_there_once",
    "test_what_is_there_is_not_written_again",
    "test_rows_that_changed_replace_those_before",
    "test_runs_stand_side_by_side",
)


@pytest.mark.parametrize("test", TESTS)
def test_a_good_publisher_passes(test: str) -> None:
    ask(test, Good)


@pytest.mark.parametrize(
    ("cls", "test", "message"),
    [
        (Appends, "test_published_twice_each_row_is_there_once", "'a' is there 2 times"),
        (Appends, "test_what_is_there_is_not_written_again", "wrote 3 of 3 chunks, and 3 when the same"),
        (Keeps, "test_rows_that_changed_replace_those_before", "left rows as they were"),
        (ForgetsTheRun, "test_runs_stand_side_by_side", "'a' is there 0 times"),
        (LosesTheLast, "test_each_row_is_there_once", "is there 0 times"),
    ],
)
def test_a_wrong_publisher_is_refused(cls: type[Publisher], test: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        ask(test, cls)
