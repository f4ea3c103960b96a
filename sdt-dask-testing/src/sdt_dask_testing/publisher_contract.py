"""`PublisherContract`: what every publisher must keep, as tests that its author's class inherits."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from sdt_dask_core.reference import Reference
from sdt_dask_testing.fresh import FreshProcessError, ask
from sdt_dask_testing.probe import packed
from sdt_dask_testing.provider_contract import ProviderContract
from sdt_dask_testing.published import KEYS, publish, results
from sdt_dask_testing.verdict import bullets, refuse, require

__all__ = ["PublisherContract"]

#: Returns what the target holds of a run.
Rows = Callable[[str], "list[Mapping[str, Any]]"]


class PublisherContract(ProviderContract):
    """What a publisher that a distribution offers must keep.

    Attributes
    ----------
    publisher : type
        The author's class.
    options : dict
        What it is built with, secrets as references; or a fixture of that name. Other processes must reach the target.
    read_rows : fixture
        Gives a function that, given the options, returns every row that the target holds, of all runs: mappings with
        ``run_id``, ``key`` and ``rate_pct_per_year``, read without the publisher.

    Examples
    --------
    >>> class TestAcmePublisher(PublisherContract):  # doctest: +SKIP
    ...     publisher = AcmePublisher
    ...     options = {"url": "env:ACME_URL"}
    ...
    ...     @pytest.fixture
    ...     def read_rows(self):
    ...         return lambda options: fetch_all_rows()
    """

    kind: ClassVar[str] = "publisher"
    secret_question: ClassVar[str] = "sdt_dask_testing.probe_publisher:told_of_publisher"  # noqa: S105 - a question

    publisher: Any = None
    read_rows: Any = None

    @pytest.fixture
    def contract_run_id(self) -> str:
        """Return the id of a run that no other test publishes."""
        return f"run-{uuid.uuid4().hex}"

    @pytest.fixture
    def contract_rows(self, request: pytest.FixtureRequest, contract_options: dict[str, Any]) -> Rows:
        """Return what reads the rows of a run from the target."""
        read = self.given(request, "read_rows")
        return lambda run_id: [row for row in read(dict(contract_options)) if row["run_id"] == run_id]

    def use(self, provider: Any, request: pytest.FixtureRequest) -> None:
        """Let the publisher write a run of its own; it is closed by that."""
        publish(provider, f"run-{uuid.uuid4().hex}")

    def secret_arguments(self, request: pytest.FixtureRequest) -> list[Any]:
        """Return the run that a fresh process publishes."""
        return [f"run-{uuid.uuid4().hex}"]

    def test_each_row_is_there_once(
        self, contract_reference: Reference, contract_run_id: str, contract_rows: Rows
    ) -> None:
        """Whatever is in a key, and also where a chunk is not full."""
        publish(contract_reference.build(), contract_run_id)
        self.require_once(contract_rows(contract_run_id), "after it was published")

    def test_published_twice_each_row_is_there_once(
        self, contract_reference: Reference, contract_run_id: str, contract_rows: Rows
    ) -> None:
        """A nightly job that ran twice."""
        for _ in range(2):
            publish(contract_reference.build(), contract_run_id)
        self.require_once(contract_rows(contract_run_id), "after it was published twice")

    def test_what_is_there_is_not_written_again(self, contract_reference: Reference, contract_run_id: str) -> None:
        """The record of the target tells which chunks it holds."""
        first = publish(contract_reference.build(), contract_run_id)
        again = publish(contract_reference.build(), contract_run_id)
        require(
            (first.n_written, again.n_written) == (first.n_chunks, 0),
            f"{self.contract_name} wrote {first.n_written} of {first.n_chunks} chunks, and {again.n_written} when the "
            "same was published again; let published_chunks return the digests that publish_rows recorded",
        )

    def test_rows_that_changed_replace_those_before(
        self, contract_reference: Reference, contract_run_id: str, contract_rows: Rows
    ) -> None:
        """As after `sdt-dask retry`."""
        publish(contract_reference.build(), contract_run_id)
        publish(contract_reference.build(), contract_run_id, results(rate=-2.25))
        rows = contract_rows(contract_run_id)
        self.require_once(rows, "after its rows had changed")
        rates = {float(row["rate_pct_per_year"]) for row in rows}
        require(rates == {-2.25}, f"{self.contract_name} left rows as they were before they changed: {rates}")

    def test_runs_stand_side_by_side(
        self, contract_reference: Reference, contract_run_id: str, contract_rows: Rows
    ) -> None:
        """A run does not take away another one's rows."""
        for run_id in (contract_run_id, f"{contract_run_id}-later"):
            publish(contract_reference.build(), run_id)
        for run_id in (contract_run_id, f"{contract_run_id}-later"):
            self.require_once(contract_rows(run_id), "of two runs")

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_killed_and_repeated_each_row_is_there_once(
        self, contract_reference: Reference, contract_run_id: str, contract_rows: Rows, number: int, when: str
    ) -> None:
        """`kill -9` right before and right after each chunk."""
        arguments = (packed(contract_reference), contract_run_id, number, when)
        try:
            ask("sdt_dask_testing.probe_publisher:publish_and_die", *arguments)
        except FreshProcessError as error:
            if "signal" not in str(error):
                refuse(f"{self.contract_name} does not publish in a process of its own: {error}")
        else:
            refuse(f"{self.contract_name} was not given chunk {number}: published_chunks says it is there")
        publish(contract_reference.build(), contract_run_id)
        self.require_once(contract_rows(contract_run_id), f"after a kill {when} chunk {number} and a repeat")

    def require_once(self, rows: list[Mapping[str, Any]], when: str) -> None:
        """Refuse rows that are not each key once."""
        counts = Counter(str(row["key"]) for row in rows)
        wrong = [f"{key!r} is there {counts[key]} times" for key in sorted({*KEYS, *counts}) if counts[key] != 1]
        wrong += [f"{key!r} is no key of the run" for key in sorted(set(counts) - set(KEYS))]
        require(
            not wrong,
            f"{self.contract_name} does not hold each row once {when}:{bullets(wrong)}\nWrite the rows of a chunk and "
            "its record in one transaction, or under a name that the run and the chunk alone decide.",
        )
