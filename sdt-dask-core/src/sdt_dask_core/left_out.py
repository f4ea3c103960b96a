"""Accelerations that a worker left out, said once in a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

__all__ = ["LeftOut"]

logger = logging.getLogger(__name__)


class LeftOut:
    """Looks at each outcome of a run for accelerations that were left out where it was computed."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def look(self, outcome: Mapping[str, Any]) -> None:
        """Warn of what was not said before in this run."""
        for sentence in outcome.get("accelerations_left_out", ()):
            if sentence not in self._said:
                self._said.add(sentence)
                logger.warning("%s; results are the same, and come more slowly", sentence)
