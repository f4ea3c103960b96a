"""What `S3Plug` says when a store refuses: bucket, key, cause, what to do."""

from __future__ import annotations

import pickle
import socket
from typing import Any

import pytest

from sdt_dask_core.errors import (
    AccessDeniedError,
    KeyNotFoundError,
    OptionError,
    PlugError,
    SdtDaskError,
    SourceUnavailableError,
)
from sdt_dask_plug_s3 import S3Plug
from sdt_dask_testing.s3_server import refusing, s3_error

READ = "s3://fleet/a.csv cannot be read: "
LIST = "s3://fleet/ cannot be listed: "


@pytest.fixture(scope="module", autouse=True)
def _objects(store: Any) -> None:
    store.put_as("fleet", "a.csv", store.table)
    store.put_as("fleet", "north/site_17.csv.gz", store.table)


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def error_of(plug: S3Plug, name: str = "a.csv") -> SdtDaskError:
    with pytest.raises(SdtDaskError) as caught:
        plug.get_data((name,))
    return caught.value


def told(plug: S3Plug) -> str:
    """Return the one sentence of `check_access`."""
    (sentence,) = plug.check_access()
    return sentence


# From real servers


def test_no_such_object(store: Any):
    error = error_of(store.plug("fleet", prefix="north"), "b.csv")
    assert type(error) is KeyNotFoundError
    assert str(error) == (
        "s3://fleet/north/b.csv cannot be read: there is no such object; a key is the whole name below the prefix, "
        "with its extension; `sdt-dask keys` lists what is there"
    )


def test_an_extension_that_was_left_off(store: Any):
    error = error_of(store.plug("fleet", prefix="north"), "site_17")
    assert type(error) is KeyNotFoundError
    assert str(error) == (
        "s3://fleet/north/site_17 cannot be read: there is no such object; did you mean 'site_17.csv.gz'? A key is the "
        "whole name below the prefix, with its extension"
    )


def test_no_such_bucket(store: Any):
    plug = store.plug("flet")
    error = error_of(plug)
    assert type(error) is KeyNotFoundError
    reason = f"the store at {store.url} has no bucket 'flet'; check the options bucket and endpoint_url"
    assert str(error) == f"s3://flet/a.csv cannot be read: {reason}"
    assert told(plug) == f"s3://flet/ cannot be listed: {reason}"


def test_no_such_bucket_when_the_keys_are_listed(store: Any):
    with pytest.raises(KeyNotFoundError, match=r"^s3://flet/ cannot be listed: the store at .* has no bucket 'flet'"):
        next(iter(store.plug("flet").list_keys()))


def test_a_wrong_secret(store: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTHER_SECRET", "not-the-secret")
    plug = store.plug("fleet", secret_access_key="env:OTHER_SECRET")
    error = error_of(plug)
    assert type(error) is AccessDeniedError
    assert str(error).startswith(
        f"{READ}the store at {store.url} does not accept the access key AKIATESTSDTDASK00001 (SignatureDoesNotMatch: "
    )
    assert str(error).endswith("; check that the access key and its secret belong together and to this store")
    assert "not-the-secret" not in str(error)


def test_an_access_key_that_nobody_has(store: Any):
    error = error_of(store.plug("fleet", access_key_id="AKIANOBODY"))
    assert type(error) is AccessDeniedError
    assert f"the store at {store.url} does not accept the access key AKIANOBODY (InvalidAccessKeyId" in str(error)


def test_a_secret_that_is_not_set(store: Any):
    plug = store.plug("fleet", secret_access_key="env:NO_SUCH_SECRET")
    error = error_of(plug)
    assert type(error) is OptionError
    assert str(error) == (
        "the secret env:NO_SUCH_SECRET cannot be read: NO_SUCH_SECRET is not set in this process; set it"
    )
    assert told(plug) == str(error)


def test_no_credentials_hint_at_unsigned(store: Any):
    plug = S3Plug("fleet", endpoint_url=store.url)
    error = error_of(plug)
    assert type(error) is AccessDeniedError
    reason = (
        "no credentials were found on this machine (Unable to locate credentials); set unsigned=true if the bucket is "
        "open to everybody, else set the environment variables or the profile of AWS on every machine that has workers"
    )
    assert str(error) == READ + reason
    assert told(plug) == LIST + reason


def test_an_unknown_profile(store: Any):
    plug = S3Plug("fleet", endpoint_url=store.url, profile="wrok")
    error = error_of(plug)
    assert type(error) is OptionError
    assert str(error) == (
        "the AWS configuration of this machine has no profile 'wrok'; write it into ~/.aws/config on every machine "
        "that has workers, or give another profile"
    )
    assert told(plug) == str(error)


def test_an_endpoint_that_cannot_be_reached(nowhere: str):
    plug = S3Plug("fleet", endpoint_url=nowhere, unsigned=True, max_attempts=1)
    error = error_of(plug)
    assert type(error) is SourceUnavailableError
    reason = f'the store at {nowhere} cannot be reached: Could not connect to the endpoint URL: "{nowhere}/fleet'
    advice = "; check endpoint_url, region, the network and the proxy settings"
    assert str(error).startswith(READ + reason)
    assert str(error).endswith(advice)
    assert told(plug).startswith(LIST + reason)


def test_an_endpoint_that_is_no_address():
    error = error_of(S3Plug("fleet", endpoint_url="http://exa mple:99999", unsigned=True))
    assert type(error) is OptionError
    assert str(error).startswith("no client for S3 can be made: Invalid endpoint: http://exa mple:99999; check")


def test_a_bucket_name_that_s3_knows_not(store: Any):
    error = error_of(store.plug("no bucket!"))
    assert type(error) is PlugError
    assert str(error).startswith(
        "s3://no bucket!/a.csv cannot be read: Parameter validation failed: Invalid bucket name"
    )


# From a store that does as AWS documents


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (
            (403, "AccessDenied", "Access Denied"),
            AccessDeniedError,
            "access denied (AccessDenied: Access Denied); grant s3:GetObject on arn:aws:s3:::fleet/* to the access key "
            "AKIATESTSDTDASK00001, or set requester_pays=true if its readers pay for it; whoever may not list a bucket "
            "is refused missing objects in the same way",
        ),
        (
            (400, "ExpiredToken", "The provided token has expired."),
            AccessDeniedError,
            "the access key AKIATESTSDTDASK00001 expired (ExpiredToken: The provided token has expired); log in again, "
            "on every machine that has workers, or use credentials that renew themselves, such as role_arn or an "
            "instance's role",
        ),
        (
            (403, "RequestTimeTooSkewed", "The difference is too large."),
            AccessDeniedError,
            "the clock of this machine is wrong (RequestTimeTooSkewed: The difference is too large); set it and try "
            "again",
        ),
        (
            (403, "InvalidObjectState", "The operation is not valid for the object's storage class"),
            AccessDeniedError,
            "it is archived (InvalidObjectState: The operation is not valid for the object's storage class); restore "
            "the object first, or leave its key out",
        ),
        (
            (400, "KeyTooLongError", "Your key is too long"),
            PlugError,
            "KeyTooLongError: Your key is too long; check the options of the plug, and what the store's log says of it",
        ),
    ],
)
def test_refusals_as_aws_documents_them(
    behind_proxy: Any, proxy: Any, fault: tuple[int, str, str], kind: type[Exception], reason: str
):
    proxy.always = refusing(*fault)
    error = error_of(behind_proxy.plug("fleet"))
    assert type(error) is kind
    assert str(error) == READ + reason


