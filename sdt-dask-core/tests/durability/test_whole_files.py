"""Files that others read appear whole or not at all: after a kill, on a full disk, beside one who reads all along."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from sdt_dask_core.ledger import Ledger
from sdt_dask_core.report.files import write_table
from sdt_dask_core.whole_file import sweep, whole_file, write_whole

N_ROWS = 20_000

# Killed while the table is written, by itself and so at an instant that is sure to be in the middle.
KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from sdt_dask_core.report.files import write_table

class Killing:
    def __init__(self, number):
        self.number = number
    def __str__(self):
        if self.number == 15_000:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"value {self.number}"

write_table(pd.DataFrame({"x": [Killing(number) for number in range(20_000)]}), Path(sys.argv[1]))
"""


def test_a_kill_in_the_middle_of_a_table_leaves_the_one_before(tmp_path: Path) -> None:
    table = write_table(pd.DataFrame({"x": [1]}), tmp_path / "results.csv")
    done = subprocess.run([sys.executable, "-c", KILLED, table], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert table.read_text(encoding="utf-8") == "x\n1\n"
    assert leftovers(tmp_path) != []


def test_what_a_killed_run_left_is_swept_at_the_next_start(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "results.csv"], check=False, timeout=120)
    assert len(leftovers(tmp_path)) == 1
    Ledger(tmp_path).close()
    assert leftovers(tmp_path) == []


def test_what_a_live_process_writes_is_not_swept(tmp_path: Path) -> None:
    with whole_file(tmp_path / "export.csv") as temporary:
        sweep(tmp_path)
        temporary.write_text("x\n", encoding="utf-8")
    assert (tmp_path / "export.csv").read_text(encoding="utf-8") == "x\n"


@pytest.mark.parametrize("name", ["results.csv", ".results.csv", ".notes.part", ".x.12-zz.part", "x.1-00000000.part"])
def test_files_of_others_are_not_swept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    sweep(tmp_path)
    assert (tmp_path / name).exists()


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


def test_one_who_reads_all_the_time_finds_whole_tables_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(pd.DataFrame({"x": [0] * N_ROWS}), path)
    lengths: set[int] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            lengths.add(path.read_text(encoding="utf-8").count("\n"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(5):
        write_table(pd.DataFrame({"x": [number] * N_ROWS}), path)
    ended.set()
    reader.join()
    assert lengths == {N_ROWS + 1}


def test_a_disk_that_fills_up_leaves_the_file_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "file", "before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "file", "after")
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("file", "before")]


def test_file_and_folder_are_synced_around_the_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a power cut leaves a name without what it stands for."""
    done = []
    synced, replaced = os.fsync, Path.replace

    def note_sync(number: int) -> None:
        done.append("sync of folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "sync of file")
        synced(number)

    def note_replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return replaced(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_whole(tmp_path / "file", "text")
    assert done == ["sync of file", "rename", "sync of folder"]


def test_a_whole_file_has_the_rights_that_the_user_gives_to_new_files(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", "text")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode
