"""What a run tells of itself while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Progress", "RunInfo"]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What addons are told of a run.

    Attributes
    ----------
    run_id : str
        Its id in the ledger.
    output : str
        The output folder.
    n_keys : int
        Number of keys, skipped ones included.
    """

    run_id: str
    output: str
    n_keys: int


@dataclass(slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    total, skipped, failed : int
        Numbers of keys.
    grades : dict
        Number of finished systems by grade.
    in_work : dict
        Keys handed out, by canonical text, the oldest first; those beyond the number of threads wait.
    n_threads : int
        Worker threads that the cluster has.
    dashboard : str
        Address of Dask's dashboard, or nothing.
    """

    total: int
    skipped: int = 0
    failed: int = 0
    grades: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("ok", "caution", "withheld"), 0))
    in_work: dict[str, int] = field(default_factory=dict)
    n_threads: int = 0
    dashboard: str = ""

    @property
    def finished(self) -> int:
        """Keys that were worked on and have their outcome."""
        return self.failed + sum(self.grades.values())

    @property
    def todo(self) -> int:
        """Keys that have none yet."""
        return self.total - self.skipped - self.finished
