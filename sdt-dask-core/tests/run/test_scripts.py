"""Runs started from where people start them: a script without a guard, a plain interpreter, a pipe."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sdt_dask_core import Run

from .conftest import PATIENCE, Driver

pytestmark = pytest.mark.slow

SCRIPT = """
from pathlib import Path

import numpy as np
import pandas as pd
from sdt_dask_core import Plug, SDTDask

with open("starts", "a") as starts:
    starts.write("x")

PEAK = 5.0


class MyPlug(Plug):
    units = "kW"

    def list_keys(self):
        return ["a", "b", "c"]

    def get_data(self, key):
        with open("reads", "a") as reads:
            reads.write(key[0])
        index = pd.date_range("2020-06-01", periods=288, freq="15min")
        return pd.DataFrame({"power": PEAK * np.maximum(0, np.sin((index.hour - 6) / 12 * np.pi))}, index=index)


"""
CALL = """
run = SDTDask(MyPlug, analyses=[], client_options={"n_workers": 2}, output="out").execute()
print("done:", run.counts["done"], "of", len(run.results))
"""


def assert_ran_once(printed: str, folder: Path) -> None:
    assert printed == "done: 3 of 3\n"
    assert (folder / "starts").read_text() == "x"
    assert sorted((folder / "reads").read_text()) == ["a", "b", "c"]
    assert Run(folder / "out").state == "complete"


def python(*arguments: str, folder: Path, typed: str = "") -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ran.stdout


def test_a_script_without_a_guard_runs_once(drive: Callable[..., Driver], tmp_path: Path) -> None:
    assert_ran_once(drive(SCRIPT + CALL).finish(), tmp_path)


def test_a_script_with_a_guard_runs_once(drive: Callable[..., Driver], tmp_path: Path) -> None:
    guarded = 'if __name__ == "__main__":' + CALL.replace("\n", "\n    ").rstrip(" ")
    assert_ran_once(drive(SCRIPT + guarded).finish(), tmp_path)


def test_code_given_on_the_command_line_runs(tmp_path: Path) -> None:
    assert_ran_once(python("-c", SCRIPT + CALL, folder=tmp_path), tmp_path)


def test_code_from_a_pipe_runs(tmp_path: Path) -> None:
    assert_ran_once(python("-", folder=tmp_path, typed=SCRIPT + CALL), tmp_path)


def test_a_module_in_the_working_folder_is_found_as_the_caller_finds_it(tmp_path: Path) -> None:
    (tmp_path / "my_own_module.py").write_text("PEAK = 6.0\n")
    code = SCRIPT.replace("PEAK = 5.0", "import my_own_module").replace("PEAK *", "my_own_module.PEAK *")
    assert_ran_once(python("-c", code + CALL, folder=tmp_path), tmp_path)


LEAN = """
import sys

def heavy():
    import sys
    return [name for name in ("solardatatools", "cvxpy") if name in sys.modules]


def watch(progress):
    if not progress.finished:
        from distributed import get_client
        print("worker:", [found for found in get_client().run(heavy).values()])


tool = SDTDask(MyPlug, client_options={"n_workers": 1}, output="out")
tool.check()
tool.estimate(tool.plan())
run = tool.execute(observe=watch)
print("ran:", len(run.results), "driver:", heavy())
"""


def test_solar_data_tools_is_imported_by_the_child_alone(drive: Callable[..., Driver], tmp_path: Path) -> None:
    printed = drive(SCRIPT + LEAN).finish()
    assert "worker: [[]]\n" in printed
    assert "ran: 3 driver: []\n" in printed
    assert Run(tmp_path / "out").counts == {"failed": 3}  # three days are too few for its pipeline
