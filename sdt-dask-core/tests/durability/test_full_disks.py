"""No room, or a device with errors: one clear error, what was acknowledged stays, and `resume` does the rest."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Run

from .small_disk import in_namespace, needs_mounts

_TESTS = Path(__file__).parents[1]

N_KEYS = 40

PLUG = f"""
import numpy as np
import pandas as pd


class TalkativePlug:
    units = "kW"

    def list_keys(self):
        return range({N_KEYS})

    def fingerprint(self, key):
        return "always the same"

    def get_data(self, keys):
        print("what makes its row long " * 500)
        index = pd.date_range("2020-06-01", periods=96 * 3, freq="15min")
        hours = index.hour + index.minute / 60
        return pd.DataFrame({{"power": np.clip(np.sin((hours - 6) / 12 * np.pi), 0, None) * 5}}, index=index)
"""


@pytest.fixture(scope="module")
def failed(scratch: Path, can_trace: None) -> dict[str, dict[str, Any]]:
    """What became of ledgers each of whose writes and syncs failed in its turn, by the kind of failure."""
    command = [sys.executable, "-m", "durability.failing", str(scratch / "failing")]
    done = subprocess.run(command, cwd=_TESTS, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return seen


@pytest.mark.slow
def test_after_any_failing_write_or_sync_every_acknowledged_row_is_there_and_the_rest_can_be_done(
    failed: dict[str, dict[str, Any]],
) -> None:
    assert [seen["problems"] for seen in failed.values()] == [[]] * 6
    assert sum(seen["failures"] for seen in failed.values()) > 300


@pytest.mark.slow
def test_a_full_disk_is_named_at_whichever_write_it_fills_up(failed: dict[str, dict[str, Any]]) -> None:
    assert failed["disk full, lasting"]["messages"] == [
        "none",  # only what SQLite does when it closes the file failed
        "the ledger FOLDER/ledger.sqlite cannot be opened: database or disk is full; make room or choose another "
        "output",
        "the ledger FOLDER/ledger.sqlite cannot be written: database or disk is full; what was recorded before is "
        "safe: make room and run sdt-dask resume",
    ]


def plug_folder(home: Path) -> Path:
    folder = home / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataplug.py").write_text(PLUG, encoding="utf-8")
    return folder


def sdt_dask(*arguments: Any, prepare: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sdt_dask_core.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, preexec_fn=prepare)


def first_run(home: Path, output: Path) -> tuple[str, ...]:
    return ("run", str(plug_folder(home)), "--analyses", "none", "-c", "n_workers=1", "-o", str(output))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The table of a run for which there was room."""
    home = tmp_path_factory.mktemp("undisturbed")
    done = sdt_dask(*first_run(home, home / "out"))
    assert done.returncode == 0, done.stderr
    return table(home / "out")


def table(output: Path) -> str:
    return (output / "results.csv").read_text(encoding="utf-8")


def assert_one_clear_error(done: subprocess.CompletedProcess[str], *, because: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if because in line]
    assert len(errors) == 1, done.stderr
    assert "what was recorded before is safe: make room and run sdt-dask resume" in errors[0]


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_a_run_whose_files_may_not_grow_ends_with_one_error_and_is_resumed(tmp_path: Path, undisturbed: str) -> None:
    output = tmp_path / "out"
    done = sdt_dask(*first_run(tmp_path, output), prepare=limit_files)
    assert_one_clear_error(done, because="disk I/O error")
    assert 0 < Run(output).counts["done"] < N_KEYS
    resumed = sdt_dask("resume", output)
    assert resumed.returncode == 0, resumed.stderr
    assert table(output) == undisturbed


ON_A_SMALL_DISK = """
sdt_dask() { "$PYTHON" -m sdt_dask_core.cli "$@"; }
mount -t tmpfs -o size=1m small "$DISK"
head -c 640k /dev/zero > "$DISK/ballast"
code=0; sdt_dask "$@" 2> "$NOTES/first.err" || code=$?
echo $code > "$NOTES/first.code"
sdt_dask status "$DISK/out" --json > "$NOTES/between.json"
rm "$DISK/ballast"; mount -o remount,size=64m small "$DISK"
sdt_dask resume "$DISK/out"
cp -r "$DISK/out" "$NOTES/out"
"""


@pytest.mark.slow
@needs_mounts
def test_a_run_on_a_disk_that_fills_up_ends_with_one_error_and_is_resumed(tmp_path: Path, undisturbed: str) -> None:
    (tmp_path / "disk").mkdir()
    arguments = first_run(tmp_path, tmp_path / "disk" / "out")
    done = in_namespace(ON_A_SMALL_DISK, *arguments, DISK=tmp_path / "disk", NOTES=tmp_path, PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    first = subprocess.CompletedProcess[str]([], int((tmp_path / "first.code").read_text()))
    first.stderr = (tmp_path / "first.err").read_text()
    assert_one_clear_error(first, because="disk is full")
    assert 0 < json.loads((tmp_path / "between.json").read_text())["done"] < N_KEYS
    assert table(tmp_path / "out") == undisturbed
