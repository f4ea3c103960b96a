"""What the process in which a client is tried is asked, and what it reports; see `sdt_dask_testing.client_driver`."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["AT_WORK", "COSTED_KEYS", "INTERRUPTS", "REPORT", "STARTING", "Report", "Request", "Way"]

#: Numbers of keys whose cost is asked for.
COSTED_KEYS = (1, 10, 100_000)

#: Events, by name.
STARTING, AT_WORK, REPORT = "starting", "at work", "report"

_LONGEST_ERROR = 4_000  # characters


class Way:
    """What a driver is asked to do: to look at the cluster, or to bring a run to an end in one way or another."""

    LOOK = "look"
    SUCCESS = "success"
    ERROR = "an error"
    CTRL_C = "Ctrl-C"
    SIGTERM = "SIGTERM"
    START = "Ctrl-C while the cluster starts"
    BROKEN = "options that cannot work"


#: The ways in which it is interrupted.
INTERRUPTS = (Way.CTRL_C, Way.SIGTERM, Way.START)


@dataclass(frozen=True, slots=True)
class Request:
    """What a driver is asked.

    Attributes
    ----------
    way : str
        One of `Way`.
    client : dict
        The reference to the client.
    folder : str
        Where the driver writes.
    patience : float
        How long anything may take [s].
    grace : float
        How long what was closed may take to be gone [s].
    time_to_end : float
        How long it may take to end once it was interrupted [s].
    joins : bool
        Whether the client joins a cluster that goes on.
    sys_path : sequence of str
        Where the tests find their modules.
    """

    way: str
    client: dict[str, Any]
    folder: str
    patience: float
    grace: float
    time_to_end: float
    joins: bool
    sys_path: Sequence[str]

    @property
    def events(self) -> Path:
        """The file of the events, one JSON text a line."""
        return Path(self.folder) / "events"


@dataclass(slots=True)
class Report:
    """What a driver saw.

    Attributes
    ----------
    values : dict
        What each step gave.
    errors : dict
        The traceback of each step that raised.
    kinds : dict
        The names of the class of that error and of its bases.
    left : dict
        What was left in the process, by kind.
    """

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, list[str]] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)

    def note(self, step: str, work: Callable[[], Any]) -> None:
        """Do a step; keep what it gives, which JSON must hold, or what it raises."""
        try:
            self.values[step] = work()
        except BaseException as error:  # noqa: BLE001 - an interrupt is one of the things looked for
            self.errors[step] = _shortened("".join(traceback.format_exception(error)).strip())
            self.kinds[step] = [base.__name__ for base in type(error).__mro__]


def _shortened(text: str) -> str:
    """Return the first cause and the last words of a long traceback."""
    return text if len(text) <= _LONGEST_ERROR else f"{text[: _LONGEST_ERROR // 2]}\n…\n{text[-_LONGEST_ERROR // 2 :]}"
