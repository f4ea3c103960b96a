"""Options that mean the same have the same name, type, default and text in every plug of ours."""

from __future__ import annotations

from typing import Any

from sdt_dask_core.options import options_of
from sdt_dask_plug_csv import CsvPlug
from sdt_dask_plug_s3 import S3Plug


def options(cls: Any, name: str) -> dict[str, Any]:
    return {option.name: option for option in options_of(cls, kind="plug", name=name)}


def test_tables_in_a_bucket_take_all_that_says_how_tables_in_a_folder_are_written():
    folder, bucket = options(CsvPlug, "csv"), options(S3Plug, "s3")
    assert folder.keys() - bucket.keys() == {"path"}


def test_they_mean_the_same():
    folder, bucket = options(CsvPlug, "csv"), options(S3Plug, "s3")
    told = {"units", "pattern"}  # of "the files" here, of "the tables" or "objects" there
    for name in folder.keys() & bucket.keys():
        ours, theirs = folder[name], bucket[name]
        assert (ours.type_text, ours.default) == (theirs.type_text, theirs.default), name
        assert name in told or ours.help == theirs.help, name
