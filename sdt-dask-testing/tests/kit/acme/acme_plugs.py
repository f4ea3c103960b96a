"""A good plug with every hook, and plugs that are wrong in one way each; offered by a distribution made for a test."""

from __future__ import annotations

import base64
import hashlib
import itertools
import logging
import os
import socket
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core import Plug, Secret
from sdt_dask_core.errors import KeyNotFoundError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


class GoodPlug(Plug):
    """Reads one CSV file a key.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the files.
    token : Secret, optional
        What the source would want to see.
    """

    units = "kW"

    def __init__(self, path: Path, token: Secret | None = None) -> None:
        self.path = Path(path)
        self.token = token
        self._reads: list[str] | None = None

    def file(self, key: Any) -> Path:
        return self.path / f"{key[0]}.csv"

    def get_data(self, key: Any) -> pd.DataFrame:
        import pandas as pd

        if self.token is not None:
            self.token.reveal()
        if not self.file(key).is_file():
            raise self.missing(key)
        self._reads = [*(self._reads or []), str(key)]
        with self.file(key).open() as file:
            return pd.read_csv(file, index_col="timestamp", parse_dates=True)

    def missing(self, key: Any) -> Exception:
        return KeyNotFoundError(f"there is no {key[0]!r} in {self.path}; look at the list", key=key)

    def list_keys(self) -> Iterator[Any]:
        for file in sorted(self.path.glob("*.csv")):
            yield (file.stem,)

    def fingerprint(self, key: Any) -> str | None:
        try:
            status = self.file(key).stat()
        except OSError:
            return None
        return f"{status.st_mtime_ns}-{status.st_size}"

    def data_size(self, key: Any) -> int | None:
        return self.file(key).stat().st_size if self.file(key).exists() else None

    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"latitude": 35.0, "longitude": -117.0, "time_zone": "America/Los_Angeles", "inverter": "Acme 5000"}

    def check_access(self) -> Iterator[str]:
        if not self.path.is_dir():
            yield f"the folder {self.path} is not there"

    def close(self) -> None:
        self._reads = None


class GoodSqlitePlug(GoodPlug):
    """Reads a table, and counts its rows to see whether they changed.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the database.
    token : Secret, optional
        What the source would want to see.
    """

    def __init__(self, path: Path, token: Secret | None = None) -> None:
        super().__init__(path, token)
        self._connection: sqlite3.Connection | None = None

    def query(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self._connection is None:
            self._connection = sqlite3.connect(self.path / "data.sqlite")
        return self._connection.execute(sql, values)

    def get_data(self, key: Any) -> pd.DataFrame:
        import pandas as pd

        rows = self.query("SELECT timestamp, power FROM data WHERE system = ? ORDER BY 1", str(key[0])).fetchall()
        if not rows:
            raise self.missing(key)
        frame = pd.DataFrame(rows, columns=["timestamp", "power"])
        return frame.set_index(pd.to_datetime(frame.pop("timestamp")))

    def list_keys(self) -> Iterator[Any]:
        yield from self.query("SELECT DISTINCT system FROM data ORDER BY 1")

    def fingerprint(self, key: Any) -> str | None:
        found = self.query("SELECT count(*), max(timestamp) FROM data WHERE system = ?", str(key[0])).fetchone()
        return f"{found[0]} {found[1]}"

    def data_size(self, key: Any) -> int | None:
        return int(self.query("SELECT count(*) FROM data WHERE system = ?", str(key[0])).fetchone()[0])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


# --- construction and state


class StateOnClassPlug(GoodPlug):
    n_reads = 0

    def get_data(self, key: Any) -> pd.DataFrame:
        type(self).n_reads += 1
        return super().get_data(key)


class ClassCachePlug(GoodPlug):
    sizes: dict[str, int] = {}  # noqa: RUF012 - the mistake that is meant

    def get_data(self, key: Any) -> pd.DataFrame:
        frame = super().get_data(key)
        self.sizes[key[0]] = len(frame)
        return frame


class OpensInInitPlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None) -> None:
        super().__init__(path, token)
        if not path.is_dir():
            raise ValueError("no such folder")
        self.socket = socket.socket()
        self.database = sqlite3.connect(":memory:")
        with (path / "a.csv").open() as file:
            self.first = file.readline()
        threading.Thread(target=time.sleep, args=(0,)).start()


