"""What an image is for: plugs by the names of `sdt-dask plugs`, requirements, a user's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import importlib_metadata
from packaging.requirements import Requirement

from sdt_dask_core.errors import ConfigurationError, RequirementError, UnknownProviderError
from sdt_dask_core.folder import UserFolder, read_user_folder
from sdt_dask_core.registry import Provider, find_provider, installed_providers, load_class

__all__ = ["Chosen", "choose", "refuse_secrets"]

_KINDS = ("plug", "analysis")  # what runs on workers
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_FILES = (".whl", ".zip", ".tar.gz")


@dataclass(slots=True)
class Chosen:
    """What was chosen.

    Attributes
    ----------
    requirements : list of str
        As `read_question` takes them.
    files : list of pathlib.Path
        Requirements files.
    plugs : list of str
        What the image is for, as people call it.
    folder : UserFolder or None
        The user's own.
    """

    requirements: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    plugs: list[str] = field(default_factory=list)
    folder: UserFolder | None = None


def choose(plugs: Sequence[str], *, folder: Path | None, requirements: Sequence[str]) -> Chosen:
    """Find what was chosen, each installed plug at its version here and with what it requires of workers.

    Parameters
    ----------
    plugs : sequence of str
        Names of installed plugs, analyses or distributions; or requirements that are more than a name.
    folder : pathlib.Path or None
        With a ``dataplug.py``; its code is run.
    requirements : sequence of str
        More of them, names too.

    Raises
    ------
    ConfigurationError
        Nothing was chosen, or one of it is not there or does not work here.
    """
    if not plugs and not requirements and folder is None:
        raise ConfigurationError("nothing is chosen for the image; name a PLUG, a --folder or a --requirement")
    chosen = Chosen(requirements=list(requirements))
    for plug in dict.fromkeys(plugs):
        _take(chosen, plug)
    if folder is not None:
        _take_folder(chosen, folder)
    return chosen


def _take(chosen: Chosen, plug: str) -> None:
    if not _NAME.fullmatch(plug) or plug.endswith(_FILES):
        chosen.requirements.append(plug)
    elif plug in {provider.name for provider in installed_providers(*_KINDS)}:
        for kind in _KINDS:
            if plug in {provider.name for provider in installed_providers(kind)}:
                _take_provider(chosen, find_provider(kind, plug))
    else:
        _take_distribution(chosen, plug)


def _take_provider(chosen: Chosen, provider: Provider) -> None:
    chosen.requirements.append(f"{provider.distribution}=={provider.version}")
    chosen.requirements += _worker_requires(load_class(provider), f"{provider.kind} {provider.name!r}")
    chosen.plugs.append(provider.name)


def _take_distribution(chosen: Chosen, name: str) -> None:
    try:
        found = importlib_metadata.distribution(name)
    except importlib_metadata.PackageNotFoundError:
        try:
            find_provider("plug", name)
        except UnknownProviderError as error:
            # On an index, a name of a plug such as "s3" may be that of a stranger's distribution.
            more = f"; for a distribution that is not installed here: --requirement {name}"
            raise UnknownProviderError(error.message + more) from error
        return
    chosen.requirements.append(f"{found.name}=={found.version}")
    for provider in installed_providers(*_KINDS):
        if provider.distribution == found.name:
            _take_provider(chosen, find_provider(provider.kind, provider.name))


def _take_folder(chosen: Chosen, path: Path) -> None:
    chosen.folder = read_user_folder(path)
    file = chosen.folder.path / "requirements.txt"
    chosen.files += [file] if file.is_file() else []
    chosen.requirements += _worker_requires(chosen.folder.plug, str(chosen.folder.path / "dataplug.py"))
    chosen.plugs.append(chosen.folder.plug.__name__)


def _worker_requires(cls: type, blame: str) -> Iterator[str]:
    wanted: Any = getattr(cls, "worker_requires", ())
    if isinstance(wanted, property) or not wanted:
        return
    if isinstance(wanted, str) or not all(isinstance(text, str) for text in wanted):
        raise ConfigurationError(
            f"worker_requires of {blame} is {wanted!r}; it must be a sequence of requirements, "
            "such as ('fastparquet>=2024',)"
        )
    yield from wanted


def refuse_secrets(requirements: Sequence[Requirement]) -> None:
    """Refuse addresses that hold more than the place of a file.

    Raises
    ------
    RequirementError
        One may hold a password or a token, which everybody who has the image could read.
    """
    for requirement in requirements:
        parts = urlsplit(requirement.url or "")
        if parts.username or parts.password or parts.query:
            raise RequirementError(
                f"the address of {requirement.name} holds a user name, a password or a query, which would stand in the "
                "image for all to read; download the wheel and name its file instead"
            )
