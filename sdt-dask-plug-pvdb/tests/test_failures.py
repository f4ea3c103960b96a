"""What goes wrong between the plug and a database, and what it says: who, what, why, what to do, and no secret."""

from __future__ import annotations

import pickle
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from psycopg2 import sql
from pvdb_proxy import Proxy
from pvdb_source import Source, a_day

from sdt_dask_core.errors import AccessDeniedError, DataFormatError, OptionError, PlugError, SourceUnavailableError
from sdt_dask_plug_pvdb import PvdbPlug, database
from sdt_dask_plug_pvdb.table import MeasurementTable

Fails = Callable[..., PlugError]


@pytest.fixture
def fails(source: Source) -> Fails:
    """Read a key and return the error, which is told by `check_access`, too, names no secret, and pickles."""

    def error_of(kind: type[Exception], plug: PvdbPlug) -> PlugError:
        with pytest.raises(kind) as caught:
            plug.get_data(("a", "s"))
        error: PlugError = caught.value  # type: ignore[assignment]
        assert type(error) is kind
        assert error.message in list(plug.check_access())
        assert source.password not in repr(vars(error)) + str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        return error

    return error_of


def test_a_good_source_has_nothing_to_say(source: Source):
    plug = source.plug()
    assert list(plug.check_access()) == []
    plug.close()
    plug.close()


