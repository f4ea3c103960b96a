"""Distributions that no worker elsewhere can get: editable, from a folder, from a repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.doctor.source import source_findings, source_of


def test_an_editable_one_is_a_warning(environment: Any, source: Any, doctor: Any) -> None:
    environment.install("--editable", source())
    page = doctor(environment)
    (found,) = page["findings"]
    assert found["message"] == "workers elsewhere cannot get acme-plug 1.0 (editable); give them wheels"
    assert (found["level"], page["exit"]) == ("warning", 0)


@pytest.mark.slow
def test_the_command_makes_a_wheel_of_each(environment: Any, source: Any, doctor: Any, type_command: Any) -> None:
    environment.install("--editable", source())
    environment.install(source("bert-plug"))
    found = doctor.finding("source", environment)
    assert "acme-plug 1.0 (editable), bert-plug 1.0 (from a local folder or file)" in found["message"]
    type_command(found["commands"][0])
    names = sorted(path.name.partition("-py")[0] for path in (doctor.cwd / "wheels").glob("*.whl"))
    assert names == ["acme_plug-1.0", "bert_plug-1.0"]


def test_a_folder_that_is_gone_cannot_make_a_wheel(environment: Any, source: Any, doctor: Any) -> None:
    folder = source()
    environment.install(folder)
    shutil.rmtree(folder)
    found = doctor.finding("source", environment)
    assert found["message"] == (
        f"acme-plug 1.0 was installed from {folder}, which is gone; workers elsewhere cannot get it"
    )
    assert found["commands"][0].endswith(" -m pip install --upgrade acme-plug")


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Let this process have a distribution with a record of where it came from."""

    def make(record: str) -> str:
        info = tmp_path / "site" / "acme_plug-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plug\nVersion: 1.0\n", encoding="utf-8")
        (info / "direct_url.json").write_text(record, encoding="utf-8")
        monkeypatch.syspath_prepend(info.parent)
        return "acme-plug"

    return make


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (
            {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
            "git+https://example.org/a.git@abc123",
        ),
        ({"url": "https://example.org/a-1.0.zip", "archive_info": {}}, "https://example.org/a-1.0.zip"),
    ],
)
def test_one_from_elsewhere_is_installed_there_from_the_same_place(recorded: Any, record: Any, place: str) -> None:
    (found,) = source_findings([recorded(json.dumps(record))])
    assert found.message == f"acme-plug 1.0 comes from {place}; workers elsewhere need it from there, too"
    assert found.commands == (f"python -m pip install 'acme-plug @ {place}'",)
    assert (found.level, found.place) == ("warning", "there")


def test_a_repository_of_this_machine_is_not_elsewhere(recorded: Any) -> None:
    record = {"url": "file:///srv/a.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    (found,) = source_findings([recorded(json.dumps(record))])
    assert found.message == "workers elsewhere cannot get acme-plug 1.0 (from a local folder or file); give them wheels"
    assert found.commands[0].endswith(" --wheel-dir wheels git+file:///srv/a.git@abc123")


def test_a_path_with_a_space_is_a_path(recorded: Any, tmp_path: Path) -> None:
    folder = tmp_path / "my plug"
    folder.mkdir()
    source = source_of(recorded(json.dumps({"url": folder.as_uri(), "dir_info": {}})))
    assert source is not None
    assert source.place == str(folder)


@pytest.mark.parametrize("torn", ["", "{", "[]", "{}"])
def test_a_record_that_cannot_be_read_tells_nothing(recorded: Any, torn: str) -> None:
    assert list(source_findings([recorded(torn)])) == []
