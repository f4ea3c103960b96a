"""The plan: which keys run, which are skipped, and why. Made on the driver, before a cluster exists."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdt_dask_core.addons import tell
from sdt_dask_core.code_version import code_versions
from sdt_dask_core.due import VANISHED, digest_text, part_digest, same_work, what_changed
from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.expected import Measured, measured_in
from sdt_dask_core.keys import Key, as_key, canonical_text
from sdt_dask_core.ledger import LastOutcome, LedgerReader, PlannedTask
from sdt_dask_core.outcome import plain
from sdt_dask_core.settings import RunSettings
from sdt_dask_core.vanished import earlier_run, vanished_tasks

__all__ = ["Plan", "Planner", "SystemRow"]

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
    measured : Measured
        What the same work took here before.
    expected_by : dict
        Number of keys that would run, by what their expected time rests on: "last time", "size" or "mean" of what was
        measured here, or "unknown".
    """

    tasks: tuple[PlannedTask, ...]
    measured: Measured = field(default_factory=Measured)
    expected_by: dict[str, int] = field(default_factory=dict)

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

    @property
    def seconds(self) -> float | None:
        """Computing time on one core of the keys that would run [s]; None where nothing was measured here."""
        return sum(task.weight for task in self.todo) if self.measured.n else None


class Planner:
    """Decides for every key whether it runs, one key after the other, so that no list of them is held.

    Parameters
    ----------
    settings : RunSettings
        What would be done, and where its keys come from.
    versions : mapping
        Version of each analysis by name.
    hooks : pluggy hook relay
        Hooks of the plug and the addons on the driver.
    ledger : LedgerReader or None
        What was done before.
    force : bool
        Run also what is unchanged.
    """

    def __init__(
        self,
        settings: RunSettings,
        versions: Mapping[str, int],
        *,
        hooks: Any,
        ledger: LedgerReader | None,
        force: bool = False,
    ) -> None:
        self.job = settings.job
        self.parts = self.job.digests(versions, code_versions(self.job))  # of a system that has nothing of its own
        self.hooks = hooks
        self.ledger = ledger
        self.force = force
        self.measured = measured_in(ledger, self.parts)
        self.earlier = earlier_run(ledger, settings) if ledger else None

    def tasks(self, systems: Iterable[SystemRow]) -> Iterator[PlannedTask]:
        """Yield the task of each system, and then those of the ones that the same source had before.

        A key may come again, as one given twice or as one that did not vanish; whoever takes the tasks keeps the first.

        Parameters
        ----------
        systems : iterable of SystemRow
            What to plan for.

        Raises
        ------
        InvalidKeyError
            A key is not made of JSON scalars.
        ConfigurationError
            There is no key at all.
        """
        is_empty = True
        for system in systems:
            is_empty = False
            yield self.task(system)
        if is_empty:
            raise ConfigurationError(
                "there is no key to run: the source lists none (or none was given); check the plug's options, "
                "such as its path and pattern, with sdt-dask check"
            )
        if self.ledger is not None and self.earlier is not None:
            yield from vanished_tasks(self.ledger, self.earlier)

    def plan(self, systems: Iterable[SystemRow]) -> Plan:
        """Return the tasks all together, with what is expected of them."""
        tasks: dict[str, PlannedTask] = {}
        for task in self.tasks(systems):
            tasks.setdefault(task.key, task)
        todo = (task for task in tasks.values() if task.state == "todo")
        expected_by = Counter(self._expected(self._last(task.key), task.size)[1] for task in todo)
        return Plan(tuple(tasks.values()), self.measured, dict(expected_by))

    def task(self, system: SystemRow) -> PlannedTask:
        """Return the task of one system."""
        text, key = system.text, system.key
        metadata = self._metadata(system)
        fingerprint, why_none = self._fingerprint(key)
        digest = digest_text({**self.parts, **self._own_parts(system), "metadata": part_digest(metadata)})
        before = self._last(text)
        reason = self._reason(before, fingerprint, digest, why_none)
        veto = self._veto(key) if reason != "unchanged" else None
        kept = before if before and reason == "unchanged" else None
        size = None if veto or kept else self._size(key)
        return PlannedTask(
            key=text,
            state="skipped" if veto or kept else "todo",
            reason=str(plain(f"vetoed: {veto}" if veto else reason)),
            fingerprint=fingerprint,
            digest=digest,
            options=dict(system.options),
            metadata=metadata,
            outcome_id=kept.outcome_id if kept else None,
            grade=kept.grade if kept else None,
            size=size,
            weight=self._expected(before, size)[0],
        )

    def _last(self, text: str) -> LastOutcome | None:
        return self.ledger.last_outcome(text) if self.ledger else None

    def _expected(self, last: LastOutcome | None, size: int | None) -> tuple[float, str]:
        return self.measured.expect(last if last and same_work(last.digest, self.parts) else None, size)

    def _size(self, key: Key) -> int | None:
        size, _ = self._ask("data_size", key)
        return int(size) if isinstance(size, (int, float)) and 0 <= size < math.inf else None

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