class SharedDefaultPlug(GoodPlug):
    """Reads files.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the files.
    columns : list of str
        Columns to read.
    token : Secret, optional
        What the source would want to see.
    """

    def __init__(self, path: Path, columns: list[str] = [], token: Secret | None = None) -> None:  # noqa: B006
        super().__init__(path, token)
        self.columns = columns


class BuiltAtPlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None) -> None:
        super().__init__(path, token)
        self.built_by = os.getpid()


# --- options


class AnyOptionPlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None, **more: Any) -> None:
        super().__init__(path, token)


class UndocumentedOptionPlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None, year: int = 2020) -> None:
        super().__init__(path, token)


class UntypedOptionPlug(GoodPlug):
    """Reads files.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the files.
    token : Secret, optional
        What the source would want to see.
    year
        Which year.
    """

    def __init__(self, path: Path, token: Secret | None = None, year=None) -> None:  # type: ignore[no-untyped-def]
        super().__init__(path, token)


class NotANumberPlug(GoodPlug):
    """Reads files.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the files.
    token : Secret, optional
        What the source would want to see.
    scale : float
        Factor; its test gives "not a number".
    """

    def __init__(self, path: Path, token: Secret | None = None, scale: float = 1.0) -> None:
        super().__init__(path, token)


# --- secrets


class SecretInReprPlug(GoodPlug):
    def __repr__(self) -> str:
        return f"SecretInReprPlug({self.path}, {self.token and self.token.reveal()})"


class SecretInLogPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        logger.debug("asking with %s", self.token and self.token.reveal())
        return super().get_data(key)


class SecretInErrorPlug(GoodPlug):
    def missing(self, key: Any) -> Exception:
        return KeyNotFoundError(f"{key[0]!r} is not there for {self.token and self.token.reveal()}", key=key)


class SecretInManyPlacesPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        value = str(self.token and self.token.reveal())
        os.write(1, value.encode())
        logger.debug("Authorization: Basic %s", base64.b64encode(f"user:{value}".encode()).decode())
        frame = super().get_data(key)
        frame.attrs["source"] = f"https://acme.example?token={value}"
        return frame

    def missing(self, key: Any) -> Exception:
        error = KeyNotFoundError(f"{key[0]!r} is not there", key=key)
        error.__cause__ = RuntimeError(f"401 for {self.token and self.token.reveal()}")
        return error

    def check_access(self) -> Iterator[str]:
        warnings.warn(f"token {self.token and self.token.reveal()} is old", stacklevel=2)
        yield from super().check_access()


# --- frames


class KeyChangedPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        for part in key:
            if isinstance(part, list):
                part.pop()
        return super().get_data(key)


class StringsPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        return super().get_data(key).astype(str)


class TwoColumnsPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        return super().get_data(key).assign(name="a")


class ReadTwicePlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        frame = super().get_data(key)
        return frame * len(self._reads or [])


class ProcessDataPlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        frame = super().get_data(key)
        frame.iloc[0, 0] = os.getpid() / 1e6
        return frame


class CachedFramePlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None) -> None:
        super().__init__(path, token)
        self._frames: dict[str, pd.DataFrame] = {}

    def get_data(self, key: Any) -> pd.DataFrame:
        if str(key) not in self._frames:
            self._frames[str(key)] = super().get_data(key)
        return self._frames[str(key)]


