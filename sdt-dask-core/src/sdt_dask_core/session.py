"""A session on the driver: the plug and the addons built for planning, the cluster up while keys are worked off.

Everything that is opened here is closed on every path.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.addons import tell
from sdt_dask_core.agreement import Agreement
from sdt_dask_core.clients.starting import GOODBYE
from sdt_dask_core.contract import HookManager
from sdt_dask_core.costs import refuse_unless_cost_is_known
from sdt_dask_core.ending import ended
from sdt_dask_core.errors import ClientError, MainGuardError, RunInterruptedError, SdtDaskError
from sdt_dask_core.job import Job
from sdt_dask_core.ledger import Ledger
from sdt_dask_core.limits import Limits, LimitWatch
from sdt_dask_core.progress import Progress, RunInfo
from sdt_dask_core.reference import Reference
from sdt_dask_core.runner import Runner
from sdt_dask_core.settings import RunSettings
from sdt_dask_core.stopping import StopRequest

if TYPE_CHECKING:
    import distributed

__all__ = ["continue_run", "driver_hooks", "refuse_second_main", "work_off"]

logger = logging.getLogger(__name__)

Observer = Callable[[Progress], None]


@contextlib.contextmanager
def driver_hooks(job: Job) -> Iterator[Any]:
    """Build the plug and the addons on the driver; yield pluggy's hook relay."""
    manager = HookManager()
    manager.register(job.plug.build(), name=job.plug.name)
    for reference in job.addons:
        manager.register(reference.build(), name=reference.name)
    try:
        yield manager.hook
    finally:
        tell(manager.hook, "close")


def refuse_second_main() -> None:
    """Stop a script that Python's spawn runs again because it lacks a ``__main__`` guard.

    Raises
    ------
    MainGuardError
        This process is being set up by spawn, and the main module is on its way to start another run.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise MainGuardError(
            'put the call that starts the run under `if __name__ == "__main__":`, because Python runs this script '
            "again in each process that the cluster starts"
        )


def work_off(ledger: Ledger, run_id: str, settings: RunSettings, observe: Observer | None) -> None:
    """Make the cluster, work off what is to do, close the cluster, and write how it ended and its tables.

    No cluster is made when there is nothing to do.

    Raises
    ------
    ClientError
        The cluster could not be made or joined.
    EnvironmentMismatchError, LocalityError
        Its workers do not have what is here, or cannot see the plug's files; no key was started.
    ClusterLostError, LimitReachedError, RunInterruptedError
        It ended early; what was finished is recorded.
    """
    refuse_second_main()
    stop = StopRequest()
    with stop.heard(), ended(ledger, run_id):
        try:
            if ledger.counts(run_id).get("todo"):
                _on_cluster(ledger, run_id, settings, observe=observe or _nobody, stop=stop)
        except KeyboardInterrupt:
            raise RunInterruptedError(
                f"interrupted; what was finished is recorded: sdt-dask resume {ledger.folder} does the rest"
            ) from None
    if stop.is_asked:  # too late for this run, but whoever runs several wants no other
        raise RunInterruptedError(
            f"interrupted when no key was left to do; everything is recorded: sdt-dask status {ledger.folder} shows it"
        )


def _on_cluster(ledger: Ledger, run_id: str, settings: RunSettings, *, observe: Observer, stop: StopRequest) -> None:
    agreement = Agreement(settings)
    with driver_hooks(settings.job) as hooks, _cluster(settings.client, stop) as (client, of_client):
        with stop.interrupting():
            stop.check()
            newcomers = agreement.reach(client)
        progress = _progress(ledger, run_id)
        runner = Runner(
            client,
            newcomers=newcomers,
            job=settings.job,
            ledger=ledger,
            run=RunInfo(run_id, str(ledger.folder), progress.total),
            hooks=hooks,
            observe=observe,
            limits=LimitWatch(settings.limits, of_client.cost_so_far),
            stop=stop,
        )
        runner.work_off(ledger.todo(run_id), progress)


def continue_run(
    output: Path | str,
    *,
    retry_failed: bool = False,
    observe: Observer | None = None,
    limits: Limits | None = None,
    allow_mismatch: bool = False,
) -> str:
    """Do what is missing of the newest run in a folder, with the settings that it had; return its id.

    Parameters
    ----------
    output : path
        The output folder.
    retry_failed : bool
        Do the failed keys again, too.
    observe : callable, optional
        Called with a `Progress` after every change.
    limits : Limits, optional
        What ends it early this time; by default what the run was started with.
    allow_mismatch : bool
        Go on where the cluster is not as this environment, also where the run was started without it.

    Raises
    ------
    LedgerError
        There is no run.
    """
    from sdt_dask_core.ledger import LedgerReader

    with LedgerReader(output) as reader:  # says that there is none before a writer would make one
        reader.run()
    with Ledger(output) as ledger:
        row = ledger.run()
        if row.state == "complete" and not (retry_failed and ledger.counts(row.run_id).get("failed")):
            return row.run_id  # it ended when it ended
        settings = RunSettings.from_dict(row.settings)
        settings = replace(
            settings,
            limits=(limits or Limits()).or_else(settings.limits),
            allow_mismatch=allow_mismatch or settings.allow_mismatch,
        )
        if settings.limits.max_cost is not None:
            refuse_unless_cost_is_known(settings.client)
        ledger.reopen_run(row.run_id, retry_failed=retry_failed)
        work_off(ledger, row.run_id, settings, observe)
    return row.run_id


def _progress(ledger: Ledger, run_id: str) -> Progress:
    counts = ledger.counts(run_id)
    skipped = counts.get("skipped", 0)
    progress = Progress(total=sum(counts.get(state, 0) for state in ("todo", "done", "failed", "skipped")))
    progress.skipped = skipped + counts.get("done", 0)
    progress.failed = counts.get("failed", 0)
    return progress


def _nobody(_: Progress) -> None:
    """Watch nothing."""


@contextlib.contextmanager
def _cluster(reference: Reference, stop: StopRequest) -> Iterator[tuple[distributed.Client, Any]]:
    """Make the cluster; yield its client and the hook relay of the client plug."""
    manager = HookManager()
    manager.register(reference.build(), name=reference.name)
    client = None
    try:
        with stop.interrupting():  # a cloud takes minutes
            stop.check()
            client = _make_client(manager, reference)
        yield client, manager.hook
    finally:
        if client is not None:
            with contextlib.suppress(Exception):  # a lost cluster cannot say goodbye
                client.close(timeout=GOODBYE)
        with stop.interrupting():  # what a client that is broken off may leave is its own matter
            tell(manager.hook, "close")


def _make_client(manager: HookManager, reference: Reference) -> distributed.Client:
    try:
        # Dask's own table of versions comes as a warning, and ours comes next.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Mismatched versions found")
            client: distributed.Client = manager.hook.make_client()
    except SdtDaskError:
        raise
    except Exception as error:  # whatever a client plug's SDK raises
        hint = ""
        if "Nanny failed to start" in str(error) or "bootstrapping phase" in str(error):
            hint = '; if this is a script, put the call that starts the run under `if __name__ == "__main__":`'
        raise ClientError(
            f"client {reference.name!r} of {reference.distribution} {reference.version} could not make a cluster: "
            f"{type(error).__name__}: {error}{hint}"
        ) from error
    if client is None:
        raise ClientError(f"client {reference.name!r} returned no distributed.Client; make_client must return one")
    return client
