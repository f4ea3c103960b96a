"""Logins by IAM: real calls of boto3 to a server of its protocol, real logins to PostgreSQL with what comes back."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg2 import sql
from pvdb_aws import FakeAws
from pvdb_source import Source, a_day

from sdt_dask_core.errors import AccessDeniedError, OptionError, SourceUnavailableError
from sdt_dask_plug_pvdb import PvdbPlug
from sdt_dask_plug_pvdb.credentials import Credentials, CredentialsCache, IamLogin

boto3 = pytest.importorskip("boto3", reason="boto3 comes with sdt-dask-plug-pvdb[iam]")

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Credentials of nobody, and no way out to the real AWS."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    return monkeypatch


@pytest.fixture
def iam_user(source: Source) -> Iterator[tuple[str, str]]:
    """A database user as IAM makes it, who may read the table."""
    with source.server.user(f"IAM:{source.user}") as (name, password):
        source.ask(sql.SQL("GRANT SELECT ON measurements TO {}").format(sql.Identifier(name)))
        yield name, password


def iam_plug(source: Source, **options: Any) -> PvdbPlug:
    return source.plug(password=None, user=None, **options)


@pytest.fixture
def fake(aws: pytest.MonkeyPatch, iam_user: tuple[str, str]) -> Iterator[Callable[..., FakeAws]]:
    """Start an AWS that hands out the user's password for so many seconds."""
    running: list[FakeAws] = []

    def start(seconds: float = 900.0) -> FakeAws:
        user, password = iam_user
        running.append(
            FakeAws(lambda *_: (user, password, dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)))
        )
        aws.setenv("AWS_ENDPOINT_URL", running[-1].url)
        return running[-1]

    yield start
    for each in running:
        each.close()


def test_a_cluster_by_its_database_user_against_moto(
    source: Source, iam_user: tuple[str, str], aws: pytest.MonkeyPatch
):
    moto_server = pytest.importorskip("moto.server")
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        aws.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto3.client("redshift").create_cluster(
            ClusterIdentifier="pvdb", NodeType="ra3.large", MasterUsername="a", MasterUserPassword="Aa345678"
        )
        fetch = IamLogin.fetch

        def fetch_and_tell_postgres(login: IamLogin) -> Credentials:
            """As Redshift does, let the database know the password that was handed out."""
            got = fetch(login)
            source.ask(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(got.user), sql.Literal(got.password)))
            return got

        aws.setattr(IamLogin, "fetch", fetch_and_tell_postgres)
        source.add(a_day([1.0, 2.0]))
        plug = source.plug(password=None, cluster_identifier="pvdb")
        assert plug.source.address.iam.user == source.user
        assert len(plug.get_data(("a", 0))) == 2
        with pytest.raises(OptionError, match=r"ClusterNotFound.*; check the options cluster_identifier and region"):
            source.plug(password=None, cluster_identifier="nothing").get_data(("a", 0))
    finally:
        server.stop()


def test_a_cluster_by_the_iam_identity(source: Source, fake: Callable[..., FakeAws]):
    source.add(a_day([1.0]))
    server = fake()
    assert len(iam_plug(source, cluster_identifier="pvdb").get_data(("a", 0))) == 1
    ((action, given),) = server.asked
    assert action == "GetClusterCredentialsWithIAM"
    assert (given["ClusterIdentifier"], given["DbName"]) == ("pvdb", source.database)


def test_redshift_serverless(source: Source, fake: Callable[..., FakeAws]):
    source.add(a_day([1.0]))
    server = fake()
    assert len(iam_plug(source, workgroup="fleet").get_data(("a", 0))) == 1
    ((action, given),) = server.asked
    assert action == "GetCredentials"
    assert (given["workgroupName"], given["dbName"]) == ("fleet", source.database)


