"""A database with the table of measurements, and the plug that reads it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pvdb_server import Server

from sdt_dask_core.options import options_of
from sdt_dask_plug_pvdb import PvdbPlug

__all__ = ["Row", "Source", "a_day", "new_source"]

TABLE = "CREATE TABLE {} (site varchar, meas_name varchar, ts {}, sensor varchar, meas_val_f {})"

#: A site, a meas_name, a timestamp, a sensor, a value.
Row = tuple[Any, ...]


@dataclass
class Source:
    """A database with the table, and a user that may read it.

    Attributes
    ----------
    server : Server
        Where it is.
    database, user, password : str
        How to get in.
    options : dict
        Options of the plug that reads it.
    """

    server: Server
    database: str
    user: str
    password: str
    options: dict[str, Any]

    def plug(self, **more: Any) -> PvdbPlug:
        """Return a plug; a password is given as reference, so it comes as Secret."""
        options = options_of(PvdbPlug, kind="plug", name="pvdb")
        return PvdbPlug(**options.build_arguments(options.resolve({**self.options, **more}, environment={})))

    def ask(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement as administrator."""
        return self.server.ask(self.database, statement, values)

    def make_table(
        self, name: str = "measurements", stamp: str = "timestamp", number: str = "double precision"
    ) -> None:
        """Make a table that the user may read."""
        self.ask(TABLE.format(name, stamp, number))
        self.ask(f'GRANT SELECT ON {name} TO "{self.user}"')

    def add(self, rows: Iterable[Row], table: str = "measurements") -> None:
        """Insert rows."""
        with contextlib.closing(self.server.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s)", list(rows))

    def copy(self, site: str, sensor: str, power: pd.Series, table: str = "measurements") -> None:
        """Insert a long series, fast."""
        frame = pd.DataFrame({"site": site, "meas": "ac_power", "ts": power.index, "sensor": sensor, "v": power.values})
        text = io.StringIO(frame.to_csv(index=False, header=False))
        with contextlib.closing(self.server.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv)", text)


@contextlib.contextmanager
def new_source(server: Server, folder: Path, **more: Any) -> Iterator[Source]:
    """Make a database with an empty table, a user, and the options of a plug that reads it."""
    with server.database() as database, server.user() as (user, password):
        secret = folder / "password"
        secret.write_text(password, encoding="utf-8")
        options = {
            "host": "127.0.0.1",
            "port": server.port,
            "database": database,
            "user": user,
            "password": f"file:{secret}",
            "utc_offset": 0.0,
            **more,
        }
        source = Source(server, database, user, password, options)
        source.make_table()
        yield source


def a_day(values: Iterable[Any], *, site: str = "a", sensor: str = "s", meas: str = "ac_power") -> list[Row]:
    """Return rows five minutes apart."""
    stamps = pd.date_range("2020-01-01", freq="5min", periods=288)
    return [(site, meas, stamp, sensor, value) for stamp, value in zip(stamps, values, strict=False)]
