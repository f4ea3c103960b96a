"""`CsvPlug`: its options, the data it gives, and what it says when it cannot."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core.errors import AmbiguousColumnError, KeyNotFoundError, OptionError
from sdt_dask_core.options import options_of
from sdt_dask_plug_csv import CsvPlug

WIDE = "timestamp,inv_1,inv_2\n2020-01-01 11:00,1.5,2\n2020-01-01 12:00,2.5,3\n"
EXAMPLES = ("TAEFC1044741", "ZT162185000441C1203")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.csv").write_text(WIDE)
    return tmp_path


@pytest.fixture
def examples() -> Path:
    spec = importlib.util.find_spec("sdt_dask")
    assert spec is not None
    return Path(next(iter(spec.submodule_search_locations or []))) / "examples" / "example_data"


def test_importing_and_building_it_leaves_pandas_alone():
    code = (
        "import sys; from sdt_dask_plug_csv import CsvPlug; CsvPlug('data', tz='Europe/Rome'); "
        "print(sorted({'pandas', 'numpy', 'pyarrow', 'dask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_building_it_touches_no_disk():
    assert CsvPlug("/no/such/folder").path == Path("/no/such/folder")


def test_every_option_has_its_help_and_type():
    options = list(options_of(CsvPlug, kind="plug", name="csv"))
    assert [option.name for option in options if not option.help or option.type_text == "any"] == []
    assert len(options) == 13


def test_options_from_the_command_line_become_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = options_of(CsvPlug, kind="plug", name="csv")
    values = options.resolve({"path": "data", "power_columns": "a,b", "timestamps": "utc", "utc_offset": "-8"})
    plug = CsvPlug(**options.build_arguments(values))
    assert plug.path == tmp_path / "data"
    assert plug.table_format.power_columns == ("a", "b")
    assert plug.table_format.utc_offset == -8


def test_options_that_contradict_each_other_are_refused_at_once():
    with pytest.raises(OptionError) as caught:
        CsvPlug("data", timestamps="utc")
    assert str(caught.value) == (
        "timestamps=utc needs tz (IANA zone of the site), utc_offset (hours, such as -8) or tz=auto"
    )


def test_the_sensor_of_the_key_is_read(folder: Path):
    frame = CsvPlug(folder, units="W").get_data(("site", "inv_2"))
    assert frame["inv_2"].tolist() == [2.0, 3.0]
    assert frame.attrs["units"] == "W"


def test_messages_name_the_file_below_the_folder(folder: Path):
    with pytest.raises(AmbiguousColumnError, match=r"^site\.csv could mean several power columns"):
        CsvPlug(folder).get_data(("site",))


def test_a_sensor_that_is_not_there(folder: Path):
    with pytest.raises(KeyNotFoundError, match=r"site\.csv has no sensor 'inv_3'; did you mean 'inv_"):
        CsvPlug(folder).get_data(("site", "inv_3"))


def test_each_call_gives_a_frame_of_its_own(folder: Path):
    plug = CsvPlug(folder)
    first = plug.get_data(("site", "inv_1"))
    first["inv_1"] = 0.0
    assert plug.get_data(("site", "inv_1"))["inv_1"].tolist() == [1.5, 2.5]


def test_the_fingerprint_changes_with_the_file(folder: Path):
    plug = CsvPlug(folder)
    before = plug.fingerprint(("site",))
    os.utime(folder / "site.csv", ns=(1, 1))
    assert plug.fingerprint(("site", "inv_1")) == f"1-{len(WIDE)}"
    assert before != f"1-{len(WIDE)}"


@pytest.mark.parametrize("name", ["", "site.csv"])
def test_the_folder_or_file_is_of_this_machine(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder.parent)
    assert list(CsvPlug(Path(folder.name, name)).local_paths()) == [str(folder / name)]


@pytest.mark.parametrize("key", [("nothing",), ("../site",), (None,)])
def test_the_fingerprint_of_a_bad_key_is_unknown(folder: Path, key: tuple[str, ...]):
    assert CsvPlug(folder).fingerprint(key) is None
    assert CsvPlug(folder).data_size(key) is None


def test_the_size_is_that_of_the_file(folder: Path):
    assert CsvPlug(folder).data_size(("site", "inv_1")) == len(WIDE)


def test_it_knows_nothing_of_the_systems_and_closes_twice(folder: Path):
    plug = CsvPlug(folder)
    plug.close()
    plug.close()
    assert plug.system_metadata(("site",)) is None


def test_access_to_a_good_folder_finds_nothing(folder: Path):
    assert list(CsvPlug(folder).check_access()) == []
    assert list(CsvPlug(folder / "site.csv").check_access()) == []


def test_access_to_a_folder_that_does_not_exist():
    assert list(CsvPlug("/no/such").check_access()) == [
        "the folder '/no/such' does not exist; check the option path; the workers read the files themselves, "
        "so it must be there on their machines too"
    ]


def test_access_where_no_file_matches(folder: Path):
    assert list(CsvPlug(folder, pattern="north/*").check_access()) == [
        f"no file below '{folder}' matches pattern='north/*'; files that end in .csv.gz, .parquet, .csv are looked for"
    ]


def test_access_to_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not be read by this user" in next(iter(CsvPlug(folder).check_access()))


@pytest.mark.filterwarnings("ignore")  # SDT's own
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_files_equal_what_solar_data_tools_makes_of_them(examples: Path, name: str):
    from solardatatools.time_axis_manipulation import make_time_series

    wanted, _ = make_time_series(pd.read_csv(examples / f"{name}.csv"), localize_time=-8)
    got = CsvPlug(examples, timestamps="utc", utc_offset=-8).get_data((name,)).sort_index()
    got = got[~got.index.duplicated()]
    assert (got.index == wanted.index).all()
    pd.testing.assert_series_equal(got.iloc[:, 0], wanted.iloc[:, 0], check_names=False, check_index=False)


@pytest.mark.parametrize("name", EXAMPLES)
def test_tz_auto_equals_the_known_offset_of_the_example_files(examples: Path, name: str):
    known = CsvPlug(examples, timestamps="utc", utc_offset=-8).get_data((name,))
    assert CsvPlug(examples, tz="auto").get_data((name,)).equals(known)
