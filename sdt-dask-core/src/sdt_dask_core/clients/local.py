"""The local client: this machine's cores, through Dask's ``LocalCluster``."""

from __future__ import annotations

import contextlib
import multiprocessing.spawn
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sdt_dask_core.clients.address import AddressClient
from sdt_dask_core.clients.extensions import forgetful_extensions
from sdt_dask_core.clients.starting import closed, started
from sdt_dask_core.errors import ClientError, OptionError
from sdt_dask_core.hookspecs import hookimpl
from sdt_dask_core.plug import Client

if TYPE_CHECKING:
    import distributed

__all__ = ["LocalClient"]

# Our workers hold no Dask data, so pausing and spilling would only stall them; two tasks on a one-thread worker would
# share the blame when it dies; retries are ours, so that each is recorded.
_DASK_CONFIG = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    # Our workers never hold the interpreter, their children do: one that is silent for a minute is gone, or cut off.
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.profile.enabled": False,
    # Ours sit and wait for their children. Dask's usual pace of looking after itself takes a fortieth of two cores.
    "distributed.admin.tick.interval": "500ms",
    "distributed.worker.memory.monitor-interval": "1s",
    # Dask keeps so many messages of each connection, and each of ours holds a whole job.
    "distributed.admin.low-level-log-length": 100,
    "distributed.worker.preload": ["sdt_dask_core.clients.worker_preload"],
}

# A worker and its computing process take 0.8 GiB of an ordinary system, most of it the libraries.
_NEEDED = 2**30


class LocalClient(Client):
    """Start a Dask cluster of processes on this machine.

    Parameters
    ----------
    n_workers : int, optional
        Number of worker processes; default the usable cores, or fewer where there is not 1 GiB of memory for each.
    threads_per_worker : int
        Threads per worker process; each thread drives one computing process of its own.
    memory_limit : str, optional
        Most memory of each computing process, such as "4 GiB"; default the machine's memory by workers.
    dashboard_address : str, optional
        Where Dask's dashboard listens; default a free port on the loopback address. "none" turns it off.
    address : str, optional
        Join this scheduler instead of starting a cluster, as the client 'address' does.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        threads_per_worker: int = 1,
        memory_limit: str | None = None,
        dashboard_address: str = "127.0.0.1:0",
        address: str | None = None,
    ) -> None:
        for name, value in (("n_workers", n_workers), ("threads_per_worker", threads_per_worker)):
            if value is not None and value < 1:
                raise OptionError(f"client 'local': the option {name!r} cannot be {value}; it is 1 or more")
        self.n_workers = n_workers
        self.threads_per_worker = threads_per_worker
        self.memory_limit = memory_limit
        self.dashboard_address = dashboard_address
        self.address = address
        self.shares_files = None if address else True
        self._open: contextlib.ExitStack | None = None

    @hookimpl
    def make_client(self) -> distributed.Client:
        """Start the cluster and join it.

        Raises
        ------
        ClientError
            It did not start, or nothing answers at `address`.
        """
        self._open = contextlib.ExitStack()
        if self.address is not None:
            running = AddressClient(self.address)
            self._open.callback(running.close)
            return running.make_client()
        try:
            return self._start(self._open)
        except (OSError, RuntimeError, ValueError) as error:
            self.close()
            raise ClientError(
                f"the local cluster did not start: {error}; try fewer workers (n_workers) or another dashboard_address"
            ) from error

    def _start(self, opened: contextlib.ExitStack) -> distributed.Client:
        import dask
        import distributed

        opened.enter_context(dask.config.set(_DASK_CONFIG))
        opened.enter_context(_workers_do_not_run_the_users_script())
        cluster = started(opened, lambda: distributed.LocalCluster(**self._arguments()))
        client: distributed.Client = started(opened, lambda: distributed.Client(cluster))
        return client

    def _arguments(self) -> dict[str, Any]:
        from distributed.system import MEMORY_LIMIT  # of the container, where there is one

        n_workers = self.n_workers or _workers_for(MEMORY_LIMIT)
        return {
            "n_workers": n_workers,
            "threads_per_worker": self.threads_per_worker,
            # Not Dask's own share, which counts the cores that have no worker.
            "memory_limit": self.memory_limit or MEMORY_LIMIT // (n_workers * self.threads_per_worker),
            "processes": True,
            "host": "127.0.0.1",
            # Without an address Dask serves on its usual port, and warns where that is taken.
            "dashboard_address": "127.0.0.1:0" if self.dashboard_address == "none" else self.dashboard_address,
            "scheduler_kwargs": {"dashboard": self.dashboard_address != "none", "extensions": forgetful_extensions()},
            "silence_logs": 50,
        }

    @hookimpl
    def close(self) -> None:
        """Close the client and the cluster."""
        if self._open is not None:
            opened, self._open = self._open, None
            closed(opened)


def _workers_for(memory: int) -> int:
    """Return how many workers a machine has the cores and the memory [bytes] for."""
    import dask.system

    return max(1, min(int(dask.system.CPU_COUNT), memory // _NEEDED))


@contextlib.contextmanager
def _workers_do_not_run_the_users_script() -> Iterator[None]:
    """Keep Python's spawn from running the user's script again in each Dask worker.

    Spawn imports the main module anew in every child, so that a script without a ``__main__`` guard starts another run
    in each worker. Our workers need nothing from it: references travel. Only processes that Dask names are touched.
    """
    original = multiprocessing.spawn.get_preparation_data

    def without_main(name: str) -> dict[str, Any]:
        data = original(name)
        if name.startswith("Dask"):
            data.pop("init_main_from_name", None)
            data.pop("init_main_from_path", None)
        return data

    multiprocessing.spawn.get_preparation_data = without_main
    try:
        yield
    finally:
        multiprocessing.spawn.get_preparation_data = original
