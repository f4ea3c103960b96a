"""Tables with types, and databases that fail."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_core import Column
from sdt_dask_core.errors import OptionError, PublishError
from sdt_dask_core.publishing.publish import publish_table
from sdt_dask_core.secret import Secret
from sdt_dask_publisher_sql import SqlPublisher
from sdt_dask_testing.published import COLUMNS, KEYS, publish, results


def test_values_come_back_as_they_were(postgres: Any) -> None:
    publish(postgres.publisher(), "r")
    row = next(row for row in postgres.rows() if row["key"] == "a")
    assert row == {
        "run_id": "r",
        "key": "a",
        "grade": "ok",
        "n_timestamps": 5,
        "is_clipped": True,
        "first_timestamp": dt.datetime(2020, 6, 1, 12, 30),
        "rate_pct_per_year": -0.5,
    }
    other = next(row for row in postgres.rows() if row["key"] != "a")
    assert [other[name] for name in ("grade", "n_timestamps", "is_clipped", "first_timestamp")] == [None] * 4


def test_columns_have_types_and_say_what_they_are(postgres: Any) -> None:
    publish(postgres.publisher(), "r")
    found = postgres.ask(
        "SELECT column_name AS name, data_type AS type, col_description('sdt_dask_results'::regclass, "
        "ordinal_position) AS said FROM information_schema.columns WHERE table_name = 'sdt_dask_results'"
    )
    types = {row["name"]: row["type"] for row in found}
    assert types == {
        "run_id": "text",
        "key": "text",
        "grade": "text",
        "n_timestamps": "bigint",
        "is_clipped": "boolean",
        "first_timestamp": "timestamp without time zone",
        "rate_pct_per_year": "double precision",
    }
    said = {row["name"]: row["said"] for row in found}
    assert said["rate_pct_per_year"] == "[%/yr] A number. Solar Data Tools' name: degradation rate"


def test_a_whole_chunk_of_ten_thousand_rows_arrives(target: Any) -> None:
    table = results(n_rows=10_001)
    done = publish_table(target.publisher(), "r", table, COLUMNS, name="sql")
    assert (done.n_chunks, len(target.rows())) == (2, 10_001)


def test_a_later_run_may_have_more_columns(target: Any) -> None:
    publish(target.publisher(), "earlier")
    table = results().assign(**{"soiling loss: 50%": 1.5})
    more = (*COLUMNS, Column("soiling loss: 50%", "1", "A name that is hard to quote."))
    publish_table(target.publisher(), "later", table, more, name="sql")
    assert {row["run_id"]: row["soiling loss: 50%"] for row in target.rows()} == {"earlier": None, "later": 1.5}


def test_a_later_run_may_have_fewer_columns(target: Any) -> None:
    publish(target.publisher(), "earlier")
    publish_table(target.publisher(), "later", results()[["key"]], COLUMNS[:1], name="sql")
    assert len(target.rows()) == 2 * len(KEYS)


def test_rows_that_somebody_took_away_come_back(target: Any) -> None:
    publish(target.publisher(), "r")
    target.ask("DELETE FROM sdt_dask_results WHERE key = 'a'")
    assert publish(target.publisher(), "r").n_written == 3
    assert len(target.rows()) == len(KEYS)


def test_a_table_of_another_name_and_schema(postgres: Any) -> None:
    postgres.ask("CREATE SCHEMA fleet")
    publish(postgres.publisher(table='my "results"', schema="fleet"), "r")
    assert len(postgres.ask('SELECT * FROM fleet."my ""results"""')) == len(KEYS)


def test_text_that_would_be_sql_is_text(target: Any) -> None:
    table = results()
    table.loc[0, "key"] = "'; DROP TABLE sdt_dask_results; --"
    publish(target.publisher(), "'; DROP TABLE sdt_dask_results; --", table)
    assert len(target.rows()) == len(KEYS)


def test_no_connection_is_left(postgres: Any, server: Any) -> None:
    publish(postgres.publisher(), "r")
    ((left,),) = server.ask("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'pv_%'")
    assert left == 0


def test_a_wrong_password_is_told_and_not_shown(server: Any, make_target: Callable[[str], Any]) -> None:
    target = make_target(f"postgresql://admin:hunter2%40hunter2@127.0.0.1:{server.port}/postgres")
    with pytest.raises(PublishError, match="could not log in to the postgresql database 'postgres' at 127") as caught:
        publish(target.publisher(), "r")
    assert "password authentication failed" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_user_that_may_not_write_is_told(postgres: Any, server: Any, make_target: Callable[[str], Any]) -> None:
    with server.user() as (user, password):
        name = postgres.url.rpartition("/")[2]
        target = make_target(f"postgresql://{user}:{password}@127.0.0.1:{server.port}/{name}")
        with pytest.raises(PublishError, match=r"could not make the tables in .*permission denied"):
            publish(target.publisher(), "r")


def test_a_table_of_somebody_else_is_told(sqlite: Any) -> None:
    sqlite.ask("CREATE TABLE sdt_dask_results (run_id TEXT, key INTEGER CHECK (typeof(key) = 'integer'))")
    with pytest.raises(PublishError, match=r"could not write chunk 1 of 3 to the sqlite database .*CHECK constraint"):
        publish(sqlite.publisher(), "r")
    assert sqlite.rows() == []


def test_a_file_that_cannot_be_opened_is_told(make_target: Callable[[str], Any]) -> None:
    target = make_target("sqlite:////no/such/folder/results.sqlite")
    with pytest.raises(PublishError, match="unable to open database file; nothing of this chunk was kept"):
        publish(target.publisher(), "r")


@pytest.mark.parametrize("url", ["hunter2hunter2", "postgresql://a:hunter2hunter2@host:port/x", ""])
def test_what_is_no_address_is_told_and_not_shown(make_target: Callable[[str], Any], url: str) -> None:
    with pytest.raises(OptionError, match="what env:SQL_TEST_URL refers to is no address of a database") as caught:
        publish(make_target(url).publisher(), "r")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["nosuch://host/database", "postgresql://host/database"])
def test_a_driver_that_is_not_installed_is_told(
    make_target: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(OptionError, match=r"its driver is not installed .*; (pip install|install the dist)"):
        publish(make_target(url).publisher(), "r")


def test_a_table_without_a_name_is_refused() -> None:
    with pytest.raises(OptionError, match="the option 'table' is empty"):
        SqlPublisher(Secret("env:SQL_TEST_URL"), table=" ")


def test_the_address_is_given_as_a_reference() -> None:
    with pytest.raises(OptionError, match="a secret is given as a reference, never as its value"):
        SqlPublisher(Secret("sqlite:///file"))
