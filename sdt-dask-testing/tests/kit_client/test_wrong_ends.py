"""Clients that leave something behind fail the one test that looks for it, with what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Case, Outcome

pytestmark = pytest.mark.slow

OutcomeOf = Callable[[str], Outcome]

LEFT = {
    "process": """
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    """,
    "orphan": """
        # Its parent ends at once, and its environment is another one.
        script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
        subprocess.run([sys.executable, "-c", script], start_new_session=True)
    """,
    "port": """
        socket.create_server(("127.0.0.1", 0)).detach()  # open, and Python has forgotten it
    """,
    "loop": """
        import asyncio
        threading.Thread(target=asyncio.new_event_loop().run_forever, daemon=True).start()
    """,
    "thread": """
        threading.Thread(target=threading.Event().wait).start()
    """,
    "temporary folder": """
        Path(tempfile.mkdtemp(prefix="certificates-"), "key.pem").write_text("key")
    """,
    "working folder": """
        Path("dask.log").write_text("started")
    """,
    "configuration": """
        import dask
        dask.config.set({"distributed.worker.profile.interval": "1h", "my-cloud.region": "here"})
    """,
    "signal handler": """
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    """,
    "warning": """
        open(os.devnull)
    """,
}


def leaving(*what: str) -> str:
    """Return a client whose `make_client` does these things besides."""
    statements = "".join(LEFT[name] for name in what)
    return f"\nclass Wrong(Good):\n    def make_client(self):{statements}\n        return super().make_client()\n"


SLOW_START = """
class Wrong(Good):
    def make_client(self):
        if "while the cluster starts" in Path(sys.argv[1]).read_text():  # what the kit asks for
            {start}
        return super().make_client()

    def start(self):
        # Deaf to the interrupt, as a task in a cloud is.
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
"""
# Who swallows it and comes to an end is interrupted by core then; this one tries again for ever.
SWALLOWS = SLOW_START.format(
    start="""task = None
            while task is None or task.poll() is None:
                try:
                    task = task or self.start()
                    task.wait()
                except KeyboardInterrupt:
                    pass"""
)
LEAVES = SLOW_START.format(
    start="""self.start()
            time.sleep(600)"""
)
# It never ends, so the time that it gets to end decides nothing.
ENDS_SOON = "time_to_end = 3.0"

ACCOUNT = """
class Cloud(Good):
    \"\"\"Start a cluster of threads, and a machine in an account, which stays after an error.

    Parameters
    ----------
    account : str
        Folder with a file for each machine.
    \"\"\"

    def __init__(self, account: str) -> None:
        super().__init__()
        self.account = account

    def make_client(self):
        (Path(self.account) / "machine").touch()
        return super().make_client()

    def close(self):
        super().close()
        if sys.exc_info()[1] is None:
            (Path(self.account) / "machine").unlink(missing_ok=True)
"""

ON_ACCOUNT = """
client = Cloud

@pytest.fixture(autouse=True, scope="class")
@classmethod
def account(cls, tmp_path_factory):
    cls.folder = tmp_path_factory.mktemp("account")
    return cls.folder

@pytest.fixture
def options(self, account):
    return {"account": str(account)}

def leftovers(self):
    return [file.name for file in self.folder.iterdir()]
"""

JOINED = """
import distributed

class Wrong(Client):
    def __init__(self, address: str) -> None:
        self.address = address
        self.client = None

    def make_client(self):
        self.client = distributed.Client(self.address)
        return self.client

    def close(self):
        if self.client is not None:
            {close}
            self.client = None
"""

ON_CLUSTER = """
joins = True

