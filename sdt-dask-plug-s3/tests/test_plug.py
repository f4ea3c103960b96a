"""`S3Plug`: its options, and that it gives what core reads of the same tables in a folder."""

from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import AccessDeniedError, DataFormatError, KeyNotFoundError, OptionError
from sdt_dask_core.options import options_of
from sdt_dask_core.secret import Secret
from sdt_dask_core.tables import TableFormat, read_power
from sdt_dask_plug_s3 import S3Plug
from sdt_dask_testing import SyntheticSystem, write_fleet


def test_importing_and_building_it_leaves_boto3_and_pandas_alone():
    code = (
        "import sys; from sdt_dask_plug_s3 import S3Plug; S3Plug('b', role_arn='arn:aws:iam::1:role/r'); "
        "print(sorted({'boto3', 'botocore', 'pandas', 'numpy', 'pyarrow', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_has_its_help_and_type():
    options = list(options_of(S3Plug, kind="plug", name="s3"))
    assert [option.name for option in options if not option.help or option.type_text == "any"] == []
    assert [option.name for option in options if option.is_secret] == ["secret_access_key"]


def test_options_from_the_command_line_become_arguments():
    options = options_of(S3Plug, kind="plug", name="s3")
    values = options.resolve({"bucket": "b", "unsigned": "true", "power_columns": "a,b", "max_attempts": "3"})
    plug = S3Plug(**options.build_arguments(values))
    assert plug.table_format.power_columns == ("a", "b")
    assert (plug.place.access.unsigned, plug.place.access.max_attempts) == (True, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"bucket": "s3://fleet/2020/a"},
            "bucket='s3://fleet/2020/a' is an address; give its parts: bucket=fleet prefix=2020/a",
        ),
        ({"bucket": "fleet/2020"}, "bucket='fleet/2020' is no name of a bucket; folders in it go into prefix"),
        ({"bucket": ""}, "bucket='' is no name of a bucket; folders in it go into prefix"),
        (
            {"prefix": "a/../b"},
            "prefix='a/../b' is no folder of a bucket; write it as 'fleet/2020', with no empty parts, '.' or '..'",
        ),
        (
            {"endpoint_url": "localhost:9000"},
            "endpoint_url='localhost:9000' is no address; write it as 'https://s3.example.org'",
        ),
        ({"max_attempts": 0}, "max_attempts=0 is below 1, the first try"),
        ({"read_timeout": 0.0}, "read_timeout=0 is no time in seconds"),
        (
            {"access_key_id": "AKIA"},
            "access_key_id and secret_access_key go together; secret_access_key is missing",
        ),
        (
            {"access_key_id": "ASIATEMPORARY", "secret_access_key": Secret("env:X")},
            "access_key_id='ASIATEMPORARY' is a temporary key, which is nothing without its session token; put all "
            "three into a profile or the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), or "
            "give role_arn, whose credentials renew themselves",
        ),
        ({"external_id": "x"}, "external_id belongs to a role; give role_arn too"),
        ({"role_arn": "reader"}, "role_arn='reader' is no ARN; write it as 'arn:aws:iam::123456789012:role/name'"),
        (
            {"unsigned": True, "profile": "work"},
            "unsigned=true sends no credentials, so profile has no meaning; give one of them",
        ),
        (
            {"timestamps": "utc"},
            "timestamps=utc needs tz (IANA zone of the site), utc_offset (hours, such as -8) or tz=auto",
        ),
    ],
)
def test_options_that_cannot_work_are_refused_at_once(options: dict[str, Any], message: str):
    with pytest.raises(OptionError) as caught:
        S3Plug(**{"bucket": "fleet", **options})
    assert str(caught.value) == message


def test_a_profile_and_an_access_key_are_two_credentials():
    with pytest.raises(OptionError, match="profile='work' and access_key_id name two credentials; give one of them"):
        S3Plug("b", profile="work", access_key_id="AKIA", secret_access_key=Secret("env:X"))


# What it reads


