"""A proxy in front of PostgreSQL: it speaks TLS, as a server that has none cannot, or cuts connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from typing import Any

__all__ = ["Proxy"]

_TLS_REQUEST = struct.pack(">II", 8, 80877103)
_BLOCK = 65536


class Proxy:
    """Passes on what comes, on a port of its own.

    Parameters
    ----------
    upstream : int
        Port of the server on loopback.
    tls : ssl.SSLContext, optional
        Take TLS from the clients.
    refuses_tls : bool
        Say that there is none, as a server without it does.
    cut_after : int, optional
        Cut a connection when so many bytes came from the server; only as often as `cuts` says.
    cuts : int
        How many connections are cut.
    """

    def __init__(
        self,
        upstream: int,
        *,
        tls: ssl.SSLContext | None = None,
        refuses_tls: bool = False,
        cut_after: int | None = None,
        cuts: int = 1,
    ) -> None:
        self.upstream = upstream
        self.tls = tls
        self.refuses_tls = refuses_tls
        self.cut_after = cut_after
        self.cuts_left = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[Any] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: Any) -> None:
        server = socket.create_connection(("127.0.0.1", self.upstream))
        self._sockets += [client, server]
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            for each in (server, client):
                opened.callback(each.close)
            if self.refuses_tls:
                client.recv(8, socket.MSG_WAITALL)
                client.sendall(b"N")
            if self.tls is not None:
                client = self._upgrade(client)
                opened.callback(client.close)
            forth = threading.Thread(target=self._pump, args=(client, server, None), daemon=True)
            forth.start()
            self._pump(server, client, self.cut_after)

    def _upgrade(self, client: Any) -> Any:
        if client.recv(8, socket.MSG_WAITALL) != _TLS_REQUEST:
            raise OSError("a client that wants no TLS")
        client.sendall(b"S")
        wrapped = self.tls.wrap_socket(client, server_side=True)  # type: ignore[union-attr]
        self._sockets.append(wrapped)
        return wrapped

    def _pump(self, source: Any, target: Any, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while block := source.recv(_BLOCK):
                passed += len(block)
                if limit is not None and passed > limit and self.cuts_left > 0:
                    self.cuts_left -= 1
                    break
                target.sendall(block)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
