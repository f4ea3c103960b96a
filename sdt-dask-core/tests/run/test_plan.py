"""Why a key runs or not, on real runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import Analysis, Column, SDTDask, System
from sdt_dask_core.errors import ConfigurationError, InvalidKeyError, PlugError

from .conftest import reads, reasons, states
from .plugs import FolderPlug, ManyKeysPlug, NoFingerprintPlug, NumpyPlug, RaisingPlug, SilentPlug

Tool = Callable[..., SDTDask]


def test_a_new_key_runs(tool: Tool, folder: Path) -> None:
    run = tool(FolderPlug, {"path": str(folder)}).execute()
    assert reasons(run) == {'["a"]': "new", '["b"]': "new", '["c"]': "new"}


def test_unchanged_keys_are_skipped_with_their_results(tool: Tool, folder: Path) -> None:
    first = tool(FolderPlug, {"path": str(folder)}).execute()
    second = tool(FolderPlug, {"path": str(folder)}).execute()
    assert set(reasons(second).values()) == {"unchanged"}
    assert [reads(folder, name) for name in "abc"] == [1, 1, 1]
    pd.testing.assert_frame_equal(
        second.results.drop(columns=["status", "run_reason"]),
        first.results.drop(columns=["status", "run_reason"]),
        check_dtype=True,
    )


def test_a_changed_fingerprint_runs_that_key_alone(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute()
    (folder / "b.txt").write_text("7", encoding="utf-8")
    run = tool(FolderPlug, {"path": str(folder)}).execute()
    assert reasons(run) == {'["a"]': "unchanged", '["b"]': "changed: data", '["c"]': "unchanged"}
    assert [reads(folder, name) for name in "abc"] == [1, 2, 1]


def test_what_failed_before_runs_again(tool: Tool, folder: Path) -> None:
    (folder / "b.txt").write_text("fail", encoding="utf-8")
    tool(FolderPlug, {"path": str(folder)}).execute()
    run = tool(FolderPlug, {"path": str(folder)}).execute()
    assert reasons(run) == {'["a"]': "unchanged", '["b"]': "failed before", '["c"]': "unchanged"}
    assert states(run)['["b"]'] == "failed"


def test_force_runs_what_is_unchanged(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute()
    run = tool(FolderPlug, {"path": str(folder)}).execute(force=True)
    assert set(reasons(run).values()) == {"forced"}
    assert [reads(folder, name) for name in "abc"] == [2, 2, 2]


def test_without_a_fingerprint_a_key_always_runs(tool: Tool, folder: Path) -> None:
    tool(NoFingerprintPlug, {"path": str(folder)}).execute()
    run = tool(NoFingerprintPlug, {"path": str(folder)}).execute()
    assert set(reasons(run).values()) == {"no fingerprint"}
    assert [reads(folder, name) for name in "abc"] == [2, 2, 2]


def test_a_changed_option_of_the_plug_runs_every_key(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute()
    assert tool(FolderPlug, {"path": str(folder), "label": "another"}).plan().reasons == {"changed: options": 3}


def test_a_changed_time_limit_runs_nothing(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute()
    assert tool(FolderPlug, {"path": str(folder)}, key_timeout=99).plan().reasons == {"unchanged": 3}


class MeanAnalysis(Analysis):
    name = "mean"
    version = 1
    provides = (Column("mean_kw", "kW", "The mean."),)

    def run(self, system: System) -> Mapping[str, Any]:
        return {"mean_kw": system.power.mean()}


def test_a_raised_version_of_an_analysis_runs_every_key(
    tool: Tool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(FolderPlug, {"path": str(folder)}, analyses=[MeanAnalysis], accelerate=False).execute()
    monkeypatch.setattr(MeanAnalysis, "version", 2)
    changed = tool(FolderPlug, {"path": str(folder)}, analyses=[MeanAnalysis], accelerate=False)
    assert changed.plan().reasons == {"changed: versions": 3}


def test_an_added_analysis_runs_every_key(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute()
    changed = tool(FolderPlug, {"path": str(folder)}, analyses=[MeanAnalysis], accelerate=False)
    assert changed.plan().reasons == {"changed: analyses, versions": 3}


def test_a_key_given_twice_is_planned_once(tool: Tool) -> None:
    plan = tool(ManyKeysPlug).plan([(1,), (1.0,), [1], 1, (2,)])
    assert [task.key for task in plan.tasks] == ["[1]", "[2]"]


def test_a_plan_writes_nothing(tool: Tool, tmp_path: Path) -> None:
    plan = tool(ManyKeysPlug).plan()
    assert plan.reasons == {"new": 3}
    assert not (tmp_path / "out").exists()


def test_a_plan_knows_what_a_run_has_done(tool: Tool, folder: Path) -> None:
    tool(FolderPlug, {"path": str(folder)}).execute(["a"])
    assert tool(FolderPlug, {"path": str(folder)}).plan().reasons == {"unchanged": 1, "new": 2}


def test_no_key_at_all_is_refused(tool: Tool, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no key to run: the source lists none"):
        tool(ManyKeysPlug, {"n_keys": 0}).execute()


def test_a_key_that_is_no_key_is_refused(tool: Tool) -> None:
    with pytest.raises(InvalidKeyError, match="object"):
        tool(ManyKeysPlug).execute([(object(),)])


def test_keys_given_as_one_text_are_refused(tool: Tool) -> None:
    with pytest.raises(ConfigurationError, match=r"keys is one text, 'abc'; give a list of keys"):
        tool(ManyKeysPlug).execute("abc")


def test_a_plug_that_cannot_list_needs_keys(tool: Tool) -> None:
    with pytest.raises(ConfigurationError, match=r"plug 'SilentPlug' cannot list its keys; give them: execute\(keys\)"):
        tool(SilentPlug).execute()


def test_metadata_may_be_numpy_numbers(tool: Tool) -> None:
    (task, *_) = tool(NumpyPlug).plan().tasks
    assert task.metadata == {"capacity_kw": 5, "latitude": 48.0}


def test_a_fingerprint_may_be_a_number(tool: Tool) -> None:
    assert tool(NumpyPlug).execute().errors.empty
    assert tool(NumpyPlug).plan().reasons == {"unchanged": 3}


def test_hooks_that_fail_on_the_driver_do_not_stop_the_plan(tool: Tool) -> None:
    assert tool(RaisingPlug).plan().reasons == {"new": 3}


def test_a_plug_that_fails_to_list_is_named(tmp_path: Path) -> None:
    class Unlisted(ManyKeysPlug):
        def list_keys(self) -> Iterator[str]:
            yield "a"
            raise ConnectionError("no route to the catalogue")

    with pytest.raises(PlugError, match=r"plug 'Unlisted' of .* could not list its keys: ConnectionError: no route"):
        SDTDask(Unlisted, analyses=[], output=tmp_path).plan()
