"""What holds of a client after a run, whatever its end: nothing is left."""

from __future__ import annotations

import pytest

from sdt_dask_testing.client_given import ENDS, ClientGiven, Try
from sdt_dask_testing.client_request import Way
from sdt_dask_testing.client_visits import Visit
from sdt_dask_testing.verdict import require

__all__ = ["INTERRUPTED", "ClientEnds"]

#: What an interrupted run raises, before a cluster was asked for and after.
INTERRUPTED = ("RunInterruptedError", "KeyboardInterrupt")


class ClientEnds(ClientGiven):
    """Tests of each end that a run can take: success, an error, Ctrl-C, SIGTERM."""

    def test_a_run_ends_as_it_should(self, contract_way: str, contract_try: Try, contract_look: Visit) -> None:
        """Two keys come to their rows; an error comes through; an interrupt ends the run, and its process."""
        found = contract_try(contract_way)
        name = self.contract_name
        require(
            not found.problem, f"a run with {name} that should end by {contract_way} came to no end: {found.problem}"
        )
        kinds = found.report.kinds.get("end", ())
        raised = found.report.errors.get("end", f"nothing, but gave {found.report.values.get('end')}")
        if contract_way == Way.SUCCESS:
            done = (self.value(found, "end") or {}).get("done")
            require(done == 2, f"a run of two keys with {name} gave {found.report.values['end']}")  # noqa: PLR2004
        elif contract_way == Way.ERROR:
            require(
                "RuntimeError" in kinds, f"an error in the middle of a run with {name} was lost; it raised: {raised}"
            )
        else:
            require(
                any(kind in kinds for kind in INTERRUPTED),
                f"{contract_way} in the middle of a run with {name} should interrupt it; it raised: {raised}\n"
                "Catch Exception at most, never BaseException or KeyboardInterrupt without raising it again.",
            )

    def test_leaves_no_process(self, contract_end: Visit) -> None:
        """Scheduler, workers and what they started are gone."""
        self.require_none_left(
            contract_end,
            "processes",
            "leaves processes behind",
            "Close the cluster in close(), whatever became of the run, and wait until its processes have ended.",
        )

    def test_leaves_no_open_port(self, contract_end: Visit) -> None:
        """Nobody listens any more."""
        self.require_none_left(
            contract_end, "sockets", "leaves a port open", "Close the scheduler and every server in close()."
        )

    def test_leaves_no_thread(self, contract_end: Visit) -> None:
        """A notebook goes on after the run, and a script must be able to end."""
        self.require_none_left(
            contract_end,
            "threads",
            "leaves a thread at work",
            "Close the client, the cluster and every executor in close(); a cluster whose loop goes on is not closed.",
        )

    def test_leaves_no_file(self, contract_end: Visit) -> None:
        """Neither in the folder for temporary files nor in the working folder."""
        self.require_none_left(
            contract_end,
            "files",
            "leaves files behind",
            "Remove in close() what you wrote; tempfile.TemporaryDirectory has cleanup() for it.",
        )

    def test_leaves_signal_handlers_as_they_were(self, contract_end: Visit) -> None:
        """Ctrl-C means after the run what it meant before."""
        self.require_none_left(
            contract_end,
            "signal_handlers",
            "leaves signal handlers changed",
            "Keep what signal.signal(…) returned, and set it again in close().",
        )

    def test_leaves_nothing_unclosed(self, contract_end: Visit) -> None:
        """Python warns of nothing that was never closed or never awaited."""
        self.require_none_left(
            contract_end,
            "warnings",
            "leaves something unclosed",
            "`python -X dev -X tracemalloc=10` tells where each was opened; close it in close().",
        )

    def test_leaves_nothing_beyond_this_machine(self, contract_end: Visit) -> None:
        """The account is as it was; see `leftovers`."""
        self.require_none_left(
            contract_end,
            "cloud",
            "leaves what costs money, or gives access",
            "Delete in close() all that make_client made, also when it was not finished, and wait until it is gone.",
        )

    def test_what_it_joined_goes_on(self, contract_try: Try, contract_look: Visit) -> None:
        """The cluster is somebody else's: the same workers answer after a run, and another client can join them."""
        if not self.joins:
            pytest.skip("the cluster is the client's own")
        for way in ENDS:
            found = contract_try(way)
            if found.problem:
                continue  # the matter of test_a_run_ends_as_it_should
            before, after = (self.value(found, f"joined {when}") for when in ("before", "after"))
            require(
                before == after,
                f"{self.contract_name} joins a cluster, which was {before} before a run that ended by {way}, and is "
                f"{after} after it; leave it running: close the distributed.Client alone",
            )
