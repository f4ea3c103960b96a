"""The job: all that the processes that compute must know of a run, the same for every key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sdt_dask_core.due import part_digest
from sdt_dask_core.reference import Reference
from sdt_dask_core.window import Window

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """What a child builds and does.

    Attributes
    ----------
    plug : Reference
        The plug, with the run's options.
    analyses : tuple of Reference
        The analyses in the order in which they run.
    addons : tuple of Reference
        Enabled addons; their hook wrappers compose around the plug's hooks.
    accelerate : bool
        Whether the accelerations are applied.
    key_timeout : float
        Longest time that one key may take [s].
    memory_limit : int or None
        Most memory that a child may hold [bytes]; None takes that of the Dask worker.
    sys_path : tuple of str
        Folders of the user's own modules, looked at after everything that is installed.
    worker_requires : tuple of str
        What the workers need beside the distributions of the providers: the ``requirements.txt`` of a user's folder.
    window : Window
        Which part of each record is analysed.
    """

    plug: Reference
    analyses: tuple[Reference, ...]
    addons: tuple[Reference, ...] = ()
    accelerate: bool = True
    key_timeout: float = 3600.0
    memory_limit: int | None = None
    sys_path: tuple[str, ...] = ()
    worker_requires: tuple[str, ...] = ()
    window: Window = field(default_factory=Window)

    def as_text(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Job:
        """Return the job that this text holds."""
        fields: dict[str, Any] = json.loads(text)
        fields["plug"] = Reference(**fields["plug"])
        for name in ("analyses", "addons"):
            fields[name] = tuple(Reference(**item) for item in fields[name])
        for name in ("sys_path", "worker_requires"):
            fields[name] = tuple(fields.get(name, ()))  # an older release kept no worker_requires
        fields["window"] = Window(**fields.get("window", {}))  # nor a window
        return cls(**fields)

    def with_plug_options(self, options: Mapping[str, Any]) -> Job:
        """Return the job for a system that has options of its own."""
        return replace(self, plug=replace(self.plug, options={**self.plug.options, **options}))

    def digests(self, analyses: Mapping[str, int], code: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of the digest of all that decides a key's row besides its data and its metadata.

        Parameters
        ----------
        analyses : mapping
            Version of each analysis by name.
        code : mapping
            Versions of the code that decides the numbers, see `code_versions`.

        Returns
        -------
        dict
            ``plug``, ``options``, ``analyses``, ``versions``, and ``window`` where there is one.
        """
        named = [[analysis.name, analysis.distribution, analysis.options] for analysis in self.analyses]
        parts = {
            "plug": part_digest([self.plug.kind, self.plug.name, self.plug.distribution]),
            "options": part_digest(self.plug.options),
            "analyses": part_digest(named),
            "versions": part_digest([analyses, code]),
        }
        return {**parts, "window": part_digest(str(self.window))} if self.window else parts