@pytest.fixture(scope="module")
def fleets(store: Any, sdt_fleet: list[SyntheticSystem]) -> Any:
    """Return a bucket for each layout and format, each with the fleet."""
    for layout in ("files", "wide", "long"):
        for file_format in ("csv", "parquet"):
            folder = store.root / f"{layout}-{file_format}"
            write_fleet(folder, sdt_fleet, layout=layout, file_format=file_format, units="W")
    return store


def assert_same(store: Any, bucket: str, key: tuple[str, ...], **options: Any) -> None:
    name, sensor = (*key, None)[:2]
    path = store.root / bucket / "data" / str(name)
    wanted = read_power(path, name=str(path), table_format=TableFormat(**options), sensor=sensor)
    got = store.plug(bucket, prefix="data", **options).get_data(key)
    pd.testing.assert_frame_equal(got, wanted)
    assert got.attrs == wanted.attrs


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_file_a_system_is_read_as_from_a_folder(fleets: Any, file_format: str):
    assert_same(fleets, f"files-{file_format}", (f"system_00001.{file_format}",), units="W")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_wide_and_long_tables_are_read_as_from_a_folder(fleets: Any, layout: str, file_format: str):
    assert_same(fleets, f"{layout}-{file_format}", (f"fleet.{file_format}", "system_00002"), units="W")


def test_utc_tables_are_read_as_from_a_folder(fleets: Any):
    assert_same(fleets, "files-csv", ("system_00000.csv",), timestamps="utc", tz="America/Denver")


def test_gzip_is_read_as_from_a_folder(fleets: Any):
    content = (fleets.root / "files-csv/data/system_00000.csv").read_bytes()
    fleets.put_as("zipped", "data/a.csv.gz", gzip.compress(content))
    assert_same(fleets, "zipped", ("a.csv.gz",))


def test_an_object_stored_with_content_encoding_gzip_is_read(moto_url: str, moto_bucket: Any, store: Any):
    moto_bucket(**{"a.csv": (gzip.compress(store.table.encode()), {"Content-Encoding": "gzip"})})
    frame = S3Plug("marks", endpoint_url=moto_url, unsigned=True).get_data(("a.csv",))
    assert frame["power"].tolist() == [1.5, 2.5]


def test_an_encoding_that_is_not_known_is_refused(moto_url: str, moto_bucket: Any):
    moto_bucket(**{"a.csv": (b"...", {"Content-Encoding": "br"})})
    with pytest.raises(DataFormatError, match=r"^s3://marks/a\.csv has the Content-Encoding 'br'; store it"):
        S3Plug("marks", endpoint_url=moto_url, unsigned=True).get_data(("a.csv",))


def test_the_format_is_told_by_the_content(store: Any):
    frame = pd.DataFrame({"t": pd.date_range("2020", periods=9, freq="h"), "p": 1.0})
    store.put_as("formats", "no_extension", store.table)
    frame.to_parquet(store.put_as("formats", "wrong.csv", b""))
    store.put_as("formats", "wrong.parquet", store.table)
    plug = store.plug("formats")
    assert plug.get_data(("no_extension",))["power"].tolist() == [1.5, 2.5]
    assert plug.get_data(("wrong.csv",))["p"].tolist() == [1.0] * 9
    with pytest.raises(DataFormatError, match=r"^s3://formats/wrong\.parquet is not a Parquet file though its name"):
        plug.get_data(("wrong.parquet",))


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet"])
def test_an_empty_object_is_told(store: Any, name: str):
    store.put_as("formats", name, b"")
    with pytest.raises(DataFormatError, match=rf"^s3://formats/{name} is empty \(0 bytes\)"):
        store.plug("formats").get_data((name,))


