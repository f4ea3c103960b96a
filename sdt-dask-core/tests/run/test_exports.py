"""A run as a file: what Parquet, Excel and JSON say beside the numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sdt_dask_core import Column, Run, SDTDask
from sdt_dask_core.analyses.losses import LossAnalysis
from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.report import spreadsheet
from sdt_dask_core.report.described import TABLES, described
from sdt_dask_core.report.export import table_of_run
from sdt_dask_core.report.files import write_table
from sdt_dask_core.report.run_json import run_schema
from sdt_dask_core.report.tables import result_columns, results_table

from .plugs import ManyKeysPlug

RATE = Column("rate_pct_per_year", "%/yr", "Degradation.", source="degradation rate")
TIME = Column("first_timestamp", "time", "The first one.")
NAME = Column("name", "text", "A text.")


@pytest.fixture
def run(tool: Callable[..., SDTDask]) -> Run:
    """One key that is done and one that failed, the first with a name that looks like a formula."""
    return tool(ManyKeysPlug).execute([("=1+1",), ("<b>",)])


def metadata(path: Path, name: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = pq.read_schema(path).field(name).metadata
    return found


def test_parquet_says_unit_meaning_and_sdts_name(tmp_path: Path) -> None:
    path = write_table(pd.DataFrame({"rate_pct_per_year": [-0.5]}), tmp_path / "t.parquet", [RATE])
    said = metadata(path, "rate_pct_per_year")
    assert said == {b"unit": b"%/yr", b"description": b"Degradation.", b"sdt_name": b"degradation rate"}


def test_parquet_keeps_what_pandas_says(tmp_path: Path) -> None:
    table = pd.DataFrame({"rate_pct_per_year": [-0.5, np.nan], "n": pd.array([1, None], "Int64")})
    path = write_table(table, tmp_path / "t.parquet", [RATE])
    assert b"pandas" in pq.read_schema(path).metadata
    pd.testing.assert_frame_equal(pd.read_parquet(path), table)


def test_a_parquet_column_has_its_type_also_when_empty(tmp_path: Path) -> None:
    schemas = []
    for number, (name, time) in enumerate([("a", "2020-01-01"), (None, None)]):
        table = pd.DataFrame({"name": [name], "first_timestamp": pd.to_datetime([time])})
        schemas.append(pq.read_schema(write_table(table, tmp_path / f"{number}.parquet", [TIME, NAME])))
    assert schemas[0].remove_metadata() == schemas[1].remove_metadata()


@pytest.mark.parametrize("what", TABLES)
def test_every_column_of_every_table_is_described(run: Run, tmp_path: Path, what: str) -> None:
    path = run.export(tmp_path / "t.parquet", what)
    columns = described(what, run.columns)
    assert [c.name for c in columns] == table_of_run(run, what).columns.tolist()
    assert all(metadata(path, c.name)[b"description"].decode() == c.description for c in columns)


def test_an_unknown_table_names_the_nearest(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no table 'result'; did you mean 'results'\?"):
        run.export(tmp_path / "t.csv", "result")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "https://example.org", "1.5", "a\x01b", "{=1}"])
def test_text_in_excel_is_text(tmp_path: Path, text: str) -> None:
    path = write_table(pd.DataFrame({text: [text]}), tmp_path / "t.xlsx")
    cells = [cell for (cell,) in openpyxl.load_workbook(path)["table"].iter_rows()]
    assert [cell.data_type for cell in cells] == ["s", "s"]
    assert all(cell.hyperlink is None for cell in cells)
    assert cells[1].value.replace("_x0001_", "\x01") == text


def test_numbers_and_times_in_excel_are_such(tmp_path: Path) -> None:
    table = pd.DataFrame({"rate": [-0.5, np.nan, np.inf], "n": pd.array([1, None, 3], "Int64")})
    table["ok"] = pd.array([True, None, False], "boolean")
    table["time"] = pd.to_datetime(["2020-01-01 12:30", None, "1850-01-01 00:00"])
    rows = openpyxl.load_workbook(write_table(table, tmp_path / "t.xlsx"))["table"].iter_rows(values_only=True)
    assert list(rows)[1:] == [
        (-0.5, 1, True, pd.Timestamp("2020-01-01 12:30").to_pydatetime()),
        (None, None, None, None),
        ("inf", 3, False, "1850-01-01 00:00:00"),
    ]


def test_excel_says_what_the_columns_are(run: Run, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(run.export(tmp_path / "t.xlsx"))["columns"]
    said = [row[0].value for row in sheet.iter_rows(min_row=2)]
    assert said == run.results.columns.tolist()


def test_a_cell_of_excel_takes_only_so_much_text(tmp_path: Path) -> None:
    path = write_table(pd.DataFrame({"message": ["x" * 40_000]}), tmp_path / "t.xlsx")
    text = openpyxl.load_workbook(path)["table"]["A2"].value
    assert (len(text), text[-7:]) == (32_767, "… (cut)")


def test_more_rows_than_a_sheet_takes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 2)
    with pytest.raises(ConfigurationError, match=r"the table has 3 rows and 1 columns, a sheet of Excel takes 2 and"):
        write_table(pd.DataFrame({"x": [1, 2, 3]}), tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_excel_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ConfigurationError, match=r'pip install "sdt-dask-core\[excel\]"'):
        write_table(pd.DataFrame({"x": [1]}), tmp_path / "t.xlsx")


def as_json(run: Run, path: Path) -> Any:
    return json.loads(run.export(path).read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_json_keeps_its_schema(run: Run, tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(run_schema())
    jsonschema.validate(as_json(run, tmp_path / "run.json"), run_schema())


def test_json_holds_every_system(run: Run, tmp_path: Path) -> None:
    found = as_json(run, tmp_path / "run.json")
    assert (found["format"], found["version"], found["run"]["run_id"]) == ("sdt-dask-run", 1, run.run_id)
    assert [system["key"] for system in found["systems"]] == [["=1+1"], ["<b>"]]
    assert all(set(system["results"]) == {c["name"] for c in found["columns"]} for system in found["systems"])


def test_json_of_failed_systems_says_why(tool: Callable[..., SDTDask], tmp_path: Path) -> None:
    run = tool(ManyKeysPlug, {"units": "horsepower"}).execute([("a",)])
    (system,) = as_json(run, tmp_path / "run.json")["systems"]
    jsonschema.validate(as_json(run, tmp_path / "run.json"), run_schema())
    assert (system["status"], system["grade"]) == ("failed", None)
    assert system["error"]["cause"] == run.errors["cause"][0]


def test_json_hides_what_the_table_hides(run: Run, tmp_path: Path) -> None:
    run.columns = result_columns([LossAnalysis()])  # type: ignore[misc]  # in the place of the cached one
    hidden = next(column.name for column in run.columns if column.is_withheld)
    row = {**run.rows[0], "grade": "withheld"}
    row["body"] = {**row["body"], "columns": {hidden: -1e9, "n_timestamps": 5, "length_days": float("nan")}}
    run.rows = [row]  # type: ignore[misc]
    results = as_json(run, tmp_path / "run.json")["systems"][0]["results"]
    assert (results[hidden], results["n_timestamps"], results["length_days"]) == (None, 5, None)
    assert results_table([row], run.columns)[hidden].isna().all()


def test_json_takes_no_other_table(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="JSON holds the whole run"):
        run.export(tmp_path / "run.json", "errors")


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx", "t.json"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text("old")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device; choose another folder or make room"):
        run.export(tmp_path / name)
    assert (tmp_path / name).read_text() == "old"
    assert not list(tmp_path.glob(".*.part"))
