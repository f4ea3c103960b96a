"""The database behind an address: opened on first use, and its errors told without what is secret."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sdt_dask_core.errors import OptionError, PublishError
from sdt_dask_core.redaction import without_values
from sdt_dask_core.secret import Secret, redact

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

__all__ = ["Database"]

_SECRET_NAME = re.compile("pass|secret|token|key", re.IGNORECASE)
_DRIVERS = {"postgresql": 'pip install "sdt-dask-publisher-sql[postgres]"'}


class Database:
    """A database, and one engine while it is open.

    Parameters
    ----------
    url : Secret
        Its address.
    """

    def __init__(self, url: Secret) -> None:
        self.url = url
        self._engine: Engine | None = None

    @contextmanager
    def transaction(self, what: str) -> Iterator[Connection]:
        """Give a connection whose work is committed as a whole, or not at all.

        Parameters
        ----------
        what : str
            What is done there, for the message of an error.

        Raises
        ------
        OptionError
            The address is none, or its driver is not installed.
        PublishError
            The database did not do it.
        """
        from sqlalchemy.exc import SQLAlchemyError

        address = self._address()
        try:
            with self._opened(address).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            # Not `from error`: a driver may repeat the address, with the password, in what it says.
            raise PublishError(_message(address, what, error)) from None

    def close(self) -> None:
        """Close the connections; idempotent."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _address(self) -> URL:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            return make_url(self.url.reveal())
        except (ArgumentError, ValueError):
            raise OptionError(
                f"publisher 'sql': what {self.url.reference} refers to is no address of a database; write it as "
                "postgresql://user:password@host/database or sqlite:////folder/file.sqlite, with special characters "
                "of the password percent-encoded",
                option="url",
            ) from None

    def _opened(self, address: URL) -> Engine:
        if self._engine is None:
            self._engine = _engine(address)
        return self._engine


def _engine(address: URL) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError

    try:
        # Parameters are rows; they belong in no log. A connection that broke between two chunks is made anew.
        return create_engine(_with_driver(address), hide_parameters=True, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as error:
        name = address.drivername
        hint = _DRIVERS.get(address.get_backend_name(), "install the distribution that SQLAlchemy names for it")
        raise OptionError(
            f"publisher 'sql' cannot reach a database of {name!r}: its driver is not installed ({error}); {hint}",
            option="url",
        ) from None


def _with_driver(address: URL) -> URL:
    """Return an address of PostgreSQL with the driver that is installed: which one is meant by none is SQLAlchemy's."""
    if address.drivername not in ("postgresql", "postgres"):
        return address
    driver = "psycopg2" if importlib.util.find_spec("psycopg2") else "psycopg"
    return address.set(drivername=f"postgresql+{driver}")


def _message(address: URL, what: str, error: Exception) -> str:
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    named = (str(value) for name, value in address.query.items() if _SECRET_NAME.search(name))
    hidden = frozenset(filter(None, [str(address.password or ""), *named]))
    place = f" at {address.host}" if address.host else ""
    text = f"publisher 'sql' could not {what} the {address.get_backend_name()} database {address.database!r}{place}: "
    return redact(without_values(f"{text}{type(error).__name__}: {said}", hidden)) + (
        "; nothing of this chunk was kept: when the cause is gone, run the same command again"
    )
