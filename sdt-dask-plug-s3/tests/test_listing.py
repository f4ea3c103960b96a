"""What `S3Plug` lists: page by page, tables only, below the prefix, and what it remembers of them."""

from __future__ import annotations

import random
from itertools import islice
from typing import Any

import pytest

from sdt_dask_plug_s3 import S3Plug
from sdt_dask_testing.s3_server import s3_error

N_MANY = 2500


@pytest.fixture(scope="module", autouse=True)
def _objects(store: Any) -> None:
    for number in range(N_MANY):
        store.put_as("many", f"fleet/site_{number:05}.csv", store.table)
    names = ("a.csv", "b.csv.gz", "c.parquet", "D.CSV", "north/e.csv", "north/deep/f.csv", "notes.txt", "g.json", "h")
    for name in (*names, ".hidden.csv", ".spark/part.csv", "north/_SUCCESS"):
        store.put_as("mixed", name, store.table)


def listed(plug: S3Plug) -> list[str]:
    return [name for (name,) in plug.list_keys()]


def test_all_of_2500_keys_are_listed(store: Any):
    keys = list(store.plug("many").list_keys())
    assert keys == [(f"fleet/site_{number:05}.csv",) for number in range(N_MANY)]


def test_the_next_page_is_asked_for_when_it_is_needed(behind_proxy: Any, proxy: Any):
    keys = iter(behind_proxy.plug("many").list_keys())
    assert proxy.asked == []
    assert len(list(islice(keys, 1000))) == 1000
    assert len(proxy.asked) == 1
    assert len(list(keys)) == N_MANY - 1000
    assert len(proxy.asked) == 3


def test_fingerprints_of_listed_keys_cost_no_request(behind_proxy: Any, proxy: Any):
    plug = behind_proxy.plug("many")
    keys = list(plug.list_keys())
    n_asked = len(proxy.asked)
    fingerprints = {plug.fingerprint(key) for key in keys}
    assert len(proxy.asked) == n_asked
    assert fingerprints == {behind_proxy.plug("many").fingerprint(keys[0])}


def test_the_fingerprint_of_a_key_that_was_not_listed_costs_one_head(behind_proxy: Any, proxy: Any):
    fingerprint = behind_proxy.plug("mixed").fingerprint(("a.csv", "power"))
    assert fingerprint is not None
    assert fingerprint.endswith(f"-{len(behind_proxy.table)}")
    assert proxy.methods == ["HEAD"]


@pytest.mark.parametrize(("is_sorted", "most"), [(True, 80), (False, 300)], ids=["sorted", "shuffled"])
def test_fingerprints_of_many_keys_that_were_not_listed_come_from_pages_of_the_listing(
    behind_proxy: Any, proxy: Any, is_sorted: bool, most: int
):
    keys = [(f"site_{number:05}.csv",) for number in range(N_MANY)]
    if not is_sorted:
        random.Random(1).shuffle(keys)
    plug = behind_proxy.plug("many", prefix="fleet")
    fingerprints = [plug.fingerprint(key) for key in keys]
    assert len(proxy.asked) < most
    assert fingerprints == [behind_proxy.plug("many", prefix="fleet").fingerprint(keys[0])] * N_MANY


def test_fingerprints_from_pages_are_those_of_the_objects(store: Any):
    keys = [(f"{number:03}.csv",) for number in range(60)]
    for number, (name,) in enumerate(keys):
        store.put_as("different", name, f"timestamp,power\n2020-01-01 11:00,{number}\n")
    plug = store.plug("different")
    for key in keys:
        assert plug.fingerprint(key) == store.plug("different").fingerprint(key)


def test_where_listing_is_refused_each_fingerprint_is_a_head(behind_proxy: Any, proxy: Any):
    proxy.always = lambda request, answer: s3_error(403, "AccessDenied") if "list-type" in request.path else answer
    plug = behind_proxy.plug("many", prefix="fleet")
    assert all(plug.fingerprint((f"site_{number:05}.csv",)) for number in range(50))
    assert proxy.methods.count("HEAD") == 50


