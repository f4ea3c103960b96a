"""Starting what an interrupt must not lose.

A Ctrl-C in the middle of a constructor leaves nobody who could close what it had opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import distributed

    from sdt_dask_core.errors import SdtDaskError

__all__ = ["GOODBYE", "closed", "joined", "started"]

#: How long a client may take to leave its scheduler [s]; one that hangs takes no leave at all.
GOODBYE = 10.0
_LOOK_EVERY = 0.2  # s


def started(opened: contextlib.ExitStack, make: Callable[[], Any]) -> Any:
    """Make something that has a ``close``; put it on the stack also when an interrupt comes in the middle.

    Python interrupts the main thread only. What is made in another one comes to its end, here within seconds, and can
    be closed; a Dask cluster that is half made cannot.

    Parameters
    ----------
    opened : contextlib.ExitStack
        What closes it.
    make : callable
        Makes it, in a thread of its own.
    """

    def make_and_keep() -> Any:
        made = make()
        opened.callback(made.close)
        return made

    with ThreadPoolExecutor(1) as pool:  # waits for its thread, also when an interrupt comes
        pool.submit(int).result()  # the thread is there before anything is made, so that it cannot be lost
        return pool.submit(make_and_keep).result()


def closed(opened: contextlib.ExitStack) -> None:
    """Close all that is on the stack; an interrupt is heard when nothing of it is left.

    Parameters
    ----------
    opened : contextlib.ExitStack
        What is closed, in a thread of its own.
    """
    heard: list[BaseException] = []

    def close() -> None:
        try:
            opened.close()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            heard.append(error)

    thread = threading.Thread(target=close, name="sdt-dask closes")
    thread.start()
    while thread.is_alive():
        try:
            thread.join(_LOOK_EVERY)
        except KeyboardInterrupt as interrupt:
            heard.append(interrupt)
    if heard:
        raise heard[0]


def joined(opened: contextlib.ExitStack, to: Any, *, image: str = "", **kwargs: Any) -> distributed.Client:
    """Make a ``distributed.Client``; it is on the stack before it looks for its scheduler, which can take long.

    Parameters
    ----------
    opened : contextlib.ExitStack
        What closes it.
    to : str or distributed.deploy.Cluster
        The address of a scheduler, or a cluster.
    image : str
        The command that writes a new image, where the scheduler was started from one.
    **kwargs : object
        What else ``distributed.Client`` takes.

    Raises
    ------
    EnvironmentMismatchError
        The scheduler has another release of Dask than this environment, and they do not understand each other.
    """
    import distributed

    client = distributed.Client.__new__(distributed.Client)
    opened.callback(_close_as_far_as_it_came, client)
    try:
        client.__init__(to, **kwargs)  # type: ignore[misc]
    except (OSError, ValueError):  # nobody answers
        raise
    except Exception as error:
        explained = _explained(to, kwargs.get("security"), image)
        if explained is None:
            raise
        raise explained from error
    return client


def _explained(to: Any, security: Any, image: str) -> SdtDaskError | None:
    """Tell what two releases of Dask that do not understand each other would say, if they could."""
    from sdt_dask_core.agreement.asking import explain_failure

    security = security or getattr(to, "security", None)
    address = to if isinstance(to, str) else to.scheduler_address
    return explain_failure(address, security.get_connection_args("client") if security else None, image=image)


def _close_as_far_as_it_came(client: distributed.Client) -> None:
    try:
        if hasattr(client, "status"):
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):  # its scheduler hangs
                client.close(timeout=GOODBYE)
    finally:
        if hasattr(client, "_loop_runner"):
            # Dask takes a client that found no scheduler for closed, and its loop goes on.
            client._loop_runner.stop()  # noqa: SLF001 - no public name stops it
