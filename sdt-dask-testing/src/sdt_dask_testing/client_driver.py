"""The process in which a client is tried: a user's script, with a run of the core's around the client.

Started as ``python -m sdt_dask_testing.client_driver REQUEST``; see `sdt_dask_testing.client_visits`, which follows
what it writes into its ``events``.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import operator
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_testing.client_asking import ask_after, ask_before, ask_while_up
from sdt_dask_testing.client_request import AT_WORK, COSTED_KEYS, INTERRUPTS, REPORT, STARTING, Report, Request, Way

if TYPE_CHECKING:
    import distributed

    from sdt_dask_core.reference import Reference

__all__ = ["main", "told_of_client"]


def main() -> None:
    """Do what the request says and report."""
    request = Request(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.path.extend(entry for entry in request.sys_path if entry not in sys.path)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts deaf to Ctrl-C what is in its background
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)  # when it hangs, it is asked where
    import distributed  # noqa: F401 - it fills in Dask's configuration, before anything is compared

    report = Report()
    steps = {Way.LOOK: _look, Way.BROKEN: _fail_to_start}.get(request.way, _run)
    steps(request, report)
    _tell(request, REPORT, **asdict(report))


def _tell(request: Request, event: str, **facts: Any) -> None:
    with request.events.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, **facts}, default=repr) + "\n")


def _reference(request: Request) -> Reference:
    from sdt_dask_core.reference import Reference

    return Reference(**request.client)


def _hooks(reference: Reference) -> Any:
    from sdt_dask_core.contract import HookManager

    manager = HookManager()
    manager.register(reference.build(), name=reference.name)
    return manager.hook


@contextlib.contextmanager
def _cluster(reference: Reference) -> Iterator[distributed.Client]:
    hooks = _hooks(reference)
    try:
        with contextlib.closing(hooks.make_client()) as client:
            yield client
    finally:
        hooks.close()


def _look(request: Request, report: Report) -> None:
    import distributed

    hooks = _hooks(_reference(request))
    report.note("check_access", lambda: [sentence for found in hooks.check_access() for sentence in found or ()])
    report.note("estimate_cost", lambda: [hooks.estimate_cost(n_keys=n, seconds_per_key=60.0) for n in COSTED_KEYS])
    ask_before(hooks, report)
    report.note("close before make_client", hooks.close)
    made: list[Any] = []
    report.note("make_client", lambda: made.append(hooks.make_client()))
    for client in made:
        report.values["type"] = f"{type(client).__module__}.{type(client).__qualname__}"
        if isinstance(client, distributed.Client):
            report.values["is a client"] = True
            _look_at(client, request, report)
            ask_while_up(hooks, report)
            report.note("close of the client", client.close)
    report.note("close", hooks.close)
    report.note("close again", hooks.close)
    ask_after(hooks, report, request.grace)
    if "computed" in report.values:
        report.note("another", lambda: _another(request))


def _look_at(client: distributed.Client, request: Request, report: Report) -> None:
    from sdt_dask_core.environment import versions

    report.note("workers", lambda: sorted(client.nthreads()))
    if not report.values.get("workers"):
        return  # nobody would answer
    report.note("scheduler", lambda: _scheduler(client))
    report.note("computed", lambda: client.submit(operator.add, 2, 3, pure=False).result(timeout=request.patience))
    report.values["versions of the driver"] = versions()
    report.note("versions of the scheduler", lambda: client.run_on_scheduler(versions))
    report.note("versions of the workers", lambda: client.run(versions))
    report.note("listening", _listening)


def _listening() -> list[list[str]]:
    """Return each address on which this process or one below it listens, with the command of the process."""
    import psutil

    from sdt_dask_testing.footprint import command_of

    this = psutil.Process()
    found = []
    for process in (this, *this.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            for connection in process.net_connections():
                if connection.status == psutil.CONN_LISTEN:
                    found.append([connection.laddr.ip, str(connection.laddr.port), command_of(process)[:120]])
    return found


def _another(request: Request) -> Any:
    with _cluster(_reference(request)) as client:
        return client.submit(operator.add, 2, 3, pure=False).result(timeout=request.patience)


def _fail_to_start(request: Request, report: Report) -> None:
    reference = _reference(request)

    def start() -> str:
        with _cluster(reference) as client:
            return repr(client)

    _compare(request, report, lambda: report.note("make_client", start))


def _run(request: Request, report: Report) -> None:
    reference = _reference(request)
    if request.joins:
        report.note("joined before", lambda: _peek(reference))
    _compare(request, report, lambda: report.note("end", lambda: _run_with(reference, request)))
    if request.joins:
        report.note("joined after", lambda: _peek(reference))


def _compare(request: Request, report: Report, work: Callable[[], None]) -> None:
    from sdt_dask_testing.footprint import Footprint, settled, unclosed

    before = Footprint.take()
    with unclosed() as warned:
        work()
    # What is set and not set back stays so; only the rest may need time to go.
    settled(lambda: {*Footprint.take().left_since(before)} - {"dask_config", "signal_handlers"}, request.grace)
    report.left = Footprint.take().left_since(before)
    if warned:
        report.left["warnings"] = warned


def _peek(reference: Reference) -> dict[str, Any]:
    with _cluster(reference) as client:
        return {"scheduler": _scheduler(client), "workers": sorted(client.nthreads())}


def _scheduler(client: distributed.Client) -> str:
    return str(client.scheduler.address) if client.scheduler is not None else "none"


def _run_with(reference: Reference, request: Request) -> dict[str, int]:
    """Run two keys as `sdt-dask run` does; return how many came to which end."""
    from sdt_dask_core import SDTDask
    from sdt_dask_core.settings import RunSettings

    waits = request.way in INTERRUPTS
    tool = SDTDask(
        _clear_days(),
        plug_options={"seconds": request.patience * 10 if waits else 0.0},
        analyses=[],
        output=Path(request.folder) / "out",
    )
    tool.settings = RunSettings(tool.settings.job, reference)
    _tell(request, STARTING)
    return dict(tool.execute(observe=lambda progress: _watch(request, progress.finished)).counts)


def _watch(request: Request, finished: int) -> None:
    if finished != 1:
        return
    _tell(request, AT_WORK)
    if request.way == Way.ERROR:
        raise RuntimeError("the kit raises this in the middle of a run")


def told_of_client(text: str) -> list[tuple[str, str]]:
    """Build a client, let it make its cluster, close both, and return all that it said; see `told_of_provider`."""
    from sdt_dask_testing.probe import Talk, told_of_provider

    def start(hooks: Any, talk: Talk) -> None:
        with talk.during("make_client"), contextlib.closing(hooks.make_client()) as client:
            talk.hear("repr and str", client)

    return told_of_provider(text, start)


def _clear_days() -> type:
    """Return a plug that no worker needs to have installed: a class of a function travels by its code."""
    from sdt_dask_core import Plug

    class ClearDays(Plug):
        """Two keys, of three clear days each; the first is there at once.

        Parameters
        ----------
        seconds : float
            How long the second takes [s].
        """

        units = "kW"

        def __init__(self, seconds: float = 0.0) -> None:
            self.seconds = seconds

        def list_keys(self) -> Iterator[Any]:
            return iter(["first", "second"])

        def get_data(self, key: Any) -> Any:
            import numpy as np
            import pandas as pd

            if key[0] != "first":
                time.sleep(self.seconds)
            index = pd.date_range("2020-06-01", periods=3 * 96, freq="15min")
            power = np.maximum(0.0, np.sin((index.hour + index.minute / 60 - 6) / 12 * np.pi))
            return pd.DataFrame({"power": np.asarray(power)}, index=index)

    return ClearDays


if __name__ == "__main__":
    main()
