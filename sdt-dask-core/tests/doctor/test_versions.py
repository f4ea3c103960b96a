"""Versions here and there, compared; and the question as it travels to another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.environment import SCHEDULER, SHARED, Difference, as_program, compare, importable_versions

HERE = {"python": "3.11.7", "dask": "2026.8.0", "numpy": "2.4.6", "sdt-dask-core": "0.1.0", "solar-data-tools": "2.1"}


def differences(where: str, **there: Any) -> list[Difference]:
    return compare(HERE, {where: {**HERE, **{name.replace("_", "-"): version for name, version in there.items()}}})


def test_equal_versions_do_not_differ() -> None:
    assert compare(HERE, {SCHEDULER: HERE, "tcp://a": HERE}) == []


@pytest.mark.parametrize("name", ["python", "dask", "distributed", "cloudpickle", "sdt-dask-core"])
@pytest.mark.parametrize("where", [SCHEDULER, "tcp://a"])
def test_another_version_of_what_processes_talk_with_breaks(name: str, where: str) -> None:
    here, there = {name: "3.11.7"}, {where: {name: "3.12.1"}}
    assert compare(here, there) == [Difference(where, name, "3.11.7", "3.12.1", breaks=True)]


def test_a_bugfix_of_python_does_not_differ() -> None:
    assert differences("tcp://a", python="3.11.12") == []


def test_a_bugfix_release_of_what_computes_does_not_break() -> None:
    assert differences("tcp://a", numpy="2.4.5") == [Difference("tcp://a", "numpy", "2.4.6", "2.4.5", breaks=False)]


@pytest.mark.parametrize(("name", "version"), [("numpy", "2.3.6"), ("solar_data_tools", "2.1.1")])
def test_another_release_of_what_computes_breaks(name: str, version: str) -> None:
    assert [one.breaks for one in differences("tcp://a", **{name: version})] == [True]


def test_what_is_missing_on_a_worker_breaks() -> None:
    found = differences("tcp://a", solar_data_tools=None)
    assert found == [Difference("tcp://a", "solar-data-tools", "2.1", None, breaks=True)]


def test_what_a_worker_does_not_tell_is_missing() -> None:
    assert [one.name for one in compare(HERE, {"tcp://a": {}})] == list(HERE)


def test_the_scheduler_needs_nothing_that_computes() -> None:
    assert differences(SCHEDULER, numpy="1.0", solar_data_tools=None) == []


def test_what_is_missing_here_is_not_compared() -> None:
    assert compare({"numpy": None}, {"tcp://a": {"numpy": "2.0"}}) == []


def test_what_cannot_be_imported_has_no_version() -> None:
    found = importable_versions({"pluggy": "pluggy", "pandas": "no_such_module", "no-such-one": "json"})
    assert (found["pandas"], found["no-such-one"]) == (None, None)
    assert found["pluggy"]


def answer_of(code: str, tmp_path: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_asking_imports_nothing(tmp_path: Path) -> None:
    code = f"{as_program(importable_versions, SHARED)}import sys\nprint('numpy' in sys.modules, answer['numpy'])"
    assert answer_of(code, tmp_path) == ["False", importable_versions(SHARED)["numpy"]]


def test_the_question_needs_nothing_of_ours(tmp_path: Path) -> None:
    program = as_program(importable_versions, SHARED)
    code = f"import sys\nsys.modules['sdt_dask_core'] = None\nexec({program!r}, space := {{}})"
    assert answer_of(f"{code}\nprint(space['answer']['sdt-dask-core'])", tmp_path) == ["None"]