def test_the_fingerprint_follows_the_object(store: Any):
    store.put_as("changing", "a.csv", store.table)
    before = store.plug("changing").fingerprint(("a.csv",))
    store.put_as("changing", "a.csv", store.table.replace("1.5", "1.6"))
    assert store.plug("changing").fingerprint(("a.csv",)) != before


@pytest.mark.parametrize("key", [("nothing.csv",), ("../mixed/a.csv",), (None,), (["a.csv"],)])
def test_the_fingerprint_of_a_bad_key_is_unknown(store: Any, key: Any):
    assert store.plug("mixed").fingerprint(key) is None


def test_tables_only_are_listed_and_nothing_hidden(store: Any):
    assert sorted(listed(store.plug("mixed"))) == [
        "D.CSV",
        "a.csv",
        "b.csv.gz",
        "c.parquet",
        "north/deep/f.csv",
        "north/e.csv",
    ]


@pytest.mark.parametrize("prefix", ["north", "north/", "/north/"])
def test_names_are_those_below_the_prefix(store: Any, prefix: str):
    assert sorted(listed(store.plug("mixed", prefix=prefix))) == ["deep/f.csv", "e.csv"]


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(store: Any):
    assert listed(store.plug("mixed", prefix="nor")) == []


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("north/*", ["north/deep/f.csv", "north/e.csv"]),
        ("*.csv", ["a.csv", "north/deep/f.csv", "north/e.csv"]),
        ("?", ["D.CSV", "a.csv", "c.parquet"]),
        ("[ab]*", ["a.csv", "b.csv.gz"]),
        ("a", ["a.csv"]),
        ("b.csv.gz", ["b.csv.gz"]),
    ],
)
def test_the_pattern_is_held_against_names_with_and_without_extension(store: Any, pattern: str, names: list[str]):
    found = sorted(listed(store.plug("mixed", pattern=pattern)))
    assert [name for name in found if name != "b.csv.gz" or "b" in pattern] == names


def test_a_pattern_narrows_the_request_up_to_its_first_wildcard(behind_proxy: Any, proxy: Any):
    assert len(listed(behind_proxy.plug("many", prefix="fleet", pattern="site_001*"))) == 100
    assert len(proxy.asked) == 1


def test_folder_marks_are_no_tables(moto_url: str, moto_bucket: Any):
    """Consoles make an empty object for each folder."""
    moto_bucket(
        **{"fleet/": b"", "fleet/a.csv": b"t", "fleet/b.csv/": b"", "fleet//c.csv": b"t", "fleet/../d.csv": b"t"}
    )
    plug = S3Plug("marks", endpoint_url=moto_url, unsigned=True, prefix="fleet")
    assert listed(plug) == ["a.csv"]


def test_names_with_all_kinds_of_signs_are_listed_and_read(store: Any):
    names = ["50% off+more.csv", "a&b=c?.csv", "#1.csv", "süd/straße 7.csv", "日本.csv"]
    for name in names:
        store.put_as("signs", f"fleet/{name}", store.table)
    plug = store.plug("signs", prefix="fleet")
    assert sorted(listed(plug)) == sorted(names)
    assert all(len(plug.get_data((name,))) == 2 for name in names)
    assert plug.fingerprint((names[0],)) == store.plug("signs", prefix="fleet").fingerprint((names[0],))


def test_several_power_columns_make_a_key_each(store: Any):
    plug = store.plug("mixed", pattern="a.csv", power_columns=["x", "y"])
    assert list(plug.list_keys()) == [("a.csv", "x"), ("a.csv", "y")]


def test_an_empty_bucket_lists_nothing(store: Any):
    (store.root / "empty").mkdir(exist_ok=True)
    assert listed(store.plug("empty")) == []
