"""The output folder: one driver at a time, who is named to the next one, and no folder that cannot hold a ledger."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sdt_dask_core.errors import LedgerBusyError, LedgerError
from sdt_dask_core.ledger import Ledger
from sdt_dask_core.ledger.holder import HOLDER_NAME, Holder

from .small_disk import in_namespace, needs_mounts

Mounted = namedtuple("Mounted", "device mountpoint fstype opts")

HOLDS = """
import sys
from sdt_dask_core.ledger import Ledger
ledger = Ledger(sys.argv[1])
print("holds it", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_driver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder until it is killed."""
    script = tmp_path / "nightly.py"
    script.write_text(HOLDS, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holds it\n"
    yield process
    process.kill()
    process.communicate()


def gone() -> int:
    """Return the number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_driver_is_told_process_host_time_and_program_of_the_first(
    other_driver: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(LedgerBusyError) as caught:
        Ledger(tmp_path / "out")
    holder = Holder.of(tmp_path / "out")
    assert holder is not None
    assert str(caught.value) == (
        f"the output folder {tmp_path / 'out'} is in use by process {other_driver.pid} on {platform.node()}, since "
        f"{holder.since}, running nightly.py; wait for it, stop it, or choose another output"
    )


def test_a_second_driver_is_refused_through_a_link_to_the_folder(
    other_driver: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out", target_is_directory=True)
    with pytest.raises(LedgerBusyError, match=f"in use by process {other_driver.pid} on"):
        Ledger(tmp_path / "link")


def test_after_a_kill_of_the_first_the_second_goes_on(other_driver: subprocess.Popen[str], tmp_path: Path) -> None:
    other_driver.send_signal(signal.SIGKILL)
    other_driver.wait()
    with Ledger(tmp_path / "out"):
        holder = Holder.of(tmp_path / "out")
        assert holder is not None
        assert holder.process == os.getpid()


@pytest.mark.parametrize("text", ["", "process 12", "process x on y, since z, running w", "\x00\xff", "two\nlines"])
def test_a_torn_holder_file_names_nobody(other_driver: subprocess.Popen[str], tmp_path: Path, text: str) -> None:
    (tmp_path / "out" / HOLDER_NAME).write_text(text, encoding="latin-1")
    with pytest.raises(LedgerBusyError, match="is in use by another process; wait for it"):
        Ledger(tmp_path / "out")


def test_a_holder_that_is_no_more_is_not_named(other_driver: subprocess.Popen[str], tmp_path: Path) -> None:
    old = Holder(gone(), platform.node(), "2025-01-01", "nightly.py")
    (tmp_path / "out" / HOLDER_NAME).write_text(str(old), encoding="utf-8")
    with pytest.raises(LedgerBusyError, match="is in use by another process; wait for it"):
        Ledger(tmp_path / "out")


def test_a_holder_file_of_nobody_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / HOLDER_NAME).write_text(str(Holder(os.getpid(), platform.node(), "2025-01-01", "x")), encoding="utf-8")
    Ledger(tmp_path).close()


def test_a_driver_that_ends_leaves_no_name(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    assert Holder.of(tmp_path) is None


def test_no_argument_of_the_program_is_written_into_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/bin/sdt-dask", "run", "--option", "password=hunter2"])
    with Ledger(tmp_path):
        assert (tmp_path / HOLDER_NAME).read_text(encoding="utf-8").endswith(", running sdt-dask")


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"the output folder .*out cannot be made: File exists; choose another"):
        Ledger(tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LedgerError, match=r"the output folder .*out cannot be made: File exists; choose another"):
        Ledger(tmp_path / "out")


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "ledger.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match=r"the output folder .* cannot be written"):
        Ledger(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_folder_is_synced_into_those_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a power cut would take the folder away with all that was synced inside it."""
    synced = []
    opened = os.open

    def note(path: str | os.PathLike[str], flags: int, *more: int) -> int:
        synced.append(os.fspath(path))
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "open", note)
    Ledger(tmp_path / "a" / "b").close()
    assert {str(tmp_path), str(tmp_path / "a")} <= set(synced)


READ_ONLY = """
mount -t tmpfs -o size=4m small "$DISK"
"$PYTHON" -c "
from sdt_dask_core.ledger import Ledger
with Ledger('$DISK/out') as ledger:
    ledger.begin_run({}, {}, [])"
mount -o remount,ro small "$DISK"
"$PYTHON" -c "
from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import Ledger, LedgerReader
with LedgerReader('$DISK/out') as reader:
    print(reader.run().state)
for folder in ('$DISK/out', '$DISK/new'):
    try:
        Ledger(folder)
    except LedgerError as error:
        print(error)"
"""


@needs_mounts
def test_a_read_only_folder_is_read_and_refused_for_writing(tmp_path: Path) -> None:
    done = in_namespace(READ_ONLY, DISK=tmp_path, PYTHON=sys.executable)
    assert done.stdout.splitlines() == [
        "running",
        f"the output folder {tmp_path}/out cannot be written: Read-only file system; make room or choose another",
        f"the output folder {tmp_path}/new cannot be made: Read-only file system; choose another",
    ], done.stderr


def mounted(monkeypatch: pytest.MonkeyPatch, *parts: tuple[Path | str, str]) -> None:
    listed = [Mounted("device", str(point), kind, "rw") for point, kind in parts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: listed)


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "afs", "fuse.sshfs", "fuse.s3fs", "fuse.mountpoint-s3"]
)
def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    mounted(monkeypatch, ("/", "ext4"), (tmp_path, kind))
    with pytest.raises(LedgerError, match=rf"out is on a network file system \({kind}\), where a ledger could lose"):
        Ledger(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "NTFS", "fuse.fuseblk", ""]
)
def test_a_local_file_system_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    mounted(monkeypatch, ("/", "nfs4"), (tmp_path, kind))
    Ledger(tmp_path / "out").close()


def test_the_nearest_mount_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(monkeypatch, (tmp_path, "ext4"), (tmp_path / "out", "nfs4"), (f"{tmp_path / 'out'}side", "ext4"))
    with pytest.raises(LedgerError, match="network file system"):
        Ledger(tmp_path / "out")


def test_of_two_mounts_on_one_point_the_later_one_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(monkeypatch, (tmp_path, "autofs"), (tmp_path, "nfs4"))
    with pytest.raises(LedgerError, match="network file system"):
        Ledger(tmp_path / "out")


def test_a_link_into_a_network_file_system_is_seen_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    mounted(monkeypatch, ("/", "ext4"), (tmp_path / "share", "nfs4"))
    with pytest.raises(LedgerError, match="network file system"):
        Ledger(tmp_path / "link" / "out")


def test_where_mounts_cannot_be_listed_a_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(all: bool) -> None:
        raise PermissionError("no /proc here")

    monkeypatch.setattr(psutil, "disk_partitions", cannot)
    Ledger(tmp_path).close()