def test_credentials_are_kept_for_the_next_connection(source: Source, fake: Callable[..., FakeAws]):
    source.add(a_day([1.0]))
    server, plug = fake(), iam_plug(source, workgroup="fleet")
    for _ in range(3):
        plug.get_data(("a", 0))
    assert len(server.asked) == 1


def test_credentials_that_are_about_to_expire_are_renewed(source: Source, fake: Callable[..., FakeAws]):
    source.add(a_day([1.0]))
    server, plug = fake(seconds=59), iam_plug(source, workgroup="fleet")
    for _ in range(3):
        plug.get_data(("a", 0))
    assert len(server.asked) == 3


@pytest.mark.parametrize(("seconds_left", "fetched"), [(61, 1), (60, 2), (1, 2), (-5, 2)])
def test_credentials_are_kept_until_a_minute_before_their_end(seconds_left: int, fetched: int):
    clock, calls = [NOW], []

    def fetch() -> Credentials:
        calls.append(1)
        return Credentials("u", "p", NOW + dt.timedelta(minutes=15))

    cache = CredentialsCache(fetch, now=lambda: clock[0])
    cache.get()
    clock[0] = NOW + dt.timedelta(minutes=15, seconds=-seconds_left)
    cache.get()
    assert len(calls) == fetched


def test_refused_credentials_are_fetched_anew(source: Source, fake: Callable[..., FakeAws], iam_user: tuple[str, str]):
    source.add(a_day([1.0]))
    server, plug = fake(), iam_plug(source, workgroup="fleet")
    role = sql.Identifier(iam_user[0])
    source.ask(sql.SQL("ALTER ROLE {} PASSWORD 'another'").format(role))
    with pytest.raises(AccessDeniedError, match="password authentication failed") as caught:
        plug.get_data(("a", 0))
    assert iam_user[1] not in str(caught.value) + repr(plug.source)
    source.ask(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(iam_user[1])))
    assert len(plug.get_data(("a", 0))) == 1
    assert len(server.asked) == 2


# What goes wrong


def login(**options: Any) -> IamLogin:
    nothing = dict.fromkeys(("cluster_identifier", "workgroup", "user", "region", "profile"))
    return IamLogin(**{**nothing, "database": "pv", "cluster_identifier": "pvdb", **options})


def test_no_identity_at_all(aws: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        aws.delenv(name)
    with pytest.raises(AccessDeniedError) as caught:
        login().fetch()
    assert caught.value.message == (
        "AWS gave no credentials for cluster_identifier='pvdb': Unable to locate credentials; give the process that "
        "reads an AWS identity (a role, or profile) that allows redshift:GetClusterCredentialsWithIAM"
    )


@pytest.mark.parametrize(
    ("options", "action"),
    [
        ({"user": "reader"}, "redshift:GetClusterCredentials"),
        ({}, "redshift:GetClusterCredentialsWithIAM"),
        ({"cluster_identifier": None, "workgroup": "w"}, "redshift-serverless:GetCredentials"),
    ],
)
def test_a_refusal_names_the_permission(aws: pytest.MonkeyPatch, options: dict[str, Any], action: str):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        aws.delenv(name)
    with pytest.raises(AccessDeniedError, match=f"that allows {action}$"):
        login(**options).fetch()


def test_an_unknown_profile():
    with pytest.raises(OptionError, match=r"The config profile .nothing. could not be found; check the options region"):
        login(profile="nothing").fetch()


def test_no_region(aws: pytest.MonkeyPatch):
    aws.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(OptionError, match="You must specify a region; check the options region and profile"):
        login().fetch()


def test_an_aws_that_is_not_reached(aws: pytest.MonkeyPatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        aws.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{probe.getsockname()[1]}")
        with pytest.raises(SourceUnavailableError, match=r"Could not connect .* check that this machine reaches AWS"):
            login().fetch()


def test_boto3_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(OptionError, match=r"needs boto3 .*: pip install 'sdt-dask-plug-pvdb\[iam\]'"):
        login().fetch()