def test_a_wrong_password(source: Source, fails: Fails, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WRONG", "not the password")
    error = fails(AccessDeniedError, source.plug(password="env:WRONG"))
    place = f"database '{source.database}' at 127.0.0.1:{source.server.port} cannot be connected to: "
    assert str(error).startswith(place)
    assert f'password authentication failed for user "{source.user}"; check user, and password=env:NAME' in str(error)
    assert "REDSHIFT_API_KEY was the key of PVDB's web API, which is switched off" in str(error)
    assert "not the password" not in str(error)


def test_no_password(source: Source, fails: Fails, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    assert "no password supplied" in str(fails(AccessDeniedError, source.plug(password=None)))


def test_a_password_that_is_not_set(source: Source, fails: Fails, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SDT_DASK_UNSET", raising=False)
    assert "SDT_DASK_UNSET is not set in this process" in str(
        fails(OptionError, source.plug(password="env:SDT_DASK_UNSET"))
    )


def test_an_unknown_user(source: Source, fails: Fails):
    assert "password authentication failed" in str(fails(AccessDeniedError, source.plug(user="nobody at all")))


def test_a_user_that_may_not_log_in(source: Source, fails: Fails):
    source.ask(f"ALTER ROLE {source.user} NOLOGIN")
    assert "is not permitted to log in; ask who runs" in str(fails(AccessDeniedError, source.plug()))


def test_a_user_that_may_not_connect_to_the_database(source: Source, fails: Fails):
    source.ask(f'REVOKE CONNECT ON DATABASE "{source.database}" FROM PUBLIC')
    assert "permission denied for database" in str(fails(AccessDeniedError, source.plug()))


def test_an_unknown_database(source: Source, fails: Fails):
    error = fails(DataFormatError, source.plug(database="nowhere"))
    assert 'database "nowhere" does not exist; check the option database' in str(error)


def test_a_refused_connection(source: Source, fails: Fails):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        error = fails(SourceUnavailableError, source.plug(port=probe.getsockname()[1]))
    assert "Connection refused" in str(error)
    assert "check host and port (Redshift listens on 5439)" in str(error)


def test_a_host_that_is_not_there(source: Source, fails: Fails):
    error = fails(SourceUnavailableError, source.plug(host="nowhere.invalid", sslmode="disable"))
    assert 'could not translate host name "nowhere.invalid" to address' in str(error)


def test_an_unknown_service(source: Source, fails: Fails, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    (tmp_path / "services.conf").write_text("[other]\nhost=127.0.0.1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services.conf"))
    error = fails(DataFormatError, source.plug(host=None, port=None, service="pv"))
    assert 'definition of service "pv" not found; check the option service' in str(error)


def test_a_service_says_where_to_connect(source: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    text = f"[pv]\nhost=127.0.0.1\nport={source.server.port}\ndbname={source.database}\nuser={source.user}\n"
    (tmp_path / "services.conf").write_text(text)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services.conf"))
    source.add(a_day([1.0]))
    where = dict.fromkeys(("host", "port", "database", "user"))
    assert len(source.plug(**where, service="pv", sslmode="disable").get_data(("a", "s"))) == 1


def test_a_missing_table(source: Source, fails: Fails):
    error = fails(DataFormatError, source.plug(table="nothing"))
    assert str(error) == (
        f"table 'nothing' in database '{source.database}' at 127.0.0.1:{source.server.port} cannot be read: "
        'relation "nothing" does not exist; check the options table and schema'
    )


def test_a_missing_schema(source: Source, fails: Fails):
    error = fails(DataFormatError, source.plug(schema="nowhere"))
    assert str(error).startswith("table 'nowhere.measurements' in database")


@pytest.mark.parametrize("option", ["site_column", "meas_name_column", "timestamp_column", "sensor_column"])
def test_a_missing_column(source: Source, fails: Fails, option: str):
    error = fails(DataFormatError, source.plug(**{option: "nothing"}))
    assert 'column "nothing" does not exist; check the options site_column, meas_name_column' in str(error)


def test_a_table_that_may_not_be_read(source: Source, fails: Fails):
    source.ask(f"REVOKE SELECT ON measurements FROM {source.user}")
    error = fails(AccessDeniedError, source.plug())
    assert "permission denied for table measurements; have the user granted USAGE on the schema and SELECT on" in str(
        error
    )


def test_a_query_that_takes_too_long(source: Source):
    source.ask(
        "CREATE FUNCTION wait(v double precision) RETURNS double precision AS "
        "$$ SELECT pg_sleep(20); SELECT v $$ LANGUAGE SQL VOLATILE"
    )
    source.ask(
        "CREATE VIEW slow AS SELECT site, meas_name, ts, sensor, wait(meas_val_f) AS meas_val_f FROM measurements"
    )
    source.ask(f"GRANT SELECT ON slow TO {source.user}")
    source.add(a_day([1.0]))
    start = time.monotonic()
    with pytest.raises(
        SourceUnavailableError, match="canceling statement due to statement timeout; set statement_time"
    ):
        source.plug(table="slow", statement_timeout=0.2).get_data(("a", "s"))
    assert time.monotonic() - start < 19


# Dropped connections


def test_a_server_that_restarts_in_the_middle_of_a_read_loses_no_row(source: Source, monkeypatch: pytest.MonkeyPatch):
    source.add(a_day(range(288)))
    plug = source.plug(chunk_rows=50)
    series, asked = MeasurementTable.series, []

    def restart_before_the_third(*arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 3:
            source.server.restart()
        return series(*arguments)

    monkeypatch.setattr(MeasurementTable, "series", restart_before_the_third)
    assert plug.get_data(("a", "s"))["ac_power"].tolist() == list(range(288))
    assert len(asked) > 3


def test_a_server_that_is_away_for_a_while_is_waited_for(source: Source, monkeypatch: pytest.MonkeyPatch):
    source.add(a_day([1.0]))
    plug = source.plug()
    assert list(plug.list_keys()) == [("a", "s")]
    source.server.stop()
    back = threading.Timer(1.0, source.server.start)
    back.start()
    try:
        assert len(plug.get_data(("a", "s"))) == 1
    finally:
        back.join()


def test_a_connection_that_was_dropped_while_idle_is_opened_once_more(source: Source):
    source.add(a_day([1.0]))
    plug = source.plug()
    assert list(plug.list_keys()) == [("a", "s")]
    source.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sdt-dask'")
    assert list(plug.list_keys()) == [("a", "s")]
    plug.close()


def test_a_result_that_was_cut_in_the_middle_is_read_again(source: Source):
    source.add(a_day(range(288)))
    proxy = Proxy(source.server.port, cut_after=5_000)
    try:
        assert source.plug(port=proxy.port).get_data(("a", "s"))["ac_power"].tolist() == list(range(288))
    finally:
        proxy.close()
    assert proxy.cuts_left == 0


def test_a_connection_that_is_dropped_again_and_again_is_an_error(source: Source):
    source.add(a_day(range(288)))
    proxy = Proxy(source.server.port, cut_after=5_000, cuts=10)
    try:
        with pytest.raises(SourceUnavailableError, match="closed the connection unexpectedly"):
            source.plug(port=proxy.port, sslmode="disable").get_data(("a", "s"))
    finally:
        proxy.close()
    assert proxy.cuts_left == 8


# Too many connections


def limit(source: Source, connections: int) -> None:
    role = sql.Identifier(source.user)
    source.ask(sql.SQL("ALTER ROLE {} CONNECTION LIMIT %s").format(role), (connections,))  # type: ignore[arg-type]


def test_a_plug_waits_for_a_connection_that_another_one_has(source: Source):
    source.add(a_day([1.0]))
    limit(source, 1)
    first, second = source.plug(), source.plug()
    assert list(first.list_keys()) == [("a", "s")]  # and keeps its connection
    leave = threading.Timer(1.0, first.close)
    leave.start()
    try:
        assert len(second.get_data(("a", "s"))) == 1
    finally:
        leave.join()


def test_a_plug_does_not_wait_for_ever(source: Source, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "_PATIENCE_FULL", 0.3)
    limit(source, 0)
    with pytest.raises(SourceUnavailableError, match=r"too many connections for role .* set max_connections lower"):
        source.plug().get_data(("a", "s"))
