"""The tally: what was injected and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["HARMS", "Tally"]

#: What must never happen, and what each means.
HARMS: dict[str, str] = {
    "lost": "outcomes that were recorded, and are gone or changed; keys without a row",
    "duplicated": "keys with more than one row, or computed again after they were done",
    "wrong": "rows that are half there, or do not say what is true",
    "hung": "drivers that did not end, clusters that did not start",
    "left": "processes that were still there long after the run that they belonged to, and workers that died",
    "refused": "runs that could not be resumed, ledgers that did not open",
}

_MOST_SENTENCES = 100


@dataclass(slots=True)
class Tally:
    """What an experiment injected, and the harm that was found.

    Attributes
    ----------
    experiment : str
        Its name.
    seed : int
        What its random numbers start from.
    faults : collections.Counter
        Injected faults by kind.
    facts : dict
        Further numbers to show: keys, runs, times.
    harms : collections.Counter
        By the names of `HARMS`.
    sentences : list of str
        One for each harm, up to 100.
    """

    experiment: str
    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    facts: dict[str, Any] = field(default_factory=dict)
    harms: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    def harm(self, kind: str, sentence: str) -> None:
        """Count one harm, and keep the sentence that tells it."""
        self.harms[kind] += 1
        if len(self.sentences) < _MOST_SENTENCES:
            self.sentences.append(f"{kind}: {sentence}")

    def add(self, fact: str, number: float) -> None:
        """Add to one of the facts."""
        self.facts[fact] = self.facts.get(fact, 0) + number

    def most(self, fact: str, number: float) -> None:
        """Keep the greatest that was seen of a fact."""
        self.facts[fact] = max(self.facts.get(fact, number), number)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was harmed."""
        return not self.harms.total()

    @property
    def verdict(self) -> str:
        """What was harmed so far, in words."""
        found = [f"{self.harms[kind]} {kind}" for kind in HARMS if self.harms[kind]]
        return ", ".join(found) or "nothing harmed"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "experiment": self.experiment,
            "seed": self.seed,
            "faults": dict(self.faults),
            "facts": self.facts,
            "harms": {kind: self.harms[kind] for kind in HARMS},
            "sentences": self.sentences,
        }

    def as_text(self) -> str:
        """Return it as a table for a terminal."""
        rows = [("faults injected", ""), *((f"  {kind}", str(n)) for kind, n in sorted(self.faults.items()))]
        rows += [("  all", str(self.faults.total()))]
        rows += [(fact, f"{number:g}") for fact, number in self.facts.items()]
        rows += [(kind, str(self.harms[kind])) for kind in HARMS]
        width = max(len(name) for name, _ in rows) + 2
        lines = [f"{name:<{width}}{value:>8}".rstrip() for name, value in rows]
        return "\n".join([f"chaos: {self.experiment}, seed {self.seed}", *lines, *self.sentences])
