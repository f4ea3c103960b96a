"""Keys and fingerprints come from the listing, with few requests."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from pvdaq_tree import Tree, sunny

from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_testing.s3_server import serve_folder


def test_system_10_is_not_system_1000(plug: PvdaqPlug):
    """Both names begin with that of 10, and the others' power is 7000 times larger."""
    assert plug.get_data((10, 2011))["power"].max() < 1000


def test_systems_are_listed_by_number_with_their_years(plug: PvdaqPlug):
    keys = [key for key in plug.list_keys() if key[0] in (10, 34, 100, 1000)]
    assert keys == [(10, 2011), (34, 2011), (34, 2012), (34, 2014), (100, 2011), (1000, 2011)]


def test_systems_of_the_prize_are_one_key_each(plug: PvdaqPlug):
    assert [key for key in plug.list_keys() if key[0] in (2107, 9068)] == [(2107, [2023, 2024]), (9068, [2023, 2024])]


def test_daily_aggregates_are_not_listed_and_five_minutes_are(plug: PvdaqPlug):
    assert [key for key in plug.list_keys() if key[0] >= 10000] == [(10500, 2016)]


def test_the_option_systems_narrows_the_listing(proxy: Any, new_plug: Any):
    server = proxy()
    assert list(new_plug(endpoint_url=server.url, systems=[34]).list_keys()) == [(34, 2011), (34, 2012), (34, 2014)]
    assert len(server.asked) <= 3


def test_listing_asks_no_more_than_is_taken(proxy: Any, new_plug: Any):
    server = proxy()
    list(islice(new_plug(endpoint_url=server.url).list_keys(), 1))
    assert len(server.asked) <= 5


def test_years_are_found_where_a_system_has_more_files_than_a_page(url: str, new_plug: Any, tree: Tree):
    for year in (2001, 2002, 2003):
        for day in pd.date_range(f"{year}-01-01", f"{year}-12-31"):
            tree.put(tree.day_key(55, day), "measured_on,ac_power__1,system_id\n")
    plug = new_plug(endpoint_url=url, systems=[55])
    assert list(plug.list_keys()) == [(55, 2001), (55, 2002), (55, 2003)]


def test_fingerprints_of_listed_keys_need_the_tables_of_all_systems_once(proxy: Any, new_plug: Any):
    server = proxy()
    plug = new_plug(endpoint_url=server.url, systems=[34])
    keys = list(plug.list_keys())
    n_asked = len(server.asked)
    prints = [plug.fingerprint(key) for key in keys]
    assert len(set(prints)) == 3
    asked = [unquote(request.path) for request in server.asked[n_asked:]]
    assert len([path for path in asked if "pvdaq/parquet/metrics/" in path]) == 1
    assert len([path for path in asked if "pvdaq/csv/systems" in path]) == 2  # its listing, and the newest
    assert len(asked) == 3


def test_a_fingerprint_alone_is_one_listing_of_each_side_and_the_tables(proxy: Any, new_plug: Any, plug: PvdaqPlug):
    server = proxy()
    assert new_plug(endpoint_url=server.url).fingerprint((34, 2011)) == plug.fingerprint((34, 2011))
    assert len(server.asked) == 2 + 3


def test_a_fingerprint_follows_one_file_of_one_day(url: str, new_plug: Any, tree: Tree):
    path = tree.root / tree.day_key(1239, pd.Timestamp("2011-05-02"))
    before = new_plug(endpoint_url=url).fingerprint((1239, 2011))
    content = path.read_text()
    path.write_text(content.replace("2011-05-02 00:00:00", "2011-05-02 00:00:01"))
    changed = new_plug(endpoint_url=url).fingerprint((1239, 2011))
    path.write_text(content)
    assert before != changed
    assert new_plug(endpoint_url=url).fingerprint((1239, 2011)) == before


def test_a_fingerprint_of_a_prize_system_is_that_of_its_files(plug: PvdaqPlug):
    prints = {plug.fingerprint((system, 2023)) for system in (2107, 9068)}
    assert len(prints - {None}) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [(",7,39.74", ",8,39.74"), (",12.5,", ",15.0,"), (",pass,", ",fail,")],
    ids=["clock", "capacity", "check"],
)
def test_a_fingerprint_follows_what_decides_on_clock_unit_and_notes(tmp_path: Path, new_plug: Any, old: str, new: str):
    tree = one_system(tmp_path)
    with serve_folder(tree.root.parent) as url:
        before = new_plug(endpoint_url=url).fingerprint((7, 2020))
        tables = sorted(tree.root.glob("pvdaq/csv/systems_*.csv"))
        changed = tables[-1].read_text().replace(old, new)
        assert changed != tables[-1].read_text()
        tables[-1].write_text(changed)
        assert new_plug(endpoint_url=url).fingerprint((7, 2020)) != before


def test_a_fingerprint_follows_the_dictionary_that_says_the_units(tmp_path: Path, new_plug: Any):
    tree = one_system(tmp_path)
    with serve_folder(tree.root.parent) as url:
        before = new_plug(endpoint_url=url).fingerprint((7, 2020))
        tree.dictionary(7, {1: ("ac_power", "kW")})
        assert new_plug(endpoint_url=url).fingerprint((7, 2020)) != before


def test_a_fingerprint_is_the_same_when_another_system_changes(tmp_path: Path, new_plug: Any):
    tree = one_system(tmp_path)
    with serve_folder(tree.root.parent) as url:
        before = new_plug(endpoint_url=url).fingerprint((7, 2020))
        tree.system(8, 5, 3.0)
        tree.tables()
        tree.dictionary(8, {1: ("ac_power", "kW")})
        assert new_plug(endpoint_url=url).fingerprint((7, 2020)) == before


def one_system(folder: Path) -> Tree:
    """System 7 with a day of Parquet."""
    tree = Tree(folder / "store")
    index = pd.date_range("2020-03-05", periods=96, freq="15min")
    tree.daily_parquet(7, {1: sunny(index, 9.0)}, lambda stamps: stamps + pd.Timedelta(hours=7))
    tree.dictionary(7, {1: ("ac_power", "W")})
    tree.system(7, 7, 12.5)
    tree.tables()
    return tree
