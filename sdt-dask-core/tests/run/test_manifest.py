"""Manifests: one row per system, refused with the row and the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.errors import ManifestError, OptionError

from .plugs import ManyKeysPlug

Tool = Callable[..., SDTDask]


def manifest(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "systems.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_each_row_is_a_system(tool: Tool, tmp_path: Path) -> None:
    file = manifest(tmp_path, 'key\nTAEFC1044741\n"[34, [2011, 2012]]"\n007\n')
    plan = tool(ManyKeysPlug, manifest=file).plan()
    assert [task.key for task in plan.tasks] == ['["TAEFC1044741"]', "[34,[2011,2012]]", '["007"]']


def test_metadata_columns_are_numbers_and_text(tool: Tool, tmp_path: Path) -> None:
    file = manifest(tmp_path, "key,capacity_kw,time_zone,tilt\na,5.5,Europe/Berlin,\n")
    (task,) = tool(ManyKeysPlug, manifest=file).plan().tasks
    assert task.metadata == {"capacity_kw": 5.5, "time_zone": "Europe/Berlin"}


def test_an_option_of_a_row_reaches_the_plug(tool: Tool, tmp_path: Path) -> None:
    file = manifest(tmp_path, "key,units\na,kW\nb,horsepower\n")
    run = tool(ManyKeysPlug, manifest=file).execute()
    assert [(row["key"], row["cause"]) for row in run.rows] == [('["a"]', None), ('["b"]', "unknown_units")]


def test_a_parquet_manifest_reads_alike(tool: Tool, tmp_path: Path) -> None:
    file = tmp_path / "systems.parquet"
    pd.DataFrame({"key": ["a", "b"], "capacity_kw": [5, None]}).to_parquet(file)
    plan = tool(ManyKeysPlug, manifest=file).plan()
    assert [task.metadata for task in plan.tasks] == [{"capacity_kw": 5.0}, {}]


def test_keys_given_beside_a_manifest_take_its_metadata(tool: Tool, tmp_path: Path) -> None:
    file = manifest(tmp_path, "key,capacity_kw\na,5\nb,6\n")
    plan = tool(ManyKeysPlug, manifest=file).plan(["b"])
    assert [(task.key, task.metadata) for task in plan.tasks] == [('["b"]', {"capacity_kw": 6.0})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("system,latitude\na,48\n", r"has no column 'key'; its columns: system, latitude"),
        ("key,lattitude\na,48\n", r"has a column 'lattitude' that is neither metadata nor an option .*'latitude'"),
        ("key,latitude\na,north\n", r", row 2: latitude is 'north'; write a number"),
        ("key,latitude\na,48\n,49\n", r", row 3: the key is empty"),
        ("key\na\nb\na\n", r", rows 2 and 4: the key \('a',\) stands twice; drop one"),
        ("key\n", r"holds no system; write one row per system below the header"),
        ("", r"cannot be read as a table: No columns to parse from file"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tool: Tool, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=rf"systems\.csv.*{message}"):
        tool(ManyKeysPlug, manifest=manifest(tmp_path, text))


def test_a_cell_that_its_option_cannot_take_is_refused(tool: Tool, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="n_keys"):
        tool(ManyKeysPlug, manifest=manifest(tmp_path, "key,n_keys\na,many\n"))


def test_a_missing_manifest_is_told(tool: Tool, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"the manifest .*nowhere\.csv is not there; check the path"):
        tool(ManyKeysPlug, manifest=tmp_path / "nowhere.csv")
