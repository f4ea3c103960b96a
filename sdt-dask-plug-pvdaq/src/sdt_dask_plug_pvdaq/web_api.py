"""The web API that earlier readers of PVDAQ used: one request a year, within its limits, until it is gone.

The key travels in a header, so that no address, and no message that holds one, shows it.
"""

from __future__ import annotations

import io
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from email.message import Message
from typing import TYPE_CHECKING, Any

from sdt_dask_core import oversize
from sdt_dask_core.errors import (
    AccessDeniedError,
    KeyNotFoundError,
    OptionError,
    PlugError,
    SourceUnavailableError,
)
from sdt_dask_core.oversize import oversized, size_text
from sdt_dask_plug_pvdaq import wide
from sdt_dask_plug_pvdaq.columns import choose
from sdt_dask_plug_pvdaq.reading import Record
from sdt_dask_plug_pvdaq.rows import Rows

if TYPE_CHECKING:
    from sdt_dask_core.secret import Secret

__all__ = ["WebApi"]

logger = logging.getLogger(__name__)

_PATH = "/api/pvdaq/v3/data_file"
_DEMO_KEY = "DEMO_KEY"
_TIMEOUT = 120.0  # s; a year is made while one waits
_TRIES = 3
_HOUR = 3600.0  # s
_SCARCE = 0.1  # part of the limit from which on requests are spread over the hour
_GONE = (404, 410)
_REFUSED = (401, 403)
_INVALID = (400, 422)
_TOO_MANY = 429
_SERVER_ERROR = 500
_LONGEST_REASON = 64 * 1024
_INSTEAD = "leave out source=api: the plug then reads the public data lake, which needs no key"


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to another host or away from encryption: the key would go there with the other headers."""

    def redirect_request(self, req: urllib.request.Request, fp: Any, *args: Any) -> urllib.request.Request | None:
        new = super().redirect_request(req, fp, *args)
        if new is None or (new.type, new.host) == (req.type, req.host):
            return new
        fp.close()
        raise AccessDeniedError(
            f"the web API at {req.type}://{req.host} sends its readers to {new.type}://{new.host}, where the API key "
            f"must not go; give that address as api_url if you trust it, or {_INSTEAD}"
        )


class WebApi:
    """The web API.

    Parameters
    ----------
    url : str
        Its address without the path.
    key : Secret, optional
        Its key; default the public DEMO_KEY, which allows 30 requests an hour and 50 a day.
    longest_wait : float
        Longest time to wait for the next request that is allowed [s]; a longer one is an error.
    """

    def __init__(self, url: str, key: Secret | None, longest_wait: float) -> None:
        if not url.startswith(("https://", "http://")):
            raise OptionError(f"api_url={url!r} is no address; write it as 'https://developer.nrel.gov'")
        self._url = url.rstrip("/")
        self._key = key
        self._longest_wait = longest_wait
        self._not_before = 0.0
        self._opener = urllib.request.build_opener(_SameHost)

    def read(self, system_id: int, years: Sequence[int], asked: str | None) -> Record:
        """Return the rows of some years of a system, as one record."""
        import pandas as pd

        where = f"system {system_id} in {', '.join(map(str, years))}, as the web API gives it,"
        found = [rows for year in years if (rows := self._year(system_id, year, asked))]
        if not found:
            raise KeyNotFoundError(f"{where} has no data", system_id=system_id)
        channel = choose((column for rows in found for column in rows.columns), asked, where=where)
        parts = [rows.of[channel.name] for rows in found if channel.name in rows.of]
        note = {"code": "pvdaq_column", "message": f"the power is the column {channel.name!r} of the web API"}
        said = {"the name of the column": channel.unit} if channel.unit else {}
        return Record(channel, pd.concat(parts, ignore_index=True), said, [note])

    def _year(self, system_id: int, year: int, asked: str | None) -> Rows | None:
        content = self._get(system_id, year)
        if not content.strip():
            return None
        return wide.parse_day(content, f"the answer of {self._url} for system {system_id} in {year}", asked)

    def _get(self, system_id: int, year: int) -> bytes:
        query = urllib.parse.urlencode({"system_id": system_id, "year": year})
        key = self._key.reveal() if self._key else _DEMO_KEY
        request = urllib.request.Request(f"{self._url}{_PATH}?{query}", headers={"X-Api-Key": key})  # noqa: S310 - checked
        for attempt in range(1, _TRIES + 1):
            self._wait()
            try:
                with self._opener.open(request, timeout=_TIMEOUT) as answer:
                    self._mind_limits(answer.headers)
                    return self._whole(answer)
            except urllib.error.HTTPError as error:
                with error:
                    self._refused(error, f"system {system_id} in {year}", is_last=attempt == _TRIES)
            except (urllib.error.URLError, OSError) as error:
                if attempt == _TRIES:
                    raise SourceUnavailableError(
                        f"the web API at {self._url} did not answer: {error}; it was retired in 2026, and {_INSTEAD}"
                    ) from error
        raise AssertionError("unreachable")  # pragma: no cover

    def _whole(self, answer: Any) -> bytes:
        content: bytes = answer.read(oversize.MAX_BYTES + 1)
        if len(content) > oversize.MAX_BYTES:
            raise oversized(f"the answer of {self._url}", f"is larger than {size_text(oversize.MAX_BYTES)}")
        return content

    def _refused(self, error: urllib.error.HTTPError, what: str, *, is_last: bool) -> None:
        """Raise what an answer means, or return where the request is worth another try."""
        self._mind_limits(error.headers)
        said = _said(error)
        if error.code in _GONE:
            raise PlugError(f"the web API at {self._url} is retired (HTTP {error.code}); {_INSTEAD}") from error
        if error.code in _REFUSED:
            raise AccessDeniedError(
                f"the web API at {self._url} refuses the API key (HTTP {error.code}: {said}); check api_key, or "
                f"{_INSTEAD}"
            ) from error
        if error.code in _INVALID:
            raise KeyNotFoundError(f"the web API at {self._url} gives no {what}: {said}") from error
        if error.code == _TOO_MANY:
            if is_last:
                raise self._spent(self._not_before - time.monotonic())
            return
        if error.code < _SERVER_ERROR:
            raise PlugError(f"the web API at {self._url} answered HTTP {error.code}: {said}; {_INSTEAD}") from error
        if is_last:
            raise SourceUnavailableError(
                f"the web API at {self._url} failed (HTTP {error.code}: {said}), {_TRIES} times; {_INSTEAD}"
            ) from error

    def _mind_limits(self, headers: Message) -> None:
        """Note when the next request may go: as Retry-After says, or spread over the hour when few are left."""
        wait = 0.0
        limit, left = _number(headers.get("X-RateLimit-Limit")), _number(headers.get("X-RateLimit-Remaining"))
        if limit and left is not None and left <= limit * _SCARCE:
            wait = _HOUR / limit if left else _HOUR
        told = _number(headers.get("Retry-After"))
        self._not_before = time.monotonic() + (wait if told is None else told)

    def _wait(self) -> None:
        wait = self._not_before - time.monotonic()
        if wait > self._longest_wait:
            raise self._spent(wait)
        if wait > 0:
            logger.info("waiting %.0f s for the next request that the web API allows", wait)
            time.sleep(wait)

    def _spent(self, wait: float) -> SourceUnavailableError:
        hint = "" if self._key else "; the DEMO_KEY allows 30 requests an hour and 50 a day"
        return SourceUnavailableError(
            f"the web API at {self._url} allows the next request in {max(wait, 0):.0f} s, and at most "
            f"{self._longest_wait:.0f} s are waited for (api_longest_wait){hint}; try again later, or {_INSTEAD}"
        )


def _said(error: urllib.error.HTTPError) -> str:
    text = io.TextIOWrapper(io.BytesIO(error.read(_LONGEST_REASON)), "utf-8", errors="replace").read()
    try:
        found = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:200] or "no reason given"
    reason = found.get("error") or found.get("errors") if isinstance(found, dict) else found
    return str(reason.get("message") or reason) if isinstance(reason, dict) else str(reason)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None  # a date: the other headers must do