GIVEN = "; keys that are given (--key, --keys-from, a manifest) are read without a listing"


def listing_error(plug: S3Plug) -> str:
    with pytest.raises(AccessDeniedError) as caught:
        next(iter(plug.list_keys()))
    return str(caught.value)


def test_a_listing_that_is_denied(behind_proxy: Any, proxy: Any):
    proxy.always = refusing(403, "AccessDenied", "Access Denied")
    assert listing_error(behind_proxy.plug("fleet", requester_pays=True)) == (
        f"{LIST}access denied (AccessDenied: Access Denied); grant s3:ListBucket on arn:aws:s3:::fleet to the access "
        f"key AKIATESTSDTDASK00001{GIVEN}"
    )


def test_an_unsigned_listing_that_is_denied(open_store: Any, proxy_to: Any):
    proxy = proxy_to(open_store.url)
    proxy.always = refusing(403, "AccessDenied", "Access Denied")
    assert listing_error(S3Plug("fleet", endpoint_url=proxy.url, unsigned=True)) == (
        f"{LIST}access denied (AccessDenied: Access Denied); it is not open to everybody; leave out unsigned and give "
        f"credentials, or set requester_pays=true if its readers pay for it{GIVEN}"
    )


def test_a_listing_that_is_denied_is_no_problem_for_keys_that_are_given(
    behind_proxy: Any, proxy: Any, caplog: pytest.LogCaptureFixture
):
    proxy.always = lambda request, answer: (
        s3_error(403, "AccessDenied", "Access Denied") if "list-type" in request.path else answer
    )
    plug = behind_proxy.plug("fleet")
    assert list(plug.check_access()) == []
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == listing_error(plug)
    assert plug.fingerprint(("a.csv",)) is not None
    assert len(plug.get_data(("a.csv",))) == 2


@pytest.mark.parametrize(
    "fault",
    [
        (301, "PermanentRedirect", "Use another endpoint."),
        (400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-3'"),
        (400, "IllegalLocationConstraintException", "The eu-west-3 location constraint is incompatible."),
    ],
)
def test_the_right_region_is_named(behind_proxy: Any, proxy: Any, fault: tuple[int, str, str]):
    proxy.always = refusing(*fault, **{"x-amz-bucket-region": "eu-west-3"})
    plug = behind_proxy.plug("fleet", region="us-east-1")
    reason = f"the bucket 'fleet' is in the region eu-west-3 ({fault[1]}: {fault[2].rstrip('.')}); set region=eu-west-3"
    error = error_of(plug)
    assert type(error) is AccessDeniedError
    assert str(error) == READ + reason
    assert told(plug) == LIST + reason


def test_another_region_that_the_store_does_not_name(behind_proxy: Any, proxy: Any):
    proxy.faults = [refusing(301, "PermanentRedirect", "Use another endpoint.")]
    assert str(error_of(behind_proxy.plug("fleet"))) == (
        f"{READ}the bucket 'fleet' is in another region (PermanentRedirect: Use another endpoint); set region to that "
        "of the bucket, and endpoint_url if it has its own"
    )


def test_nothing_that_matches(store: Any):
    assert told(store.plug("fleet", prefix="north", pattern="x*")) == (
        "no object in s3://fleet/north/ matches pattern='x*'; names that end in .csv.gz, .parquet, .csv are looked for"
    )


def test_good_access_is_one_request_and_nothing_to_say(behind_proxy: Any, proxy: Any):
    assert list(behind_proxy.plug("fleet").check_access()) == []
    assert proxy.methods == ["GET"]


def test_errors_pickle_and_know_bucket_and_object(store: Any):
    error = pickle.loads(pickle.dumps(error_of(store.plug("fleet"), "no.csv")))
    assert (error.bucket, error.object_key) == ("fleet", "no.csv")
