"""The workplace of a child process: the plug and the analyses built once, then one key after another.

`analyse_key` is the one place where a key's path is walked: read, check, analyse, judge. It never raises.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import random
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sdt_dask_core.addons import tell
from sdt_dask_core.analyses import Analysis, Column, Grade, System, Verdict
from sdt_dask_core.analyses.grades import worst
from sdt_dask_core.contract import HookManager
from sdt_dask_core.errors import AnalysisError, SdtDaskError
from sdt_dask_core.frames import CheckedFrame, check_frame
from sdt_dask_core.job import Job
from sdt_dask_core.keys import Key, canonical_text
from sdt_dask_core.outcome import DONE, PICTURE, Stage, failure, plain
from sdt_dask_core.picture import pack, sparkline, take_picture
from sdt_dask_core.secret import redact

__all__ = ["Workplace", "seed_of"]

_LONGEST_TRACEBACK = 8_000
# What the value of a column is by its unit; a number for all others.
_KINDS: dict[str, tuple[type, ...]] = {"bool": (bool,), "count": (int,), "text": (str,), "time": (str,)}

# What a plug that knows nothing of our errors raises, by what it means.
_BUILTIN_CAUSES: dict[type[BaseException], str] = {
    MemoryError: "out_of_memory",
    FileNotFoundError: "key_not_found",
    PermissionError: "access_denied",
    ConnectionError: "source_unavailable",
    TimeoutError: "source_unavailable",
}


def seed_of(key: Key) -> int:
    """Return the seed of a key's random numbers, the same on any machine."""
    return int.from_bytes(hashlib.sha256(canonical_text(key).encode()).digest()[:4], "big")


