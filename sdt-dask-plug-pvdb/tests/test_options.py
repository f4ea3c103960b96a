"""Options of `PvdbPlug`: what they become, which are refused before anything is opened, and what libpq gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.errors import OptionError
from sdt_dask_core.options import options_of
from sdt_dask_core.reference import refer_to
from sdt_dask_core.secret import Secret
from sdt_dask_plug_pvdb import PvdbPlug
from sdt_dask_plug_pvdb.address import Address
from sdt_dask_plug_pvdb.database import Database

HERE = {"host": "db.example.org", "database": "pv", "utc_offset": -8.0}


def address(**options: Any) -> Address:
    """Return the address that a plug with these options connects to."""
    database: Database = PvdbPlug(**{**HERE, **options}).source
    return database.address


def arguments(**options: Any) -> dict[str, Any]:
    return address(**options).libpq_arguments(None, libpq_version=170000)


def test_importing_and_building_it_leaves_drivers_and_pandas_alone():
    code = (
        "import sys; from sdt_dask_plug_pvdb import PvdbPlug; "
        "PvdbPlug('db.example.org', database='pv', tz='Europe/Rome', cluster_identifier='c', start='2020-01-01'); "
        "print(sorted({'pandas', 'numpy', 'psycopg2', 'boto3', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_has_its_help_and_type():
    options = list(options_of(PvdbPlug, kind="plug", name="pvdb"))
    assert [option.name for option in options if not option.help or option.type_text == "any"] == []
    assert [option.name for option in options if option.is_secret] == ["password"]


def test_options_from_the_command_line_become_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = options_of(PvdbPlug, kind="plug", name="pvdb")
    given = {"port": "5439", "sslrootcert": "ca.crt", "max_connections": "3", "password": "env:PGPASSWORD"}
    plug = PvdbPlug(**options.build_arguments(options.resolve({**HERE, **given})))
    assert plug.source.address.port == 5439
    assert plug.source.address.sslrootcert == tmp_path / "ca.crt"
    assert plug.source.address.password == Secret("env:PGPASSWORD")
    assert plug.max_concurrent_reads == 3


def test_a_password_is_never_taken_as_its_value():
    with pytest.raises(OptionError, match="give a reference instead: env:NAME") as caught:
        refer_to("plug", "pvdb", {**HERE, "password": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_instance_becomes_class_and_options():
    reference = refer_to("plug", PvdbPlug("localhost", database="pv", tz="auto", password=Secret("env:PGPASSWORD")))
    assert reference.options == {"host": "localhost", "database": "pv", "tz": "auto", "password": "env:PGPASSWORD"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": None}, "needs a database to connect to: host, database, user and password=env:NAME; or service"),
        ({"host": None}, "REDSHIFT_API_KEY was the key of PVDB's web API, which is switched off"),
        ({"host": "https://api.pvdb.slacgismo.org/v1/query"}, "is no database host; .* web API, which is switched off"),
        ({"host": "api.pvdb.slacgismo.org"}, "is no database host"),
        ({"database": None}, "needs database"),
        ({"utc_offset": None}, "timestamps=utc needs tz"),
        ({"port": 0}, "port=0 is no port"),
        ({"max_connections": 0}, "max_connections=0 is too small; the least is 1"),
        ({"chunk_rows": 1}, "chunk_rows=1 is too small"),
        ({"statement_timeout": 0.0}, "statement_timeout=0 is no time above 0 s"),
        ({"cluster_identifier": "c", "workgroup": "w"}, "exclude each other"),
        ({"cluster_identifier": "c", "password": Secret("env:P")}, "password and a login by IAM .* exclude each other"),
        ({"cluster_identifier": "c", "service": "s"}, "service and a login by IAM .* exclude each other"),
        ({"workgroup": "w", "user": "u"}, "the IAM identity decides the user"),
        ({"table": ""}, "table='' is no name of a table or column"),
        ({"power_column": "a\0b"}, "power_column=.* is no name"),
        ({"start": "yesterday"}, "start='yesterday' is no date; write it like 2020-01-31"),
        ({"end": "2020-01-01T00:00+01:00"}, "carries an offset; write it without, in the time of the table"),
        ({"end": "2020-01-01T00:00Z"}, "carries an offset"),
        ({"start": "2020-01-02", "end": "2020-01-02"}, "start='2020-01-02' is not before end='2020-01-02'"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options: dict[str, Any], message: str):
    with pytest.raises(OptionError, match=message):
        PvdbPlug(**{**HERE, **options})


# What libpq gets


@pytest.mark.parametrize("host", ["db.example.org", "10.0.0.1", "localhost.example.org", "127.0.0.1,db.example.org"])
def test_who_the_server_is_is_verified(host: str):
    assert arguments(host=host)["sslmode"] == "verify-full"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "/var/run/postgresql"])
def test_loopback_needs_no_certificate(host: str):
    assert arguments(host=host)["sslmode"] == "prefer"


def test_a_service_is_verified_too_whatever_its_file_says():
    assert arguments(host=None, service="pv")["sslmode"] == "verify-full"


def test_the_tls_mode_can_be_chosen():
    assert arguments(sslmode="require")["sslmode"] == "require"


def test_certificates_of_the_system_are_found_by_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    bundle = tmp_path / "bundle.crt"
    bundle.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert arguments()["sslrootcert"] == str(bundle)
    assert arguments(sslrootcert="system")["sslrootcert"] == str(bundle)


def test_the_certificates_that_libpq_knows_come_before_those_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "sslrootcert" not in arguments()


def test_dead_connections_are_noticed_and_kerberos_is_left_out():
    given = arguments()
    assert (given["keepalives"], given["keepalives_idle"], given["tcp_user_timeout"]) == (1, 30, 30_000)
    assert (given["gssencmode"], given["application_name"], given["connect_timeout"]) == ("disable", "sdt-dask", 10)


def test_the_port_of_a_login_by_iam_is_that_of_redshift():
    assert arguments(cluster_identifier="c")["port"] == 5439
    assert arguments(cluster_identifier="c", port=5440)["port"] == 5440
    assert "port" not in arguments()


def test_what_is_not_given_is_left_to_libpq():
    assert not {"user", "password", "service"} & set(arguments())


def test_the_password_is_read_when_it_is_used(monkeypatch: pytest.MonkeyPatch):
    found = address(password=Secret("env:SDT_DASK_PVDB_TEST"))
    assert "s3cret" not in repr(found)
    monkeypatch.setenv("SDT_DASK_PVDB_TEST", "s3cret")
    assert found.libpq_arguments(None, libpq_version=170000)["password"] == "s3cret"
    assert "s3cret" not in repr(found) + str(found)
