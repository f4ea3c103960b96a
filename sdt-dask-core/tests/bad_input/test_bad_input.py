"""Bad input as a user gives it, through the whole path: one message that says what failed, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.errors import ConfigurationError, OptionError, UnknownProviderError
from sdt_dask_testing import all_missing_system, constant_system, synthetic_system, write_fleet

EMPTY, TEXT, STAMPLESS, MISSING, CONSTANT, WATTS, GOOD = [
    "empty",
    "text",
    "stampless",
    "missing",
    "constant",
    "watts",
    "good",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    good = synthetic_system(seed=1, system_id=GOOD, years=0.1)
    write_fleet(folder, [good])
    data = folder / "data"
    good.frame(units="W").to_csv(data / f"{WATTS}.csv")
    all_missing_system().frame().to_csv(data / f"{MISSING}.csv")
    constant_system().frame().to_csv(data / f"{CONSTANT}.csv")
    good.frame().assign(temperature_c=20.5).to_csv(data / f"{STAMPLESS}.csv", index=False)
    (data / f"{EMPTY}.csv").touch()
    (data / f"{TEXT}.csv").write_text("It was a bright cold day in April.\nThe clocks were striking thirteen.\n")
    (folder / "systems.csv").write_text("key,capacity_kw\n" + "".join(f"{f.stem},5\n" for f in data.iterdir()))
    return folder


@pytest.fixture(scope="module")
def errors(folder: Path) -> pd.DataFrame:
    """The failed keys of one run over all of them, and of one that is not there."""
    tool = SDTDask(
        "csv",
        plug_options={"path": folder / "data", "units": "kW"},
        manifest=folder / "systems.csv",
        analyses=[],
        output=folder / "results",
        client_options={"n_workers": 2},
    )
    names = [EMPTY, TEXT, STAMPLESS, MISSING, CONSTANT, WATTS, GOOD, "goood"]
    return tool.execute([(name,) for name in names]).errors.set_index("key")


@pytest.mark.parametrize(
    ("key", "cause", "sentence"),
    [
        (EMPTY, "data_format", "empty.csv is empty (0 bytes); copy the file again or leave its key out"),
        (
            TEXT,
            "data_format",
            "text.csv is no table of columns separated by comma, semicolon, tab or bar: it begins 'It was a",
        ),
        (
            STAMPLESS,
            "data_format",
            "stampless.csv has no column of timestamps among 'power', 'temperature_c'; set timestamp_column",
        ),
        (MISSING, "all_missing", "values are missing, so there is no power. Check the column and the period"),
        (CONSTANT, "constant", "power follows the sun, a set point or a stuck sensor does not. Check the column."),
        (WATTS, "units_look_wrong", "metadata gives a capacity of 5 kW: these values look like W, not kW; set units=W"),
        ("goood", "key_not_found", "there is no 'goood' in"),
    ],
)
def test_each_bad_key_fails_with_its_cause(errors: pd.DataFrame, key: str, cause: str, sentence: str) -> None:
    assert errors.loc[key, "cause"] == cause
    assert sentence in errors.loc[key, "message"]


def test_a_missing_key_names_the_nearest(errors: pd.DataFrame) -> None:
    assert "did you mean 'good'?" in errors.loc["goood", "message"]


def test_a_good_system_among_bad_ones_does_not_fail(errors: pd.DataFrame) -> None:
    assert GOOD not in errors.index


def test_every_failed_key_says_what_to_do(errors: pd.DataFrame) -> None:
    assert (errors["fix"].str.len() > 0).all()


def started(make: Callable[[], SDTDask]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        make().execute()
    return str(caught.value)


def test_an_unknown_plug_names_the_installed_ones_and_the_nearest() -> None:
    with pytest.raises(UnknownProviderError, match=r"unknown plug 'cvs'; installed: .*csv.*; did you mean 'csv'\?"):
        SDTDask("cvs")


def test_a_misspelt_option_names_the_nearest_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"plug 'csv' has no option 'pth'; did you mean 'path'\?"):
        SDTDask("csv", plug_options={"pth": "data"}, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_named_before_a_cluster_starts(tmp_path: Path) -> None:
    message = started(lambda: SDTDask("csv", plug_options={"path": tmp_path / "no"}, output=tmp_path / "out"))
    assert f"the folder '{tmp_path / 'no'}' does not exist; check the option path" in message


def test_an_empty_folder_is_an_error_and_no_empty_run(tmp_path: Path) -> None:
    message = started(lambda: SDTDask("csv", plug_options={"path": tmp_path}, output=tmp_path / "out"))
    assert str(tmp_path) in message
    assert ".csv" in message
