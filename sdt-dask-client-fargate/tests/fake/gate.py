"""What stands before moto: it writes down who asks for what, and refuses where a fault says so."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Gate"]

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_ACTION = re.compile(r"(?:^|&)Action=(\w+)")

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Gate:
    """A WSGI application before another one.

    Attributes
    ----------
    calls : list of str
        What was asked for, as policies name it: "ecs:RunTask".
    faults : dict
        ``expired`` refuses all; ``throttle`` maps a call to the number of times that it is refused.
    """

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.calls: list[str] = []
        self.faults: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        call = _call_of(environ)
        with self._lock:
            if call:
                self.calls.append(call)
            refusal = self._refusal(call)
        if refusal is None:
            return self._app(environ, start_response)
        status, kind, body = _refused(call, *refusal)
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _refusal(self, call: str) -> tuple[str, str] | None:
        """Return code and message, nothing where the call may pass."""
        if not call:
            return None
        if self.faults.get("expired"):
            word = "ExpiredTokenException" if call.startswith(("ecs", "logs")) else "ExpiredToken"
            return ("RequestExpired" if call.startswith("ec2") else word), "The security token has expired"
        left = self.faults.get("throttle", {}).get(call, 0)
        if left > 0:
            self.faults["throttle"][call] = left - 1
            return "ThrottlingException", "Rate exceeded"
        return None


def _call_of(environ: dict[str, Any]) -> str:
    service = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if service is None:
        return ""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    action = target.rpartition(".")[2] if target else _action_in_body(environ)
    return f"{service[1]}:{action}" if action else ""


def _action_in_body(environ: dict[str, Any]) -> str:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    found = _ACTION.search(body.decode("utf-8", "replace"))
    return found[1] if found else ""


def _refused(call: str, code: str, message: str) -> tuple[str, str, bytes]:
    if call.startswith(("ecs", "logs", "secretsmanager")):
        return (
            "400 Bad Request",
            "application/x-amz-json-1.1",
            json.dumps({"__type": code, "message": message}).encode(),
        )
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if call.startswith("ec2"):
        text = f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
    else:
        text = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return "403 Forbidden", "text/xml", text.encode()
