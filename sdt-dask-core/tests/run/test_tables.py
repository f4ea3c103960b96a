"""Tables and the files they are written to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.report.files import write_table

from .plugs import ManyKeysPlug


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_table(pd.DataFrame({"x": [1]}), tmp_path / "t.csv")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device; choose another folder or make room"):
        write_table(pd.DataFrame({"x": [2]}), file)
    assert file.read_text() == "x\n1\n"
    assert list(tmp_path.iterdir()) == [file]


def test_the_folder_of_a_table_is_made(tmp_path: Path) -> None:
    assert write_table(pd.DataFrame({"x": [1]}), tmp_path / "new" / "t.csv").read_text() == "x\n1\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_formula_is_neutralised(tmp_path: Path, start: str) -> None:
    file = write_table(pd.DataFrame({"key": [f"{start}cmd|' /C calc'!A0"]}), tmp_path / "t.csv")
    assert pd.read_csv(file)["key"][0].startswith(f"'{start}".replace("\r", "\n").rstrip("\n"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_formula_in_a_header_is_neutralised(tmp_path: Path, start: str) -> None:
    file = write_table(pd.DataFrame({f"{start}cmd": [1]}), tmp_path / "t.csv")
    assert pd.read_csv(file).columns.tolist() == [f"'{start}cmd"]


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"rate": [-0.75, None], "count": pd.array([-3, None], "Int64")})
    file = write_table(table, tmp_path / "t.csv")
    assert file.read_text() == "rate,count\n-0.75,-3\n,\n"


def test_parquet_comes_back_as_it_was(tmp_path: Path) -> None:
    table = pd.DataFrame({"key": ["=a", "ü"], "x": [1.5, np.nan], "n": pd.array([1, None], "Int64")})
    table["t"] = pd.to_datetime(["2020-01-01", None])
    pd.testing.assert_frame_equal(pd.read_parquet(write_table(table, tmp_path / "t.parquet")), table)


@pytest.mark.parametrize("name", ["t.ods", "t", "t.CSV.gz"])
def test_another_extension_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"cannot export to '.*{name}': the extension decides, write \.csv or"
    ):
        write_table(pd.DataFrame({"x": [1]}), tmp_path / name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot export to .*; choose another folder"):
        write_table(pd.DataFrame({"x": [1]}), tmp_path / "file" / "t.csv")


def test_a_run_writes_its_tables(tool: Callable[..., SDTDask], tmp_path: Path) -> None:
    run = tool(ManyKeysPlug, {"units": "horsepower"}).execute([("=1+1",), ("<b>",)])
    assert pd.read_csv(tmp_path / "out" / "errors.csv")["key"].tolist() == ["'=1+1", "<b>"]
    assert pd.read_csv(tmp_path / "out" / "results.csv")["status"].tolist() == ["failed", "failed"]
    assert run.exit_code == 1


def test_a_hostile_key_stays_text_in_a_notebook(tool: Callable[..., SDTDask]) -> None:
    html = tool(ManyKeysPlug).execute([("<script>alert(1)</script>",)])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_table_of_a_run_without_a_result_has_its_types(tool: Callable[..., SDTDask]) -> None:
    run = tool(ManyKeysPlug, {"units": "horsepower"}).execute([("a",)])
    assert run.results["length_days"].dtype == np.float64
    assert str(run.results["first_timestamp"].dtype).startswith("datetime64")
