"""Signing, permissions and roles, against moto, which holds each request against the policies that it was given."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sdt_dask_core.errors import AccessDeniedError
from sdt_dask_plug_s3 import S3Plug

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "read-from-s3.md"
TABLE = b"timestamp,power\n2020-01-01 11:00,1.5\n2020-01-01 12:00,2.5\n"
EXTERNAL_ID = "agreed-with-the-owner"
UNCHECKED = b"1000000"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


@dataclass
class Account:
    """An AWS account in moto, with the bucket ``fleet`` in it."""

    url: str

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "AKIAROOT", "aws_secret_access_key": "root"}
        retries = Config(retries={"mode": "standard", "total_max_attempts": 2})
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", config=retries, **keys)

    def user(self, name: str, document: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Make a user with a policy; return the options that make a plug this user."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        monkeypatch.setenv("USER_SECRET", key["SecretAccessKey"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        return {"bucket": "fleet", "endpoint_url": self.url, "region": "us-east-1", "max_attempts": 1}

    def role(self, document: str) -> str:
        iam = self.client("iam")
        trust = policy({"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
        role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]
        iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document)
        return str(role["Arn"])

    def check_permissions(self, after: bytes = b"0") -> None:
        """Hold every request from now on against the policies."""
        self._post("reset-auth", after)

    def _post(self, what: str, body: bytes = b"") -> None:
        # Without a type it would be taken for a form.
        typed = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{self.url}/moto-api/{what}", body, typed, method="POST")
        urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture
def account(moto_url: str) -> Iterator[Account]:
    account = Account(moto_url)
    account._post("reset")  # noqa: SLF001 - a part of it
    account.check_permissions(UNCHECKED)
    s3 = account.client("s3")
    s3.create_bucket(Bucket="fleet")
    for key in ("north/a.csv", "south/b.csv"):
        s3.put_object(Bucket="fleet", Key=key, Body=TABLE)
    yield account
    account.check_permissions(UNCHECKED)


ALL_OF_FLEET = policy(
    {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::fleet"},
    {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::fleet/*"},
)


def test_credentials_of_the_environment_are_used(account: Account, monkeypatch: pytest.MonkeyPatch):
    plug = S3Plug(**account.user("reader", ALL_OF_FLEET, monkeypatch))
    account.check_permissions()
    assert list(plug.list_keys()) == [("north/a.csv",), ("south/b.csv",)]
    assert len(plug.get_data(("north/a.csv",))) == 2


def test_a_profile_is_used(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    options = account.user("reader", ALL_OF_FLEET, monkeypatch)
    keys = [os.environ.pop("AWS_ACCESS_KEY_ID"), os.environ.pop("AWS_SECRET_ACCESS_KEY")]
    config = tmp_path / "config"
    config.write_text(f"[profile fleet]\naws_access_key_id={keys[0]}\naws_secret_access_key={keys[1]}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    account.check_permissions()
    assert len(S3Plug(**options, profile="fleet").get_data(("north/a.csv",))) == 2


@pytest.mark.parametrize("place", ["environment", "profile"])
def test_temporary_credentials_are_used_with_their_session_token(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
):
    options = account.user("nobody", policy({"Action": "sts:AssumeRole", "Resource": "*"}), monkeypatch)
    role = account.client("sts").assume_role(RoleArn=account.role(ALL_OF_FLEET), RoleSessionName="short")["Credentials"]
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    names["SessionToken"] = "aws_session_token"
    if place == "environment":
        for said, name in names.items():
            monkeypatch.setenv(name.upper(), role[said])
    else:
        config = tmp_path / "config"
        config.write_text("\n".join(["[profile short]", *(f"{name}={role[said]}" for said, name in names.items())]))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        options["profile"] = "short"
    account.check_permissions()
    assert len(S3Plug(**options).get_data(("north/a.csv",))) == 2


def test_the_policy_of_the_documentation_is_enough(account: Account, monkeypatch: pytest.MonkeyPatch):
    document = re.search(r"```json\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert document
    text = document[1].replace("my-folder", "north").replace("my-bucket", "fleet")
    options = account.user("reader", text, monkeypatch)
    plug = S3Plug(**options, prefix="north")
    account.check_permissions()
    assert list(plug.check_access()) == []
    assert list(plug.list_keys()) == [("a.csv",)]
    assert len(plug.get_data(("a.csv",))) == 2
    assert S3Plug(**options, prefix="north").fingerprint(("a.csv",)) == plug.fingerprint(("a.csv",))
    with pytest.raises(AccessDeniedError):
        S3Plug(**options, prefix="south").get_data(("b.csv",))


def test_a_user_who_may_do_nothing_is_told_what_to_ask_for(account: Account, monkeypatch: pytest.MonkeyPatch):
    nothing = policy({"Action": "s3:ListAllMyBuckets", "Resource": "*"})
    plug = S3Plug(**account.user("stranger", nothing, monkeypatch))
    account.check_permissions()
    with pytest.raises(AccessDeniedError) as caught:
        plug.get_data(("north/a.csv",))
    assert str(caught.value).startswith("s3://fleet/north/a.csv cannot be read: access denied (AccessDenied: ")
    assert "grant s3:GetObject on arn:aws:s3:::fleet/* to the credentials of this process" in str(caught.value)
    with pytest.raises(AccessDeniedError, match="grant s3:ListBucket on arn:aws:s3:::fleet to the credentials of this"):
        next(iter(plug.list_keys()))


def test_a_user_who_may_read_and_not_list_reads_keys_that_are_given(account: Account, monkeypatch: pytest.MonkeyPatch):
    may_read = policy({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::fleet/*"})
    plug = S3Plug(**account.user("reader", may_read, monkeypatch))
    account.check_permissions()
    assert list(plug.check_access()) == []
    assert plug.fingerprint(("north/a.csv",)) is not None
    assert len(plug.get_data(("north/a.csv",))) == 2


def test_a_head_that_is_forbidden_is_no_fingerprint(account: Account, monkeypatch: pytest.MonkeyPatch):
    nothing = policy({"Action": "s3:ListAllMyBuckets", "Resource": "*"})
    plug = S3Plug(**account.user("stranger", nothing, monkeypatch))
    account.check_permissions()
    assert plug.fingerprint(("north/a.csv",)) is None


def test_unsigned_reads_what_is_open_to_everybody(account: Account):
    account.client("s3").put_object_acl(Bucket="fleet", Key="north/a.csv", ACL="public-read")
    plug = S3Plug("fleet", endpoint_url=account.url, unsigned=True)
    assert len(plug.get_data(("north/a.csv",))) == 2
    with pytest.raises(AccessDeniedError, match="it is not open to everybody; leave out unsigned and give credentials"):
        plug.get_data(("south/b.csv",))


# Roles

MAY_ASSUME = policy({"Action": "sts:AssumeRole", "Resource": "*"})


@pytest.fixture
def sts(account: Account, proxy_to: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A proxy before moto, where roles are assumed."""
    proxy = proxy_to(account.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", proxy.url)
    return proxy


def test_a_role_is_assumed_once_for_many_requests(account: Account, sts: Any, monkeypatch: pytest.MonkeyPatch):
    options = account.user("nobody", MAY_ASSUME, monkeypatch)
    plug = S3Plug(**options, role_arn=account.role(ALL_OF_FLEET), external_id=EXTERNAL_ID)
    account.check_permissions()
    assert list(plug.list_keys()) == [("north/a.csv",), ("south/b.csv",)]
    assert len(plug.get_data(("north/a.csv",))) == 2
    assert sts.methods == ["POST"]


def test_the_role_is_asked_for_with_its_external_id(account: Account, sts: Any, monkeypatch: pytest.MonkeyPatch):
    options = account.user("nobody", MAY_ASSUME, monkeypatch)
    arn = account.role(ALL_OF_FLEET)
    S3Plug(**options, role_arn=arn, external_id=EXTERNAL_ID).fingerprint(("north/a.csv",))
    (request,) = sts.asked
    assert f"ExternalId={EXTERNAL_ID}" in request.body.decode()
    assert "RoleSessionName=sdt-dask" in request.body.decode()


def test_the_rights_are_those_of_the_role(account: Account, sts: Any, monkeypatch: pytest.MonkeyPatch):
    options = account.user("nobody", MAY_ASSUME, monkeypatch)
    north = policy({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::fleet/north/*"})
    arn = account.role(north)
    plug = S3Plug(**options, role_arn=arn)
    account.check_permissions()
    assert len(plug.get_data(("north/a.csv",))) == 2
    with pytest.raises(AccessDeniedError, match=f"grant s3:GetObject on arn:aws:s3:::fleet/\\* to the role {arn}"):
        plug.get_data(("south/b.csv",))


def test_credentials_of_a_role_are_renewed_before_they_expire(
    account: Account, sts: Any, monkeypatch: pytest.MonkeyPatch
):
    options = account.user("nobody", MAY_ASSUME, monkeypatch)
    soon = (datetime.now(timezone.utc) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def expiring(_: Any, answer: Any) -> Any:
        body = re.sub(rb"<Expiration>[^<]*<", f"<Expiration>{soon}<".encode(), answer.body)
        return replace(answer, body=body)

    sts.faults = [expiring]
    plug = S3Plug(**options, role_arn=account.role(ALL_OF_FLEET))
    account.check_permissions()
    for _ in range(3):
        assert plug.fingerprint(("north/a.csv",)) is not None
    assert sts.methods == ["POST", "POST"]


def test_a_role_that_may_not_be_assumed(account: Account, sts: Any, monkeypatch: pytest.MonkeyPatch):
    options = account.user("nobody", policy({"Action": "s3:*", "Resource": "*"}), monkeypatch)
    arn = account.role(ALL_OF_FLEET)
    plug = S3Plug(**options, role_arn=arn)
    account.check_permissions()
    with pytest.raises(AccessDeniedError) as caught:
        plug.get_data(("north/a.csv",))
    text = str(caught.value)
    assert text.startswith(f"s3://fleet/north/a.csv cannot be read: the role {arn} cannot be assumed (AccessDenied")
    assert text.endswith(
        "; its trust policy must name who asks, who needs sts:AssumeRole on it, and external_id must be the one that "
        "the policy wants"
    )


def test_a_role_without_credentials_to_assume_it(account: Account):
    plug = S3Plug("fleet", endpoint_url=account.url, role_arn="arn:aws:iam::123456789012:role/reader")
    with pytest.raises(AccessDeniedError, match="no credentials were found on this machine"):
        plug.get_data(("north/a.csv",))


# Requester pays


def test_requests_say_that_the_requester_pays(behind_proxy: Any, proxy: Any):
    behind_proxy.put_as("paid", "a.csv", TABLE)
    plug = behind_proxy.plug("paid", requester_pays=True)
    assert list(plug.check_access()) == []
    plug.fingerprint(("a.csv",))
    plug.get_data(("a.csv",))
    list(plug.list_keys())
    assert proxy.methods == ["GET", "HEAD", "GET", "GET"]
    assert [request.headers.get("x-amz-request-payer") for request in proxy.asked] == ["requester"] * 4


def test_nobody_pays_unasked(behind_proxy: Any, proxy: Any):
    behind_proxy.put_as("paid", "a.csv", TABLE)
    behind_proxy.plug("paid").get_data(("a.csv",))
    assert all("x-amz-request-payer" not in request.headers for request in proxy.asked)
