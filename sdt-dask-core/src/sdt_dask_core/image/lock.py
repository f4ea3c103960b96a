"""The lock: every distribution of the image with its version and the hash of its one wheel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from sdt_dask_core.resolution.target import Target

__all__ = ["Locked", "lock_text", "tag_of"]

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Locked:
    """One distribution of the image.

    Attributes
    ----------
    name, version : str
        Which.
    sha256 : str
        Of its wheel [hex].
    address : str
        Where the wheel is, for one that is fetched from an address of its own; else empty.
    """

    name: str
    version: str
    sha256: str
    address: str = ""

    @property
    def line(self) -> str:
        """What pip installs, hash and all."""
        what = f"{self.name} @ {self.address}" if self.address else f"{self.name}=={self.version}"
        return f"{what} \\\n    --hash=sha256:{self.sha256}\n"


def lock_text(locked: Iterable[Locked], target: Target) -> str:
    """Return the text of ``requirements.lock``; the same set for the same target gives the same text."""
    head = (
        "# All that the workers have, resolved together. Made by `sdt-dask image`: make it again, do not change it.\n"
        f"# For Python {target.python} on {target.platform}.\n"
    )
    lines = sorted((canonicalize_name(one.name), one.line) for one in locked)
    return head + "".join(line for _, line in lines)


def tag_of(lock: str, files: Mapping[str, bytes]) -> str:
    """Return the tag of the image: another one for every other lock and every other content of the user's folder."""
    digest = hashlib.sha256(lock.encode("utf-8"))
    for path, content in sorted(files.items()):
        digest.update(f"{path}\n{len(content)}\n".encode())
        digest.update(content)
    return f"sdt-dask-{digest.hexdigest()[:_DIGITS]}"
