"""Clients that keep the contract pass it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import INSTALLED, Case, Outcome

pytestmark = pytest.mark.slow

OutcomeOf = Callable[[str], Outcome]

# A cluster of it is a folder with a file for each piece, in the folder of its cloud.
CLOUD = """
from datetime import datetime, timezone

from sdt_dask_core import ClusterRecord


class Cloudy(Good):
    \"\"\"Start a cluster of threads, and a machine in a cloud.

    Parameters
    ----------
    cloud : pathlib.Path
        Folder with a file for each machine.
    \"\"\"

    def __init__(self, cloud: Path) -> None:
        super().__init__()
        self.cloud = cloud

    def make_client(self):
        client = super().make_client()
        self._open.callback((self.cloud / "machine").unlink, missing_ok=True)
        (self.cloud / "machine").touch()
        return client

    def cost_so_far(self):
        return 0.0 if self._open is None else 0.5

    def list_clusters(self):
        for file in self.cloud.iterdir():
            yield ClusterRecord(file.name, "here", True, datetime.now(timezone.utc), "ada", (f"file {file.name}",))

    def remove_cluster(self, name):
        if not (self.cloud / name).exists():
            raise ClientError(f"there is no cluster {name!r}")
        (self.cloud / name).unlink()
        yield f"file {name}"
"""
ON_CLOUD = """
client = Cloudy

@pytest.fixture(scope="class")
@classmethod
def options(cls, tmp_path_factory):
    cls.folder = tmp_path_factory.mktemp("cloud")
    return {"cloud": cls.folder}

def leftovers(self):
    return [file.name for file in self.folder.iterdir()]
"""
PLAIN = """
class Plain:
    def __init__(self, workers=1):
        self.workers = workers

    def init_client(self):
        import distributed

        self.cluster = distributed.LocalCluster(
            n_workers=self.workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        )
        return distributed.Client(self.cluster)
"""
# As Solar Data Tools' users start it.
THEIRS = """
client = Theirs
options = {"workers": 1, "threads": 1, "memory": 0.5, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
"""

CASES = {
    "good": Case(CLOUD, ON_CLOUD, select=f"not ({INSTALLED})"),
    "plain": Case(PLAIN, "client = Plain", contract="PlainClientContract", select="client or cluster or process"),
    "theirs": Case(
        "from sdt_dask.clients.local_client import LocalClient as Theirs\n",
        THEIRS,
        contract="PlainClientContract",
        select="client or success",
    ),
}


def test_a_good_client_passes_and_nothing_of_its_own_is_skipped(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("good")
    assert outcome.failed == {}
    assert outcome.skipped == {
        "test_no_secret_shows",
        "test_what_it_joined_goes_on",
        "test_options_that_cannot_work_are_told",
        "test_options_that_cannot_work_leave_nothing",
    }


def test_a_plain_client_passes_what_is_asked_of_it(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("plain")
    assert outcome.failed == {}
    assert {f"test_leaves_no_process[{end}]" for end in ("success", "an error", "Ctrl-C", "SIGTERM")} <= outcome.passed


def test_the_local_client_of_solar_data_tools_passes_what_is_asked_of_a_plain_one(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("theirs")
    assert outcome.failed == {}
    assert {"test_make_client_gives_a_client", "test_leaves_no_process[success]"} <= outcome.passed
