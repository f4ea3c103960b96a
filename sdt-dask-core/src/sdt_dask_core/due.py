"""What decides whether a key is due: its data, and the parts of its digest, each of which can say that it changed.

A digest is text such as ``plug:81bf… options:0c2d… versions:…``. It stands in the ledger with every outcome, so that
the next run can tell in words what is no longer the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["DUE", "VANISHED", "by_word", "digest_text", "part_digest", "same_work", "what_changed"]

#: The reason of a key that the source had before and has no longer.
VANISHED = "vanished"

#: The words with which every reason starts, and what each means.
DUE: dict[str, str] = {
    "new": "it was never analysed here",
    "changed": "its data, or what decides its numbers, is no longer as at its last success",
    "failed before": "its last outcome is a failure",
    "no fingerprint": "the source cannot tell whether its data changed",
    "forced": "nothing changed, and --force was given",
    "unchanged": "skipped: nothing changed since its last success",
    "vetoed": "skipped: an addon said so",
    VANISHED: "skipped: the source no longer has it; the row is its last",
}

_LENGTH = 12


def part_digest(content: Any) -> str:
    """Return the digest of one part [hex]."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:_LENGTH]


def digest_text(parts: Mapping[str, str]) -> str:
    """Return parts, by name, as the ledger keeps them."""
    return " ".join(f"{name}:{digest}" for name, digest in parts.items())


def what_changed(before: str, now: str) -> list[str]:
    """Return the names of the parts in which two digests differ; in one that has no parts it was another release."""
    if before == now:
        return []
    old, new = _parts(before), _parts(now)
    if not old or not new:
        return ["versions"]
    return [name for name in {**new, **old} if old.get(name) != new.get(name)]


def same_work(before: str, now: Mapping[str, str]) -> bool:
    """Tell whether an outcome with this digest had the same analyses of the same window, so that its time tells."""
    old = _parts(before)
    return "analyses" in old and all(old.get(name) == now.get(name) for name in ("analyses", "window"))


def by_word(reasons: Mapping[str, int]) -> dict[str, int]:
    """Return numbers of keys by the word of `DUE` that each reason starts with, in the order of `DUE`."""
    words = dict.fromkeys(DUE, 0)
    for reason, number in reasons.items():
        word = reason.partition(":")[0]
        words[word] = words.get(word, 0) + number
    return {word: number for word, number in words.items() if number}


def _parts(text: str) -> dict[str, str]:
    return dict(part.split(":", 1) for part in text.split(" ") if ":" in part)
