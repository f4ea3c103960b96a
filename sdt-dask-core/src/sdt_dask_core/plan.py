"""The plan: which keys run, which are skipped, and why. Made on the driver, before a cluster exists."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdt_dask_core.addons import tell
from sdt_dask_core.code_version import code_versions
from sdt_dask_core.due import VANISHED, digest_text, part_digest, what_changed
from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.job import Job
from sdt_dask_core.keys import Key, as_key, canonical_text
from sdt_dask_core.ledger import LastOutcome, PlannedTask
from sdt_dask_core.outcome import plain
from sdt_dask_core.vanished import vanished_tasks

__all__ = ["Plan", "SystemRow", "make_plan"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system to plan for: its key, and the options and metadata that it has of its own."""

    key: Key
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, key: Any) -> SystemRow:
        """Return the row of a key that has nothing of its own."""
        return cls(as_key(key))

    @property
    def text(self) -> str:
        """The key's canonical text."""
        return canonical_text(self.key)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    tasks : tuple of PlannedTask
        One per different key, in the order given; behind them those that vanished.
    """

    tasks: tuple[PlannedTask, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Number of keys by reason, such as "changed: data"."""
        return dict(Counter(task.reason for task in self.tasks))

    @property
    def todo(self) -> tuple[PlannedTask, ...]:
        """The keys that would run."""
        return tuple(task for task in self.tasks if task.state == "todo")

    @property
    def vanished(self) -> tuple[PlannedTask, ...]:
        """The keys that the source no longer has."""
        return tuple(task for task in self.tasks if task.reason == VANISHED)


def make_plan(
    systems: Iterable[SystemRow],
    *,
    job: Job,
    versions: Mapping[str, int],
    hooks: Any,
    last: Mapping[str, LastOutcome],
    force: bool = False,
    earlier: Iterable[PlannedTask] = (),
) -> Plan:
    """Decide for every key whether it runs.

    Parameters
    ----------
    systems : iterable of SystemRow
        What to plan for; a key given twice is planned once.
    job : Job
        What would be done.
    versions : mapping
        Version of each analysis by name.
    hooks : pluggy hook relay
        Hooks of the plug and the addons on the driver.
    last : mapping
        The newest outcome of every key.
    force : bool
        Run also what is unchanged.
    earlier : iterable of PlannedTask
        What the same source had before; of it, what is not among the systems has vanished.

    Raises
    ------
    InvalidKeyError
        A key is not made of JSON scalars.
    ConfigurationError
        There is no key at all.
    """
    rows: dict[str, SystemRow] = {}
    for system in systems:
        rows.setdefault(system.text, system)
    if not rows:
        raise ConfigurationError(
            "there is no key to run: the source lists none (or none was given); check the plug's options, "
            "such as its path and pattern, with sdt-dask check"
        )
    planner = _Planner(job, job.digests(versions, code_versions(job)), hooks, last, force)
    tasks = [planner.task(text, system) for text, system in rows.items()]
    return Plan((*tasks, *vanished_tasks(earlier, rows.keys(), last)))


@dataclass(frozen=True, slots=True)
class _Planner:
    job: Job
    parts: Mapping[str, str]  # of the digest of a system that has nothing of its own
    hooks: Any
    last: Mapping[str, LastOutcome]
    force: bool

    def task(self, text: str, system: SystemRow) -> PlannedTask:
        key = system.key
        metadata = self._metadata(system)
        fingerprint, why_none = self._fingerprint(key)
        digest = digest_text({**self.parts, **self._own_parts(system), "metadata": part_digest(metadata)})
        before = self.last.get(text)
        reason = self._reason(before, fingerprint, digest, why_none)
        veto = self._veto(key) if reason != "unchanged" else None
        state = "skipped" if veto or reason == "unchanged" else "todo"
        return PlannedTask(
            key=text,
            state=state,
            reason=str(plain(f"vetoed: {veto}" if veto else reason)),
            fingerprint=fingerprint,
            digest=digest,
            options=dict(system.options),
            metadata=metadata,
            outcome_id=before.outcome_id if before and reason == "unchanged" else None,
        )

    def _own_parts(self, system: SystemRow) -> dict[str, str]:
        if not system.options:
            return {}
        return {"options": part_digest(self.job.with_plug_options(system.options).plug.options)}

    def _metadata(self, system: SystemRow) -> dict[str, Any]:
        known, _ = self._ask("system_metadata", system.key)
        known = known if isinstance(known, Mapping) else {}
        # Sources give NumPy numbers, and NaN for what they do not know.
        return {name: value for name, value in plain({**known, **system.metadata}).items() if value is not None}

    def _fingerprint(self, key: Key) -> tuple[str | None, str]:
        fingerprint, error = self._ask("fingerprint", key)
        # Text, as it is read back from the ledger, and without secrets.
        return None if fingerprint is None else str(plain(fingerprint)), error

    def _reason(self, before: LastOutcome | None, fingerprint: str | None, digest: str, why_none: str) -> str:
        if before is None:
            return "new"
        if before.status != "done":
            return "failed before"
        if fingerprint is None:
            return f"no fingerprint: {why_none}" if why_none else "no fingerprint"
        changed = [*(["data"] if fingerprint != before.fingerprint else []), *what_changed(before.digest, digest)]
        if changed:
            return f"changed: {', '.join(changed)}"
        return "forced" if self.force else "unchanged"

    def _ask(self, hook: str, key: Key) -> tuple[Any, str]:
        """Return what a hook says and, where it raises, the name of its error."""
        try:
            return getattr(self.hooks, hook)(key=key), ""
        except Exception as error:  # noqa: BLE001 - the key itself will fail on its worker, with the cause that is seen there
            logger.debug("%s of %r failed on the driver: %s: %s", hook, key, type(error).__name__, error)
            return None, type(error).__name__

    def _veto(self, key: Key) -> str | None:
        return next((str(answer) for answer in tell(self.hooks, "admit_key", key=key) if answer), None)
