"""Canaries: values of secrets, looked for wherever a provider lets itself be read."""

from __future__ import annotations

import base64
import json
import pickle
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sdt_dask_core import task
from sdt_dask_core.job import Job
from sdt_dask_core.reference import Reference
from sdt_dask_core.secret import Secret

__all__ = ["Canary", "travelling"]

_SHORTEST = 6
_AROUND = 80


class Canary:
    """The value behind the secret options of a provider, one for each.

    Parameters
    ----------
    references : mapping
        The references that the author gave, by option; an option without one gets a value of our own.
    names : iterable of str
        The secret options.
    """

    def __init__(self, names: Iterable[str], references: Mapping[str, Any]) -> None:
        self.options: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self._values: dict[str, str] = {}
        for name in names:
            given = references.get(name)
            variable = f"SDT_DASK_CANARY_{name.upper()}"
            if given is None:
                self.environment[variable] = f"canary{secrets.token_hex(8)}"
            self.options[name] = f"env:{variable}" if given is None else str(given)
            self._values[name] = self.environment.get(variable) or Secret(self.options[name]).reveal()

    @property
    def too_short(self) -> list[str]:
        """The options whose value is too short to be told from other text."""
        return [name for name, value in self._values.items() if len(value) < _SHORTEST]

    def shown_in(self, said: Iterable[tuple[str, str]]) -> list[str]:
        """Return one line for each secret in each place where it shows, without its value."""
        found = ((name, where, text) for where, text in said for name in self._values)
        return list(dict.fromkeys(line for each in found if (line := self._line(*each))))

    def _line(self, name: str, where: str, text: str) -> str:
        value = self._values[name]
        in_base64 = ((part, ", in base64") for part in _in_base64(value))
        for spelling, how in ((value, ""), (value.encode().hex(), ", in hex"), *in_base64):
            place = text.find(spelling)
            if place >= 0:
                around = text[max(0, place - _AROUND) : place + len(spelling) + _AROUND]
                return f"{name!r} in {where}{how}: …{' '.join(self._masked(around, spelling).split())}…"
        return ""

    def _masked(self, text: str, spelling: str) -> str:
        for hidden in (spelling, *self._values.values()):
            text = text.replace(hidden, "***")
        return text


def _in_base64(value: str) -> list[str]:
    """Return what of a value shows in base64 whatever stands before it."""
    found = []
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + value.encode()).decode().rstrip("=")
        found.append(text[4 if offset else 0 : -2])
    return found


def travelling(reference: Reference) -> list[tuple[str, str]]:
    """Return all that leaves the driver for a plug or a client: the reference, the job and the task."""
    job = Job(plug=reference, analyses=()).as_text()
    graph: dict[str, Any] = {"task": (task.run_key, job, '["key"]', {}, {}, "stint")}
    code = base64.b64decode(reference.code).decode("latin-1")
    return [
        ("the Reference as JSON", json.dumps(reference.as_dict())),
        ("the pickled Reference", pickle.dumps(reference).decode("latin-1")),
        ("the class that travels", code),
        ("the Job", job),
        ("the Dask graph", pickle.dumps(graph).decode("latin-1")),
    ]