@pytest.fixture(scope="class")
@classmethod
def address(cls):
    with distributed.LocalCluster(
        n_workers=8, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address

@pytest.fixture
def options(self, address):
    return {"address": address}
"""

BROKEN = """
class Wrong(Good):
    def make_client(self):
        {before}
        raise {error}("no more machines of this kind; choose another")
"""

CASES = {
    "much": Case(leaving(*(name for name in LEFT if name != "thread")), select="success"),
    "thread": Case(leaving("thread"), select="success"),
    "scheduler": Case(
        """
        class Wrong(Good):
            def close(self):
                if not isinstance(sys.exc_info()[1], RuntimeError):
                    super().close()
        """,
        select="success or error",
    ),
    "swallows a start": Case(SWALLOWS, ENDS_SOON, select="interrupted_start or gives_a_client"),
    "leaves a start": Case(LEAVES, select="interrupted_start or gives_a_client"),
    "swallows a run": Case(
        """
        class Wrong(Good):
            def make_client(self):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # before core's own is set back
                return super().make_client()
        """,
        ENDS_SOON,
        select="SIGTERM",
    ),
    "machine": Case(ACCOUNT, ON_ACCOUNT, select="success or error"),
    "loses workers": Case(
        JOINED.format(
            close="""with distributed.Client(self.address) as client:
                client.retire_workers(list(client.nthreads())[:1])"""
        ),
        ON_CLUSTER,
        select="joined",
    ),
    "no client error": Case(
        BROKEN.format(before='Path("half").mkdir()', error="ValueError"),
        "broken_options = {'n_workers': 2}",
        select="cannot_work",
    ),
}


@pytest.mark.parametrize(
    ("left", "test", "said"),
    [
        ("process", "test_leaves_no_process", ["time.sleep(600)", "Close the cluster in close()"]),
        ("orphan", "test_leaves_no_process", ["after the end of the run's own process"]),
        ("port", "test_leaves_no_open_port", ["listens on 127.0.0.1:"]),
        ("loop", "test_leaves_no_thread", ["an asyncio event loop that still runs in a thread"]),
        ("temporary folder", "test_leaves_no_file", ["tmp/certificates-", "key.pem", "cleanup()"]),
        ("working folder", "test_leaves_no_file", ["cwd/dask.log"]),
        (
            "configuration",
            "test_leaves_dasks_configuration_as_it_was",
            ["distributed.worker.profile.interval: '10ms' became '1h'", "my-cloud.region: not set became 'here'"],
        ),
        (
            "signal handler",
            "test_leaves_signal_handlers_as_they_were",
            ["SIGUSR1", "Keep what signal.signal(…) returned"],
        ),
        ("warning", "test_leaves_nothing_unclosed", ["ResourceWarning: unclosed file"]),
    ],
)
def test_what_is_left_is_found_by_the_test_that_looks_for_it(
    outcome_of_case: OutcomeOf, left: str, test: str, said: list[str]
) -> None:
    failed = outcome_of_case("much").failed
    assert left in LEFT
    assert [text for text in said if text not in failed[f"{test}[success]"]] == []
    assert [name for name, message in failed.items() if said[0] in message] == [f"{test}[success]"]


def test_what_is_left_fails_no_other_test(outcome_of_case: OutcomeOf) -> None:
    kinds = ("process", "open_port", "thread", "file")
    wanted = {f"test_leaves_no_{kind}[success]" for kind in kinds} | {
        "test_leaves_dasks_configuration_as_it_was[success]",
        "test_leaves_signal_handlers_as_they_were[success]",
        "test_leaves_nothing_unclosed[success]",
    }
    assert set(outcome_of_case("much").failed) == wanted


def test_a_thread_that_keeps_the_process_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("thread").failed
    assert set(failed) == {"test_leaves_no_thread[success]"}
    assert "which is no daemon" in failed["test_leaves_no_thread[success]"]


def test_a_scheduler_left_on_an_error_only_is_found_there(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("scheduler").failed
    assert {"test_leaves_no_open_port[an error]", "test_leaves_no_thread[an error]"} <= set(failed)
    assert all(name.endswith("[an error]") for name in failed)


def test_an_interrupt_that_is_swallowed_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("swallows a start").failed
    assert set(failed) == {"test_an_interrupted_start_leaves_nothing"}
    assert "Ctrl-C while Wrong started was not heard" in failed["test_an_interrupted_start_leaves_nothing"]


def test_what_an_interrupted_start_leaves_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("leaves a start").failed
    assert set(failed) == {"test_an_interrupted_start_leaves_nothing"}
    assert "Register each thing for close() before" in failed["test_an_interrupted_start_leaves_nothing"]


def test_an_interrupt_in_a_run_that_is_swallowed_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("swallows a run").failed
    assert set(failed) == {"test_a_run_ends_as_it_should[SIGTERM]"}
    assert "it had not ended after 3 s" in failed["test_a_run_ends_as_it_should[SIGTERM]"]


def test_a_machine_left_in_an_account_is_found(outcome_of_case: OutcomeOf) -> None:
    outcome = outcome_of_case("machine")
    assert set(outcome.failed) == {"test_leaves_nothing_beyond_this_machine[an error]"}
    assert "  - machine\n" in outcome.failed["test_leaves_nothing_beyond_this_machine[an error]"]
    assert "test_leaves_nothing_beyond_this_machine[success]" in outcome.passed


def test_a_joined_cluster_that_loses_its_workers_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("loses workers").failed
    assert set(failed) == {"test_what_it_joined_goes_on"}
    assert "leave it running: close the distributed.Client alone" in failed["test_what_it_joined_goes_on"]


def test_options_that_cannot_work_must_raise_a_client_error(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("no client error").failed
    assert "Raise sdt_dask_core.errors.ClientError" in failed["test_options_that_cannot_work_are_told"]


def test_what_a_cluster_leaves_that_did_not_come_up_is_found(outcome_of_case: OutcomeOf) -> None:
    failed = outcome_of_case("no client error").failed
    assert set(failed) == {
        "test_options_that_cannot_work_are_told",
        "test_options_that_cannot_work_leave_nothing",
    }
    assert "files: cwd/half" in failed["test_options_that_cannot_work_leave_nothing"]
