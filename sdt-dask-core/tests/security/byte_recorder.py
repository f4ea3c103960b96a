"""A TCP proxy on loopback that remembers every byte that passes, in both directions."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Recorder:
    """What passed, and where it goes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._parts: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def passed(self) -> bytes:
        return b"".join(self._parts)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(near,)).start()

    def _serve(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=self._pass_on, args=(far, near))
            back.start()
            self._pass_on(near, far)
            back.join()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        # Each direction has a list of its own, so that no byte of the other stands between two of one message.
        parts: list[bytes] = []
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                parts.append(data)
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
        self._parts.append(b"".join(parts))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._server.close()


@contextlib.contextmanager
def recorder(port: int) -> Iterator[Recorder]:
    """Pass everything on to a port of this machine, and remember it."""
    made = Recorder(port)
    try:
        yield made
    finally:
        made.close()
