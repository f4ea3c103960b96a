"""A TCP proxy that can stop forwarding without closing anything, as a network does that lost a cable."""

from __future__ import annotations

import contextlib
import socket
import threading

__all__ = ["Proxy"]

_CHUNK = 65536


class Proxy:
    """Forwards connections from a port of its own to a TCP address.

    Parameters
    ----------
    to : str
        Where to, such as ``tcp://127.0.0.1:8786``.
    """

    def __init__(self, to: str) -> None:
        host, _, port = to.removeprefix("tcp://").rpartition(":")
        self._to = (host, int(port))
        self._flows = threading.Event()
        self._flows.set()
        self._open: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._answer, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"tcp://127.0.0.1:{self._door.getsockname()[1]}"

    def cut(self) -> None:
        """Let nothing through any more."""
        self._flows.clear()

    def mend(self) -> None:
        """Let all of it through again, what came meanwhile first."""
        self._flows.set()

    def close(self) -> None:
        """Break every connection, and take none any more."""
        self._flows.set()
        for one in (self._door, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                here, _ = self._door.accept()
                there = socket.create_connection(self._to)
                self._open += [here, there]
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(_CHUNK):
                self._flows.wait()
                target.sendall(some)
            target.shutdown(socket.SHUT_WR)