def test_of_parquet_only_the_needed_columns_are_fetched(behind_proxy: Any, proxy: Any):
    noise = np.random.default_rng(1).random((100_000, 20))
    wide = pd.DataFrame(noise, columns=[f"inv_{i}" for i in range(20)])
    wide.insert(0, "t", pd.date_range("2020", periods=len(wide), freq="5min"))
    path = behind_proxy.put_as("wide", "fleet.parquet", b"")
    wide.to_parquet(path)
    fetched = []
    proxy.always = lambda _, answer: fetched.append(len(answer.body)) or answer
    frame = behind_proxy.plug("wide").get_data(("fleet.parquet", "inv_9"))
    assert frame["inv_9"].tolist() == wide["inv_9"].tolist()
    assert sum(fetched) < path.stat().st_size / 5
    assert len(fetched) <= 4
    assert all("range" in request.headers for request in proxy.asked)


def test_a_small_parquet_object_is_one_request(behind_proxy: Any, proxy: Any):
    frame = pd.DataFrame({"t": pd.date_range("2020", periods=99, freq="h"), "p": 1.0})
    frame.to_parquet(behind_proxy.put_as("wide", "small.parquet", b""))
    assert len(behind_proxy.plug("wide").get_data(("small.parquet",))) == 99
    assert len(proxy.asked) == 1


def test_a_csv_object_is_one_request(behind_proxy: Any, proxy: Any):
    behind_proxy.put_as("wide", "a.csv", behind_proxy.table)
    assert len(behind_proxy.plug("wide").get_data(("a.csv",))) == 2
    assert len(proxy.asked) == 1


def test_each_call_gives_a_frame_of_its_own(open_store: Any):
    open_store.put_as("formats", "a.csv", open_store.table)
    plug = open_store.plug("formats", unsigned=True)
    first = plug.get_data(("a.csv",))
    first["power"] = 0.0
    assert plug.get_data(("a.csv",))["power"].tolist() == [1.5, 2.5]


def test_a_number_in_a_key_is_a_name(store: Any):
    store.put_as("formats", "17", store.table)
    assert len(store.plug("formats").get_data((17,))) == 2


@pytest.mark.parametrize("name", ["../formats/a.csv", "/a.csv", "a//b.csv", "", ".", "x/..", "a/./b", "a\0.csv"])
def test_a_key_never_leaves_the_prefix(store: Any, name: str):
    with pytest.raises(AccessDeniedError) as caught:
        store.plug("formats", prefix="fleet").get_data((name,))
    assert str(caught.value) == (
        f"the key {name!r} leaves s3://formats/fleet/ or is no plain name; write the name of the object below the "
        "prefix with '/' between its parts, such as 'north/site_17.csv'"
    )


@pytest.mark.parametrize("key", [("a", "b", "c"), (None,), (["a.csv"],), (True,), ("a.csv", 1.5)])
def test_a_key_of_another_shape_is_told(store: Any, key: Any):
    with pytest.raises(KeyNotFoundError) as caught:
        store.plug("formats").get_data(key)
    assert str(caught.value) == (
        f'the key {key!r} names no object; it must be ("name.csv",) or ("name.csv", sensor), such as (\'site_17.csv\',)'
    )


def test_a_name_that_is_no_text_for_s3(store: Any):
    with pytest.raises(KeyNotFoundError, match="the names of objects are UTF-8 text, and this is none"):
        store.plug("formats").get_data(("\udcff.csv",))


def test_it_pickles_and_stays_equal_to_a_fresh_one_after_its_work(store: Any):
    """So that an instance that somebody tried out can be given to a run."""
    from sdt_dask_core.reference import options_of_instance

    store.put_as("formats", "a.csv", store.table)
    plug = store.plug("formats")
    plug.get_data(("a.csv",))
    assert list(plug.list_keys())
    assert options_of_instance("plug", plug)["bucket"] == "formats"
    assert pickle.loads(pickle.dumps(plug)).get_data(("a.csv",))["power"].tolist() == [1.5, 2.5]


def test_it_knows_nothing_of_the_systems(store: Any):
    assert store.plug("formats").system_metadata(("a.csv",)) is None


def test_the_endpoint_may_come_from_the_environment(open_store: Any, monkeypatch: pytest.MonkeyPatch):
    open_store.put_as("formats", "a.csv", open_store.table)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", open_store.url)
    plug = S3Plug("formats", unsigned=True)
    assert len(plug.get_data(("a.csv",))) == 2
    plug.close()
