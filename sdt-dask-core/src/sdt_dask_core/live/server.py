"""The server of the live view: three kinds of pages, on loopback, for who knows the address."""

from __future__ import annotations

import http.server
import json
import secrets
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sdt_dask_core.report.site import PAGES

if TYPE_CHECKING:
    from sdt_dask_core.live.fleet import LiveFleet

__all__ = ["LiveServer"]

_HOST = "127.0.0.1"
_NOT_YET = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1">'
    "<title>Fleet report</title><p>The page is being made.</p></html>"
)
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class LiveServer(http.server.ThreadingHTTPServer):
    """Serves the pages of a fleet.

    The address has a secret part, because others on the machine reach loopback, too, and a name that resolves to
    loopback is refused, because a page on the web may use one.

    Parameters
    ----------
    fleet : LiveFleet
        What is served.

    Attributes
    ----------
    address : str
        Of the fleet's page.
    last_word : threading.Event
        Set when somebody got the page of the run that has ended.
    """

    daemon_threads = True

    def __init__(self, fleet: LiveFleet) -> None:
        super().__init__((_HOST, 0), _Handler)
        self.fleet = fleet
        self.host = f"{_HOST}:{self.server_port}"
        self.root = f"/{secrets.token_urlsafe(16)}/"
        self.address = f"http://{self.host}{self.root}"
        self.last_word = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: LiveServer

    def do_GET(self) -> None:
        """Answer with a page, with how far the run is, or with 404."""
        path = unquote(self.path.partition("?")[0])
        if not path.startswith(self.server.root) or self.headers.get("Host") != self.server.host:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        asked = path.removeprefix(self.server.root)
        if asked == "":
            self._answer_fleet()
        elif asked == "state.json":
            self._answer(json.dumps(self.server.fleet.state).encode(), "application/json")
        else:
            self._answer_system(asked)

    def _answer_fleet(self) -> None:
        has_ended = self.server.fleet.has_ended
        self._answer((self.server.fleet.page or _NOT_YET).encode(), "text/html; charset=utf-8")
        if has_ended:
            self.server.last_word.set()

    def _answer_system(self, asked: str) -> None:
        page = self.server.fleet.system_page(asked.removeprefix(f"{PAGES}/")) if asked.startswith(f"{PAGES}/") else None
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._answer(page, "text/html; charset=utf-8")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to the run."""
