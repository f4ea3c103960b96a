"""Where a ledger must not be: on a file system across a network, whose locks and syncs cannot be trusted."""

from __future__ import annotations

from pathlib import Path

from sdt_dask_core.errors import LedgerError

__all__ = ["refuse_network_folder"]

_NETWORK = frozenset(
    # Amazon's EFS and most others are mounted as nfs4.
    ("nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "afpfs", "davfs", "davfs2", "webdav")
)
_NETWORK_FUSE = frozenset(
    (
        *("sshfs", "davfs2", "smbnetfs", "curlftpfs", "glusterfs"),
        *("s3fs", "goofys", "geesefs", "mountpoint-s3", "gcsfuse", "blobfuse", "blobfuse2", "rclone", "juicefs"),
    )
)


def refuse_network_folder(folder: Path) -> None:
    """Refuse an output folder on a network file system.

    Raises
    ------
    LedgerError
        It is on one.
    """
    kind = _file_system(folder.resolve())
    fuse, _, program = kind.partition(".")
    if kind in _NETWORK or (fuse == "fuse" and program in _NETWORK_FUSE):
        raise LedgerError(
            f"the output folder {folder} is on a network file system ({kind}), where a ledger could lose what was "
            "finished; choose a folder on a local disk, and copy it when the run is over"
        )


def _file_system(folder: Path) -> str:
    """Return the type of the file system that a folder is on, nothing where that cannot be seen."""
    import psutil

    try:
        mounted = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return ""
    above = [part for part in mounted if folder.is_relative_to(part.mountpoint)]
    # Of two on one point, the later one covers the earlier one.
    nearest = max(reversed(above), key=lambda part: len(part.mountpoint), default=None)
    return nearest.fstype.lower() if nearest else ""
