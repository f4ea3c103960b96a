"""The fake resource manager behind TLS, in threads of this process."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator

import trustme

from .resource_manager import ResourceManager


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 120

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, more, content = self.server.manager.answer(self.command, self.path, headers, body)
        data = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **more, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST = _serve  # noqa: N815 - as http.server calls them


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    manager: ResourceManager

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that a killed process left."""


@contextlib.contextmanager
def served(manager: ResourceManager, authority: trustme.CA) -> Iterator[str]:
    """Serve a resource manager; give its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.manager = manager
    # The handshake is each connection's own, in its thread: one that hangs there would hold up all others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        manager.url = f"https://127.0.0.1:{server.server_port}"
        yield manager.url
    finally:
        server.shutdown()
        server.server_close()
