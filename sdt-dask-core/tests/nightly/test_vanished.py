"""Systems that the source had before and has no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Run, SDTDask, hookimpl
from sdt_dask_core.errors import ConfigurationError, PlugError

from .conftest import Night, done, failed, reasons
from .plugs import FilesPlug, OtherPlug

Tool = Callable[..., SDTDask]


class TornListPlug(FilesPlug):
    """A listing that breaks off."""

    def list_keys(self) -> Iterator[Any]:
        yield "a"
        if not (self.path / "whole").exists():
            raise ConnectionError("no route to the catalogue")
        yield from "bc"


class NotYet:
    """Keeps c out."""

    @hookimpl
    def admit_key(self, key: Any) -> str | None:
        return "not yet" if key == ("c",) else None


@pytest.fixture
def without_c(night: Night, data: Path) -> Run:
    """A night with a, b and c, and then one in which the source has lost c."""
    night()
    (data / "c.txt").unlink()
    return night()


def test_it_is_reported_and_stays_with_its_last_row(
    night: Night, data: Path, outcomes: dict[str, dict[str, Any]]
) -> None:
    outcomes["c"] = done("caution", length_days=7.5)
    night()
    (data / "c.txt").unlink()
    run = night()
    row = run.results.set_index("key").loc["c"]
    assert row[["status", "run_reason", "grade", "length_days"]].tolist() == ["skipped", "vanished", "caution", 7.5]
    assert (run.vanished, run.reasons) == (['["c"]'], {"unchanged": 2, "vanished": 1})


def test_it_costs_no_exit_code_and_is_not_run(without_c: Run) -> None:
    assert without_c.exit_code == 0
    assert without_c.counts["skipped"] == 3


def test_it_is_told_every_night_until_it_is_back(without_c: Run, night: Night, data: Path) -> None:
    assert reasons(night())["c"] == "vanished"
    assert reasons(night())["c"] == "vanished"
    (data / "c.txt").write_text("5", encoding="utf-8")
    assert reasons(night())["c"] == "unchanged"


def test_back_with_other_data_it_runs(without_c: Run, night: Night, data: Path) -> None:
    (data / "c.txt").write_text("7", encoding="utf-8")
    assert reasons(night())["c"] == "changed: data"


def test_a_plan_names_it_and_does_not_run_it(without_c: Run, tool: Tool) -> None:
    plan = tool().plan()
    assert [task.key for task in plan.vanished] == ['["c"]']
    assert plan.reasons == {"unchanged": 2, "vanished": 1}
    assert not plan.todo


def test_force_does_not_run_it(without_c: Run, tool: Tool) -> None:
    assert tool().plan(force=True).reasons == {"forced": 2, "vanished": 1}


def test_one_that_failed_last_is_skipped_and_no_error(
    night: Night, data: Path, outcomes: dict[str, dict[str, Any]]
) -> None:
    outcomes["c"] = failed()
    night()
    (data / "c.txt").unlink()
    run = night()
    assert run.results.set_index("key").loc["c", "status"] == "skipped"
    assert (run.errors.empty, run.exit_code) == (True, 0)


def test_a_run_over_chosen_keys_knows_of_none(night: Night, data: Path, tool: Tool) -> None:
    night()
    (data / "c.txt").unlink()
    assert tool().plan(["a"]).reasons == {"unchanged": 1}


def test_a_key_that_was_only_ever_chosen_has_not_vanished(night: Night, tool: Tool, data: Path) -> None:
    (data / "c.txt").rename(data / "c.other")
    night()
    (data / "c.other").rename(data / "c.txt")
    night(keys=["c"])
    (data / "c.txt").unlink()
    assert tool().plan().reasons == {"unchanged": 2}


def test_a_look_at_chosen_keys_in_between_hides_nothing(night: Night, data: Path, tool: Tool) -> None:
    night()
    night(keys=["c"])
    (data / "c.txt").unlink()
    assert tool().plan().reasons == {"unchanged": 2, "vanished": 1}


@pytest.mark.parametrize("other", [{"plug": OtherPlug}, {"options": {"units": "W"}}])
def test_another_plug_or_other_options_are_another_source(
    night: Night, data: Path, tool: Tool, other: dict[str, Any]
) -> None:
    night()
    (data / "c.txt").unlink()
    assert "vanished" not in tool(**other).plan().reasons


def test_other_analyses_are_the_same_source(night: Night, data: Path, tool: Tool) -> None:
    night()
    (data / "c.txt").unlink()
    assert tool(look_back="2d").plan().reasons == {"changed: window": 2, "vanished": 1}


def test_a_row_taken_out_of_the_manifest_is_reported(night: Night, tool: Tool, tmp_path: Path) -> None:
    manifest = tmp_path / "systems.csv"
    manifest.write_text("key\na\nb\nc\n", encoding="utf-8")
    night(manifest=manifest)
    manifest.write_text("key\na\nb\n", encoding="utf-8")
    assert tool(manifest=manifest).plan().reasons == {"unchanged": 2, "vanished": 1}


def test_what_a_manifest_leaves_out_of_the_list_has_not_vanished(night: Night, tool: Tool, tmp_path: Path) -> None:
    night()
    manifest = tmp_path / "systems.csv"
    manifest.write_text("key\na\n", encoding="utf-8")
    assert tool(manifest=manifest).plan().reasons == {"unchanged": 1}


def test_an_empty_list_is_an_error_and_not_a_fleet_that_vanished(night: Night, tool: Tool, data: Path) -> None:
    night()
    for name in "abc":
        (data / f"{name}.txt").unlink()
    with pytest.raises(ConfigurationError, match="there is no key to run: the source lists none"):
        tool().execute()


def test_a_list_that_breaks_off_is_an_error_and_nothing_vanished(
    night: Night, tool: Tool, data: Path, tmp_path: Path
) -> None:
    (data / "whole").touch()
    night(TornListPlug)
    (data / "whole").unlink()
    with pytest.raises(PlugError, match="could not list its keys: ConnectionError"):
        tool(TornListPlug).execute()
    assert Run(tmp_path / "out").reasons == {"new": 3}


def test_a_key_that_never_had_an_outcome_is_not_missed(night: Night, tool: Tool, data: Path) -> None:
    night(addons=[NotYet])
    (data / "c.txt").unlink()
    assert tool().plan().reasons == {"unchanged": 2}
