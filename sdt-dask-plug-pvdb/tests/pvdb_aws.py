"""The two calls of AWS that hand out database credentials and that moto does not answer, on loopback."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

__all__ = ["FakeAws"]

#: What is asked for, to user, password and end of its life.
Answer = Callable[[str, dict[str, Any]], tuple[str, str, dt.datetime]]

_XML = (
    '<{0}Response xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><{0}Result><DbUser>{1}</DbUser>'
    "<DbPassword>{2}</DbPassword><Expiration>{3}</Expiration></{0}Result></{0}Response>"
)


class FakeAws:
    """Redshift's and Redshift Serverless' API for credentials, in the protocols that boto3 speaks with them.

    Parameters
    ----------
    answer : callable
        Given the name of the action and its arguments.
    """

    def __init__(self, answer: Answer) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.respond(self, body, answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where boto3 finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def respond(self, request: BaseHTTPRequestHandler, body: bytes, answer: Answer) -> None:
        """Answer one request."""
        target = request.headers.get("X-Amz-Target")
        is_json = target is not None
        given = json.loads(body) if is_json else {name: value for name, (value,) in parse_qs(body.decode()).items()}
        action = target.rpartition(".")[2] if target else given["Action"]
        self.asked.append((action, given))
        user, password, expires = answer(action, given)
        if is_json:
            text = json.dumps({"dbUser": user, "dbPassword": password, "expiration": expires.timestamp()})
        else:
            text = _XML.format(action, user, password, expires.isoformat())
        request.send_response(200)
        request.send_header("Content-Type", "application/x-amz-json-1.1" if is_json else "text/xml")
        request.end_headers()
        request.wfile.write(text.encode())

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
