"""What is expected of a key before it runs: the time that it takes, from what was measured here before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sdt_dask_core.due import same_work
from sdt_dask_core.ledger import LastOutcome, LedgerReader

__all__ = ["BY_LAST_TIME", "BY_MEAN", "BY_SIZE", "UNKNOWN", "Measured", "measured_in"]

#: What an expectation rests on.
BY_LAST_TIME, BY_SIZE, BY_MEAN, UNKNOWN = "last time", "size", "mean", "unknown"

_SAMPLE = 1000  # outcomes; so a plan takes no longer where a million are


@dataclass(frozen=True, slots=True)
class Measured:
    """What the newest outcomes with the same analyses took.

    Attributes
    ----------
    n : int
        Number of systems that were measured.
    seconds : float
        Their mean computing time on one core [s].
    seconds_per_byte : float or None
        Mean time by the size of their data, where the plug tells sizes [s].
    peak_mb : float or None
        Most memory that the computing process of one of them held [MiB].
    """

    n: int = 0
    seconds: float = 0.0
    seconds_per_byte: float | None = None
    peak_mb: float | None = None

    @classmethod
    def of(cls, outcomes: Iterable[LastOutcome]) -> Measured:
        """Return what these outcomes took; those without a time tell nothing."""
        timed = [(outcome.seconds, outcome.size, outcome.peak_mb) for outcome in outcomes if outcome.seconds]
        if not timed:
            return cls()
        sized = [(seconds, size) for seconds, size, _ in timed if size]
        bytes_in_all = sum(size for _, size in sized)
        return cls(
            n=len(timed),
            seconds=sum(seconds for seconds, _, _ in timed) / len(timed),
            seconds_per_byte=sum(seconds for seconds, _ in sized) / bytes_in_all if bytes_in_all else None,
            peak_mb=max((peak for _, _, peak in timed if peak), default=None),
        )

    def expect(self, last: LastOutcome | None, size: int | None) -> tuple[float, str]:
        """Return the time that a key is expected to take [s], and what that rests on.

        Where no time is known of any key, its size stands in, which orders keys as well.

        Parameters
        ----------
        last : LastOutcome or None
            What the same work came to at this key's last success.
        size : int or None
            How large its data are [bytes].
        """
        if not self.n:
            return float(size or 0), UNKNOWN
        if last is not None and last.seconds:
            return last.seconds, BY_LAST_TIME
        if size is not None and self.seconds_per_byte is not None:
            return size * self.seconds_per_byte, BY_SIZE
        return self.seconds, BY_MEAN


def measured_in(ledger: LedgerReader | None, parts: Mapping[str, str]) -> Measured:
    """Return what the newest outcomes of a ledger took of the work that these parts of a digest stand for."""
    outcomes = ledger.newest_outcomes(_SAMPLE) if ledger else ()
    return Measured.of(outcome for outcome in outcomes if same_work(outcome.digest, parts))