class CachedArrayPlug(CachedFramePlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        import pandas as pd

        cached = super().get_data(key)
        return pd.DataFrame(cached.to_numpy(), index=cached.index, columns=cached.columns, copy=False)


_busy: list[int] = []


class OneAtATimePlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        if _busy:
            raise RuntimeError("one at a time, please")
        _busy.append(1)
        time.sleep(0.1)
        _busy.clear()
        return super().get_data(key)


# --- missing keys


class EmptyFramePlug(GoodPlug):
    def get_data(self, key: Any) -> pd.DataFrame:
        import pandas as pd

        return super().get_data(key) if self.file(key).exists() else pd.DataFrame()


class KeyErrorPlug(GoodPlug):
    def missing(self, key: Any) -> Exception:
        return KeyError(key[0])


class UnnamedKeyPlug(GoodPlug):
    def missing(self, key: Any) -> Exception:
        return KeyNotFoundError("not there")


class OwnMissingError(KeyNotFoundError):
    def __init__(self, key: Any, folder: Path) -> None:
        super().__init__(f"there is no {key[0]} in {folder}")
        self.folder = folder


class UnpicklableErrorPlug(GoodPlug):
    def missing(self, key: Any) -> Exception:
        return OwnMissingError(key, self.path)


# --- the other hooks


class FingerprintByGetDataPlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        return str(self.get_data(key).sum().sum()) if self.file(key).exists() else None


class FingerprintOfAllBytesPlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        return hashlib.sha256(self.file(key).read_bytes()).hexdigest() if self.file(key).exists() else None


class FingerprintOfAllChunksPlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        if not self.file(key).exists():
            return None
        digest = hashlib.sha256()
        with self.file(key).open("rb") as file:
            while chunk := file.read(4096):
                digest.update(chunk)
        return digest.hexdigest()


class FingerprintOfProcessPlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        return f"{super().fingerprint(key)} {os.getpid()}"


class FingerprintNumberPlug(GoodPlug):
    def fingerprint(self, key: Any) -> Any:
        return self.file(key).stat().st_mtime if self.file(key).exists() else None


class FingerprintStalePlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        return str(self.file(key))


class FingerprintRaisesPlug(GoodPlug):
    def fingerprint(self, key: Any) -> str | None:
        return str(self.file(key).stat().st_mtime_ns)


class SizeTextPlug(GoodPlug):
    def data_size(self, key: Any) -> Any:
        return "12 MB"


class SizeRaisesPlug(GoodPlug):
    def data_size(self, key: Any) -> int | None:
        return self.file(key).stat().st_size


class EagerListPlug(GoodPlug):
    def list_keys(self) -> Any:
        return [(file.stem,) for file in sorted(self.path.glob("*.csv"))]


class EagerIteratorPlug(GoodPlug):
    def list_keys(self) -> Any:
        return iter([("a",), ("b",)])


class EagerExpressionPlug(GoodPlug):
    def list_keys(self) -> Any:
        return ((file.stem,) for file in sorted(self.path.glob("*.csv")))


class RepeatedKeysPlug(GoodPlug):
    def list_keys(self) -> Any:
        yield from super().list_keys()
        yield ("a",)


_asked = itertools.count()


class ShuffledKeysPlug(GoodPlug):
    def list_keys(self) -> Any:
        yield from sorted(super().list_keys(), reverse=next(_asked) % 2 == 1)


class UnreadableKeysPlug(GoodPlug):
    def list_keys(self) -> Any:
        yield ("truth",)


class OffEarthPlug(GoodPlug):
    def system_metadata(self, key: Any) -> dict[str, Any]:
        return {"latitude": 135.0, "timezone": "UTC"}


class ComplainingPlug(GoodPlug):
    def check_access(self) -> Iterator[str]:
        yield "it rains"


class CloseOncePlug(GoodPlug):
    def __init__(self, path: Path, token: Secret | None = None) -> None:
        super().__init__(path, token)
        self._buffer: Any = ""

    def close(self) -> None:
        del self._buffer


class MisspeltPlug(GoodPlug):
    fingerprint = Plug.fingerprint

    def fingerprnt(self, key: Any) -> str:
        return "never asked"


# --- what is installed


class OtherNamePlug(GoodPlug):
    name = "another"


class OfferedTwicePlug(GoodPlug):
    pass


class NotOfferedPlug(GoodPlug):
    pass
