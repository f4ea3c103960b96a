"""Keys of `CsvPlug`: what it lists, what a name means, and that none leads out of the folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core.errors import AccessDeniedError, KeyNotFoundError
from sdt_dask_plug_csv import CsvPlug

TABLE = "timestamp,power\n2020-01-01 11:00,1.5\n"


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            pd.read_csv(fill(folder, "t.txt") / "t.txt", parse_dates=["timestamp"]).to_parquet(path)
        else:
            path.write_text(TABLE)
    return folder


def listed(path: Path, **options: object) -> list[tuple[str, ...]]:
    return list(CsvPlug(path, **options).list_keys())


# Listing


def test_names_are_listed_below_the_folder_in_sorted_order(tmp_path: Path):
    fill(tmp_path, "b.csv", "a/z.csv.gz", "a/b/c.parquet", "C.CSV")
    assert listed(tmp_path) == [("C",), ("a/b/c",), ("a/z",), ("b",)]


def test_other_extensions_and_hidden_files_are_left_out(tmp_path: Path):
    fill(tmp_path, "a.csv", "a.txt", ".b.csv", ".git/c.csv", "csv")
    assert listed(tmp_path) == [("a",)]


def test_extensions_stay_where_names_would_be_the_same(tmp_path: Path):
    fill(tmp_path, "a.csv", "a.csv.gz", "b.csv", "b.csv.csv")
    assert listed(tmp_path) == [("a.csv",), ("a.csv.gz",), ("b",), ("b.csv.csv",)]


def test_what_is_listed_can_be_read(tmp_path: Path):
    fill(tmp_path, "a.csv", "a.csv.gz", "b.csv", "b.csv.csv", "C.CSV", "d/e.parquet", "f.tar.csv")
    assert [len(CsvPlug(tmp_path).get_data(key)) for key in listed(tmp_path)] == [1] * 7


@pytest.mark.parametrize("pattern", ["north/*", "*site_?", "*site_1.csv", "north/site_1"])
def test_a_pattern_is_matched_with_and_without_extension(tmp_path: Path, pattern: str):
    fill(tmp_path, "north/site_1.csv", "south/plant.csv")
    assert listed(tmp_path, pattern=pattern) == [("north/site_1",)]


def test_several_power_columns_make_a_key_each(tmp_path: Path):
    fill(tmp_path, "a.csv")
    assert listed(tmp_path, power_columns=["p", "q"]) == [("a", "p"), ("a", "q")]


def test_one_power_column_needs_no_place_in_the_key(tmp_path: Path):
    assert listed(fill(tmp_path, "a.csv"), power_columns=["p"]) == [("a",)]


def test_listing_is_lazy(tmp_path: Path):
    keys = CsvPlug(fill(tmp_path, "a.csv", "b/c.csv")).list_keys()
    assert next(iter(keys)) == ("a",)
    fill(tmp_path, "b/d.csv")
    assert list(keys) == [("b/c",), ("b/d",)]


def test_links_that_leave_the_folder_are_not_listed(tmp_path: Path):
    outside = fill(tmp_path / "outside", "secret.csv")
    inside = fill(tmp_path / "inside", "a.csv")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "near.csv").symlink_to("a.csv")
    assert listed(inside) == [("a",), ("near",)]


def test_listing_a_folder_that_does_not_exist(tmp_path: Path):
    with pytest.raises(KeyNotFoundError, match=r"nowhere' does not exist; check the option path"):
        listed(tmp_path / "nowhere")


def test_a_single_file_is_its_own_key(tmp_path: Path):
    fill(tmp_path, "a.csv", "b.csv")
    assert listed(tmp_path / "a.csv") == [("a",)]
    assert len(CsvPlug(tmp_path / "a.csv").get_data(("a.csv",))) == 1


def test_a_single_file_has_no_other_key(tmp_path: Path):
    fill(tmp_path, "a.csv", "b.csv")
    with pytest.raises(KeyNotFoundError, match=r"path is the single file '.*a\.csv', whose key is 'a'"):
        CsvPlug(tmp_path / "a.csv").get_data(("b",))


# What a name means


def test_a_number_names_a_file(tmp_path: Path):
    assert len(CsvPlug(fill(tmp_path, "17.csv")).get_data((17,))) == 1


def test_a_missing_file_names_the_folder_and_the_nearest(tmp_path: Path):
    fill(tmp_path, "north/site_17.csv")
    with pytest.raises(KeyNotFoundError) as caught:
        CsvPlug(tmp_path).get_data(("north/site_71",))
    assert str(caught.value) == (
        f"there is no 'north/site_71' in '{tmp_path}' (looked for .csv.gz, .parquet, .csv); "
        "did you mean 'north/site_17'?; `sdt-dask keys` lists what is there"
    )


def test_a_missing_folder_of_a_name_is_named(tmp_path: Path):
    fill(tmp_path, "north/a.csv")
    with pytest.raises(KeyNotFoundError, match="it has no folder 'nort'; did you mean 'north'"):
        CsvPlug(tmp_path).get_data(("nort/a",))


def test_a_name_of_several_files_lists_them(tmp_path: Path):
    fill(tmp_path, "a.csv", "a.csv.gz")
    with pytest.raises(
        KeyNotFoundError, match=r"could mean several files in '.*': 'a\.csv\.gz', 'a\.csv'; write the ext"
    ):
        CsvPlug(tmp_path).get_data(("a",))


def test_a_name_with_its_extension_means_that_file(tmp_path: Path):
    fill(tmp_path, "a.csv", "a.csv.gz")
    assert len(CsvPlug(tmp_path).get_data(("a.csv",))) == 1


def test_a_folder_that_went_away(tmp_path: Path):
    with pytest.raises(KeyNotFoundError, match="does not exist; check the option path; the workers read the files"):
        CsvPlug(tmp_path / "nowhere").get_data(("a",))


@pytest.mark.parametrize("key", [(None,), ("a", "b", "c"), (["a", "b"],), (True,), (1.5,), ("a", ["b"])])
def test_keys_of_another_shape_are_told_the_right_one(tmp_path: Path, key: tuple[object, ...]):
    with pytest.raises(KeyNotFoundError, match=r'it must be \("name",\) or \("name", sensor\)'):
        CsvPlug(tmp_path).get_data(key)  # type: ignore[arg-type]


# Ways out


@pytest.mark.parametrize(
    "name",
    ["../secret", "a/../../secret", "/etc/passwd", "..", ".", "", "a//b", "a/", "./a", "a\0", "..\\secret",
     "C:/secret", "c:secret", "\\\\host\\share"],
)  # fmt: skip
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str):
    fill(tmp_path, "secret.csv", "inside/a.csv")
    with pytest.raises(AccessDeniedError, match=r"leaves the folder '.*inside' or is no plain path"):
        CsvPlug(tmp_path / "inside").get_data((name,))


@pytest.mark.parametrize("name", ["link", "link.csv", "folder/secret"])
def test_a_link_never_leaves_the_folder(tmp_path: Path, name: str):
    outside = fill(tmp_path / "outside", "secret.csv")
    inside = fill(tmp_path / "inside", "a.csv")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    with pytest.raises(AccessDeniedError, match="it is a link to a file outside"):
        CsvPlug(inside).get_data((name,))


def test_the_folder_itself_may_be_a_link(tmp_path: Path):
    fill(tmp_path / "real", "a.csv")
    (tmp_path / "data").symlink_to("real")
    assert len(CsvPlug(tmp_path / "data").get_data(("a",))) == 1
