"""A user's folder whose plug uses its secrets well, and then shows them in every way that one can think of."""

from __future__ import annotations

import base64
import ctypes
import logging
import os
import sys
import time
import urllib.parse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sdt_dask_core.errors import SourceUnavailableError
from sdt_dask_core.secret import Secret

logger = logging.getLogger(__name__)


class LeakyPlug:
    """Shows its secrets.

    Parameters
    ----------
    password : str
        Comes as its value.
    certificate : Secret
        Comes as a reference.
    go : str
        A file: the key "waits" waits for it.
    marker : str
        No secret: it stands in everything that may be seen, so that a search that finds nothing is no proof of nothing.
    """

    units = "kW"

    def __init__(self, password: str, certificate: Secret, go: str, marker: str) -> None:
        self.password = password
        self.certificate = certificate
        self.go = go
        self.marker = marker

    def __repr__(self) -> str:
        return f"LeakyPlug({self.password!r}, {self.certificate.reveal()!r})"

    def list_keys(self) -> Any:
        shown = f"{self.marker} {self!r}"
        print(shown)  # noqa: T201
        warnings.warn(shown, stacklevel=1)
        logger.warning("listing with %s", shown)
        return sorted(name.removeprefix("_read_") for name in dir(self) if name.startswith("_read_"))

    def fingerprint(self, key: Any) -> str:
        if key == ("names",):
            raise type(f"Error_{self.password}", (Exception,), {})("named")
        return f"{self.marker} {self.password}"

    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"name": f"{self.marker} {self.password}", self.password: 1}

    def get_data(self, key: Any) -> pd.DataFrame:
        getattr(self, f"_read_{key[0]}")()
        index = pd.date_range("2020-06-01", periods=288, freq="15min")
        hour = np.asarray(index.hour + index.minute / 60)
        return pd.DataFrame({"power": 5 * np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi))}, index=index)

    def _secrets(self) -> list[str]:
        return [self.password, self.certificate.reveal()]

    def _all_forms(self) -> str:
        forms = [self.marker, repr(self)]
        for value in self._secrets():
            data = value.encode()
            forms += [value, repr(value), ascii(data), data.hex(), urllib.parse.quote(value, safe="")]
            forms += [base64.b64encode(b"a" * n + b":" + data + b"z" * n).decode() for n in range(3)]
            forms.append(
                f"http://me:{urllib.parse.quote(value, safe='')}@localhost:1/x?token={urllib.parse.quote(value)}"
            )
        return " ".join(forms)

    def _read_good(self) -> None:
        assert self._secrets()

    def _read_raises(self) -> None:
        try:
            raise ConnectionError(self._all_forms())
        except ConnectionError as error:
            raise SourceUnavailableError(f"no login: {self._all_forms()}", evidence={self.password: self}) from error

    def _read_chains(self) -> None:
        try:
            raise KeyError(self.password)
        except KeyError as error:
            raise ValueError(self._secrets(), self) from error

    def _read_long(self) -> None:
        raise RuntimeError("x" * 9_990 + self.password + "y" * 20_000 + self._all_forms())

    def _read_unprintable(self) -> None:
        password = self.password

        class BadError(Exception):
            def __str__(self) -> str:
                raise ValueError(password)

        raise BadError(password)

    def _read_names(self) -> None:
        raise type(f"Error_{self.password}", (Exception,), {})("named")

    def _read_prints(self) -> None:
        print(self._all_forms())  # noqa: T201
        print("x" * 3_980, self.password, file=sys.stderr)  # noqa: T201
        os.write(1, self.password.encode())

    def _read_warns(self) -> None:
        warnings.warn(self._all_forms(), stacklevel=1)

    def _read_logs(self) -> None:
        logger.error(self._all_forms())
        logging.getLogger("distributed.worker").error(self._all_forms())

    def _read_exits(self) -> None:
        os.write(2, b"x" * 5_000 + self._all_forms().encode())
        os._exit(3)

    def _read_crashes(self) -> None:
        os.write(2, (self._all_forms() + "y" * 3_990).encode())
        ctypes.string_at(0)

    def _read_waits(self) -> None:
        while not Path(self.go).exists():
            time.sleep(0.05)
