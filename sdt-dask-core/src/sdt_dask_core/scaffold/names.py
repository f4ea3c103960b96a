"""The names of a new distribution, all made from the one that its author gives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sdt_dask_core.errors import ConfigurationError

__all__ = ["Kind", "Names", "names_of"]

Kind = Literal["plug", "client"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX = re.compile(r"sdt[-_.]dask[-_.](plug|client)[-_.]", re.IGNORECASE)
# The names of the files, and the lines that hold them, stay within what file systems and reviewers take.
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class Names:
    """What a new plug or client and its parts are called.

    Attributes
    ----------
    kind : {"plug", "client"}
        What it is.
    name : str
        By which a run picks it: ``my-store``.
    """

    kind: Kind
    name: str

    @property
    def distribution(self) -> str:
        """What is installed: ``sdt-dask-plug-my-store``."""
        return f"sdt-dask-{self.kind}-{self.name}"

    @property
    def module(self) -> str:
        """What is imported: ``sdt_dask_plug_my_store``."""
        return self.distribution.replace("-", "_")

    @property
    def class_name(self) -> str:
        """What the entry point names: ``MyStorePlug``."""
        return "".join(part.capitalize() for part in (*self.name.split("-"), self.kind))


def names_of(kind: Kind, text: str) -> Names:
    """Make the names from what the author gave, with or without ``sdt-dask-plug-`` before it.

    Raises
    ------
    ConfigurationError
        It cannot be a name, is that of the other kind, or another installed distribution offers it.
    """
    prefix = _PREFIX.match(text)
    if prefix and prefix[1].lower() != kind:
        raise ConfigurationError(f"{text!r} names a {prefix[1].lower()}; sdt-dask new {prefix[1].lower()} makes one")
    name = text[prefix.end() :] if prefix else text
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"a {kind} cannot be called {name!r}: a name is of lower-case letters and digits in parts joined by one "
            f"hyphen, and starts with a letter{_instead(name)}"
        )
    if len(name) > _LONGEST:
        raise ConfigurationError(f"the name {name!r} has {len(name)} characters; at most {_LONGEST} make a name")
    names = Names(kind, name)
    _refuse_taken(names)
    return names


def _instead(name: str) -> str:
    """Propose the nearest name that is one."""
    proposal = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-0123456789").rstrip("-")
    return f"; did you mean {proposal!r}?" if proposal else ""


def _refuse_taken(names: Names) -> None:
    from packaging.utils import canonicalize_name

    from sdt_dask_core.registry import installed_providers

    for provider in installed_providers(names.kind):
        # Its own distribution, from an earlier try, is replaced when the new one is installed.
        if provider.name == names.name and canonicalize_name(provider.distribution) != names.distribution:
            raise ConfigurationError(
                f"{provider.distribution} {provider.version} is installed and offers a {names.kind} {names.name!r}; "
                "two of one name cannot be told apart: choose another name"
            )
