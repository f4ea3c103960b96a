"""Why a key runs on a second night, or not, in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Analysis, Column, SDTDask, System, hookimpl
from sdt_dask_core.due import DUE, by_word, digest_text, what_changed
from sdt_dask_core.ledger import LEDGER_NAME, LedgerReader

from .conftest import Night, failed, reasons
from .plugs import OtherPlug

Tool = Callable[..., SDTDask]


class PeakAnalysis(Analysis):
    name = "peak"
    provides = (Column("peak_kw", "kW", "The highest power."),)

    def __init__(self, over: float = 0.0) -> None:
        self.over = over

    def run(self, system: System) -> Mapping[str, Any]:
        return {"peak_kw": system.power.max()}


class Guard:
    """Keeps b out."""

    @hookimpl
    def admit_key(self, key: Any) -> str | None:
        return "b rests" if key == ("b",) else None


def test_each_word_is_told_for_its_key(night: Night, data: Path, outcomes: dict[str, Any]) -> None:
    outcomes["b"] = failed()
    night()
    (data / "a.txt").write_text("6", encoding="utf-8")
    (data / "new.txt").write_text("5", encoding="utf-8")
    (data / "unknown.txt").write_text("unknown", encoding="utf-8")
    night(keys=["unknown"])
    assert reasons(night()) == {
        "a": "changed: data",
        "b": "failed before",
        "c": "unchanged",
        "new": "new",
        "unknown": "no fingerprint",
    }


def test_an_unchanged_source_gives_nothing_to_do(night: Night, tool: Tool) -> None:
    night()
    assert tool().plan().reasons == {"unchanged": 3}


def test_force_says_forced_and_hides_no_change(night: Night, data: Path) -> None:
    night()
    (data / "a.txt").write_text("6", encoding="utf-8")
    assert reasons(night(force=True)) == {"a": "changed: data", "b": "forced", "c": "forced"}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"options": {"units": "W"}}, "options"),
        ({"options": {"tilt": 20}}, "options, metadata"),
        ({"plug": OtherPlug}, "plug, versions"),
        ({"analyses": [PeakAnalysis]}, "analyses, versions"),
        ({"look_back": "3d"}, "window"),
        ({"since": "2020-01-01", "until": "2021-01-01"}, "window"),
    ],
)
def test_what_changed_is_told(night: Night, tool: Tool, changed: dict[str, Any], what: str) -> None:
    night()
    assert tool(**changed).plan().reasons == {f"changed: {what}": 3}


@pytest.mark.parametrize("more", [{"key_timeout": 9.0}, {"accelerate": False}, {"idle_timeout": "2h"}])
def test_what_decides_no_number_changes_nothing(night: Night, tool: Tool, more: dict[str, Any]) -> None:
    night()
    assert tool(**more).plan().reasons == {"unchanged": 3}


def test_a_changed_option_of_an_analysis_is_told(night: Night, tool: Tool) -> None:
    night(analyses=[PeakAnalysis(1.0)])
    assert tool(analyses=[PeakAnalysis(2.0)]).plan().reasons == {"changed: analyses": 3}


def test_a_raised_version_of_an_analysis_is_told(night: Night, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    night(analyses=[PeakAnalysis])
    monkeypatch.setattr(PeakAnalysis, "version", 2)
    assert tool(analyses=[PeakAnalysis]).plan().reasons == {"changed: versions": 3}


@pytest.mark.parametrize("distribution", ["sdt-dask-core", "solar-data-tools"])
def test_another_version_of_the_code_runs_every_key(
    night: Night, tool: Tool, monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    from sdt_dask_core import code_version

    night()
    asked = code_version.code_version
    newer = {distribution: "99.0"}
    monkeypatch.setattr(code_version, "code_version", lambda name, module: newer.get(name) or asked(name, module))
    assert tool().plan().reasons == {"changed: versions": 3}


def test_data_and_options_that_both_changed_are_both_named(night: Night, tool: Tool, data: Path) -> None:
    night()
    (data / "a.txt").write_text("6", encoding="utf-8")
    assert tool(options={"units": "W"}).plan().reasons == {"changed: options": 2, "changed: data, options": 1}


def test_a_changed_row_of_the_manifest_runs_that_system_alone(night: Night, tool: Tool, tmp_path: Path) -> None:
    manifest = tmp_path / "systems.csv"
    manifest.write_text("key,units,capacity_kw\na,kW,5\nb,kW,5\nc,kW,5\n", encoding="utf-8")
    night(manifest=manifest)
    manifest.write_text("key,units,capacity_kw\na,W,5\nb,kW,6\nc,kW,5\n", encoding="utf-8")
    plan = tool(manifest=manifest).plan()
    assert [task.reason for task in plan.tasks] == ["changed: options", "changed: metadata", "unchanged"]


def test_an_option_that_moves_into_the_manifest_changes_nothing(night: Night, tool: Tool, tmp_path: Path) -> None:
    manifest = tmp_path / "systems.csv"
    manifest.write_text("key,units\na,kW\nb,kW\nc,kW\n", encoding="utf-8")
    night(options={"units": "kW"})
    assert tool(manifest=manifest).plan().reasons == {"unchanged": 3}


def test_a_fingerprint_that_raises_on_the_driver_runs_the_key_and_says_so(night: Night, tool: Tool, data: Path) -> None:
    night()
    (data / "a.txt").write_text("down", encoding="utf-8")
    assert [task.reason for task in tool().plan().tasks] == [
        "no fingerprint: ConnectionError",
        "unchanged",
        "unchanged",
    ]


def test_a_ledger_of_an_earlier_release_says_that_versions_changed(night: Night, tool: Tool, tmp_path: Path) -> None:
    night()
    connection = sqlite3.connect(tmp_path / "out" / LEDGER_NAME)
    with connection:
        connection.execute("UPDATE outcome SET digest = '0123456789abcdef'")
    connection.close()
    assert tool().plan().reasons == {"changed: versions": 3}


def test_versions_are_asked_once_for_ten_thousand_keys(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    from sdt_dask_core import plan

    asked = []
    versions = plan.code_versions
    monkeypatch.setattr(plan, "code_versions", lambda job: asked.append(job) or versions(job))
    assert len(tool().plan([(number,) for number in range(10_000)]).todo) == 10_000
    assert len(asked) == 1


def test_the_word_stands_in_the_ledger_and_in_the_table(night: Night, tmp_path: Path) -> None:
    run = night()
    with LedgerReader(tmp_path / "out") as ledger:
        assert ledger.reasons(run.run_id) == run.reasons == {"new": 3}
    assert run.results["run_reason"].tolist() == ["new"] * 3


def test_the_words_are_counted_whatever_follows_them() -> None:
    told = {"changed: data": 2, "changed: options, data": 1, "vetoed: it rests": 1, "no fingerprint: OSError": 1}
    assert by_word(told) == {"changed": 3, "no fingerprint": 1, "vetoed": 1}


def test_a_veto_says_its_word_first(tool: Tool) -> None:
    told = tool(addons=[Guard]).plan().reasons
    assert (told, set(by_word(told)) <= DUE.keys()) == ({"new": 2, "vetoed: b rests": 1}, True)


def test_a_part_that_only_one_digest_has_is_a_change() -> None:
    parts = {"plug": "1", "options": "2"}
    assert what_changed(digest_text({**parts, "window": "3"}), digest_text(parts)) == ["window"]
    assert what_changed(digest_text(parts), digest_text(parts)) == []