class Workplace:
    """What a child keeps for a run: the plug, the addons and the analyses of one job.

    Parameters
    ----------
    job : Job
        What to build.
    turn : callable
        Given how many may read at once, returns the context manager in which one of them may; by default at once.
    tell : callable
        Told, as a dict, of each stage that a key enters and of the size of what was read; by default nobody listens.

    Raises
    ------
    SdtDaskError
        The plug, an addon or an analysis cannot be built here.
    """

    def __init__(
        self,
        job: Job,
        *,
        turn: Callable[[int], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
        tell: Callable[[dict[str, Any]], object] = dict,
    ) -> None:
        self.job = job
        self.turn = turn
        self.tell = tell
        self.analyses: list[Analysis] = [reference.build() for reference in job.analyses]
        self.plug = job.plug.build()
        self.hooks = HookManager()
        self.hooks.register(self.plug)
        for reference in job.addons:
            self.hooks.register(reference.build())

    def close(self) -> None:
        """Close the plug and the addons; one that fails is reported and fails no key."""
        tell(self.hooks.hook, "close")

    def analyse_key(self, key: Key, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Read, check and analyse one key; return its outcome, whatever happens.

        Parameters
        ----------
        key : tuple
            The key; the plug gets it as it is.
        metadata : mapping
            What is known of the system.
        """
        walk = _Walk(self, key, metadata)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = walk.run()
        outcome["warnings"] = list(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))[:20]
        return outcome


class _Walk:
    """One key on its way through the stages."""

    def __init__(self, place: Workplace, key: Key, metadata: Mapping[str, Any]) -> None:
        self.place = place
        self.key = key
        self.metadata = metadata
        self.stage: str = Stage.READ.value
        self.seconds: dict[str, float] = {}
        self.columns: dict[str, Any] = {}
        self.findings: list[dict[str, Any]] = []
        self.verdicts: list[Verdict] = []
        self.system: System | None = None

    def run(self) -> dict[str, Any]:
        """Walk all stages; whatever is raised, also by a solver's panic, becomes a failure with its stage."""
        try:
            self._walk()
        except BaseException as error:  # noqa: BLE001 - a Rust panic or a plug's sys.exit is no Exception
            return {**_failure_of(error, self.stage), **self._picture(), **self._facts()}
        return {"status": DONE, **self._picture(), **self._facts()}

    def _walk(self) -> None:
        _seed(self.key)
        with self._turn():
            frame = self._timed(Stage.READ.value, lambda: self.place.hooks.hook.get_data(key=self.key))
        self._tell_size(frame)
        checked = self._timed(Stage.CHECK.value, lambda: self._check(frame))
        self.system = System(power=checked.power, values=self.columns, metadata=self.metadata)
        for analysis in self.place.analyses:
            self._analyse(analysis, self.system)

    def _turn(self) -> contextlib.AbstractContextManager[object]:
        limit = getattr(self.place.plug, "max_concurrent_reads", None)
        return contextlib.nullcontext() if limit is None else self.place.turn(max(1, int(limit)))

    def _check(self, frame: Any) -> CheckedFrame:
        units = getattr(self.place.plug, "units", None)
        try:
            checked = check_frame(frame, units=units, metadata=self.metadata, window=self.place.job.window)
        except SdtDaskError as error:
            self._note(getattr(error, "findings", ()))
            raise
        self._note(checked.findings)
        self.columns.update(checked.statistics)
        return checked

    def _note(self, findings: Iterable[Any]) -> None:
        for finding in findings:
            self.findings.append(
                {
                    "code": finding.code,
                    "message": finding.message,
                    "evidence": finding.evidence,
                    "repaired": finding.repaired,
                }
            )
            if not finding.repaired:
                self.verdicts.append(Verdict(Grade.CAUTION, finding.message))

    def _analyse(self, analysis: Analysis, system: System) -> None:
        reason = analysis.reason_to_skip(system)
        if reason is not None:
            self.verdicts.append(Verdict(Grade.WITHHELD, reason))
            return
        _seed(self.key)
        values = self._timed(analysis.name, lambda: analysis.run(system))
        self.columns.update({column.name: _stored(analysis, column, values) for column in analysis.provides})
        lost = [column.name for column in analysis.provides if _is_not_finite(values[column.name])]
        if lost:
            self.verdicts.append(Verdict(Grade.CAUTION, f"{analysis.name} gave no finite number for {', '.join(lost)}"))
        self.verdicts.extend(analysis.judge(system))

    def _picture(self) -> dict[str, Any]:
        """Return the picture of the system and the line of its days; nothing where frames are only checked."""
        if self.system is None or not self.place.analyses:
            return {}
        start = time.perf_counter()
        try:
            picture = take_picture(self.system)
            taken = {PICTURE: base64.b64encode(pack(picture)).decode(), "sparkline": sparkline(picture.energy)}
        except Exception as error:  # noqa: BLE001 - what came of the system counts, with or without its picture
            warnings.warn(f"no picture was taken: {type(error).__name__}: {error}", stacklevel=2)
            return {}
        self.seconds[PICTURE] = round(time.perf_counter() - start, 3)
        return taken

    def _tell_size(self, frame: Any) -> None:
        with contextlib.suppress(Exception):  # no frame, or one that raises; the check says so
            rows, columns = (*frame.shape, 1)[:2]
            self.place.tell({"size": [int(rows), int(columns)]})

    def _timed(self, stage: str, work: Callable[[], Any]) -> Any:
        self.stage = stage
        self.place.tell({"at": stage})
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[stage] = round(time.perf_counter() - start, 3)

    def _facts(self) -> dict[str, Any]:
        return {
            "grade": worst(verdict.grade for verdict in self.verdicts).value,
            "reasons": [f"{verdict.grade.value}: {verdict.reason}" for verdict in self.verdicts],
            "columns": self.columns,
            "findings": self.findings,
            "seconds": self.seconds,
            "seed": seed_of(self.key),
        }


def _stored(analysis: Analysis, column: Column, values: Mapping[str, Any]) -> Any:
    """Return a column's value as the ledger keeps it; one of another kind than its unit would spoil the whole table."""
    if column.name not in values:
        raise AnalysisError(f"analysis {analysis.name!r} gave no column {column.name!r}", code="bad_result")
    value = values[column.name]
    try:
        kept = plain(value)
    except ValueError:
        kept = ...  # an array
    kinds = _KINDS.get(column.unit, (int, float))
    if kept is not None and (not isinstance(kept, kinds) or isinstance(kept, bool) is not (column.unit == "bool")):
        raise AnalysisError(
            f"analysis {analysis.name!r} gave {type(value).__name__} {str(plain(repr(value)))[:100]} for the column "
            f"{column.name!r}, whose unit is {column.unit!r}",
            code="bad_result",
        )
    return kept


def _is_not_finite(value: Any) -> bool:
    try:
        return not isinstance(value, str) and not math.isfinite(value)
    except (TypeError, OverflowError):  # None, a time; a whole number beyond every float
        return False


def _seed(key: Key) -> None:
    import numpy as np

    random.seed(seed_of(key))
    # SDT draws from NumPy's global generator, so this is the one that has to be seeded.
    np.random.seed(seed_of(key))  # noqa: NPY002


def _failure_of(error: BaseException, stage: str) -> dict[str, Any]:
    cause = _cause_of(error)
    return failure(
        stage=stage,
        cause=cause,
        message=_message_of(error),
        error_type=f"{type(error).__module__}.{type(error).__qualname__}",
        evidence=getattr(error, "evidence", {}) if isinstance(error, SdtDaskError) else {},
        traceback=_traceback_of(error),
    )


def _cause_of(error: BaseException) -> str:
    if isinstance(error, SdtDaskError):
        # A frame's finding and an analysis' code say more than the class of their error.
        return str(getattr(error, "finding", None) or getattr(error, "code", None) or error.cause)
    return next((cause for kind, cause in _BUILTIN_CAUSES.items() if isinstance(error, kind)), "exception")


def _message_of(error: BaseException) -> str:
    text = plain(error) or "no message"
    return str(text) if isinstance(error, SdtDaskError) else f"{type(error).__name__}: {text}"


def _traceback_of(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001 - a stranger's exception that cannot be formatted
        return ""
    # Cut after that, so that no secret is cut in two; of a text of megabytes only the end is looked at.
    return redact(text[-4 * _LONGEST_TRACEBACK :])[-_LONGEST_TRACEBACK:]
