"""An HTTP server on loopback for tests: it answers with a function, or is a proxy that spoils another server's answers.

It remembers what it was asked. Nothing beyond the standard library is needed.

    with serve_proxy(url) as proxy:
        proxy.faults = [cut_after(100), unchanged]  # the first answer breaks off, the second does not
        read_from(proxy.url)
    assert proxy.methods == ["GET", "GET"]
"""

from __future__ import annotations

import http.client
import http.server
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

__all__ = ["Answer", "Fault", "HttpServer", "Proxy", "Request", "cut_after", "serve_http", "serve_proxy", "unchanged"]

_PATIENCE = 60.0  # s; of a proxy for the server behind it
_WAITING = 64  # connections that may wait to be accepted: some clients open many at once
# What belongs to one connection and not to the answer.
_HOP = ("connection", "transfer-encoding", "keep-alive")


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked.

    Attributes
    ----------
    method : str
        Such as "GET".
    path : str
        With the query.
    headers : dict
        By name, in lower case.
    body : bytes
        Empty for most.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers.

    Attributes
    ----------
    status : int
        Such as 200.
    headers : dict
        By name; the length of the body is added.
    body : bytes
        All of it.
    sent : int, optional
        Bytes of the body that are sent before the connection breaks; default all, and it does not break.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: int | None = None


#: Makes an answer of a request.
Handle: TypeAlias = Callable[[Request], Answer]
#: Makes another answer of the one that the server behind a proxy gave.
Fault: TypeAlias = Callable[[Request, Answer], Answer]


@dataclass
class HttpServer:
    """A server that runs.

    Attributes
    ----------
    url : str
        Its address.
    asked : list of Request
        What it was asked, in order.
    """

    url: str = ""
    asked: list[Request] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """The methods of what it was asked, in order."""
        return [request.method for request in self.asked]


@dataclass
class Proxy(HttpServer):
    """A proxy that runs.

    Attributes
    ----------
    faults : list of callable
        What happens to the next answers, one each; each gets the request and the answer, and returns an answer.
    always : callable
        What happens to all other answers; default nothing.
    """

    faults: list[Fault] = field(default_factory=list)
    always: Fault = lambda _, answer: answer


def unchanged(_: Request, answer: Answer) -> Answer:
    """Let an answer through as it is."""
    return answer


def cut_after(count: int) -> Fault:
    """Return the fault that breaks the connection after so many bytes of the body."""
    return lambda _, answer: replace(answer, sent=count)


@contextmanager
def serve_http(handle: Handle) -> Iterator[HttpServer]:
    """Answer requests with a function, in threads of this process.

    Parameters
    ----------
    handle : callable
        Given a `Request`, returns an `Answer`; called from several threads at once.
    """
    with _running(HttpServer(), handle) as server:
        yield server


@contextmanager
def serve_proxy(target: str) -> Iterator[Proxy]:
    """Pass requests on to a server, and its answers through the faults that a test sets.

    Parameters
    ----------
    target : str
        Address of the server, such as "http://127.0.0.1:9000".
    """
    proxy = Proxy()
    lock = threading.Lock()

    def handle(request: Request) -> Answer:
        answer = _passed_on(target, request)
        with lock:
            fault = proxy.faults.pop(0) if proxy.faults else proxy.always
        return fault(request, answer)

    with _running(proxy, handle):
        yield proxy


def _passed_on(target: str, request: Request) -> Answer:
    connection = http.client.HTTPConnection(target.removeprefix("http://"), timeout=_PATIENCE)
    try:
        connection.request(request.method, request.path, body=request.body or None, headers=dict(request.headers))
        response = connection.getresponse()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
        return Answer(response.status, kept, response.read())
    finally:
        connection.close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _WAITING

    def __init__(self, told: HttpServer, handle: Handle) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told = told
        self.handle = handle

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that saw one request fail does not wait for its others; anything else is a fault of the test.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        self.server.told.asked.append(request)
        self._send(self.server.handle(request))

    def _send(self, answer: Answer) -> None:
        has_body = self.command != "HEAD"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if not (has_body and name.lower() == "content-length"):
                self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if has_body:
            self.wfile.write(answer.body[: answer.sent])
        if answer.sent is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - as http.server calls them


@contextmanager
def _running(told: HttpServer, handle: Handle) -> Iterator[HttpServer]:
    server = _Server(told, handle)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
