"""A user's folder: ``dataplug.py``, and optionally ``client.py`` and ``requirements.txt``.

The folder's code is run, so it must be one that the user trusts; it is looked at only when the user names it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from sdt_dask_core.environment import check_requirements_file
from sdt_dask_core.errors import BrokenProviderError, ConfigurationError

__all__ = ["UserFolder", "is_user_folder", "read_user_folder"]

_PLUG_FILE = "dataplug.py"
_CLIENT_FILE = "client.py"
_REQUIREMENTS_FILE = "requirements.txt"


@dataclass(frozen=True, slots=True)
class UserFolder:
    """What a user's folder holds.

    Attributes
    ----------
    path : pathlib.Path
        The folder, absolute.
    plug : type
        The one plug class of ``dataplug.py``.
    client : type or None
        The one client class of ``client.py``, None without that file.
    requires : tuple of str
        The requirements in ``requirements.txt``, met here; none without that file.
    """

    path: Path
    plug: type
    client: type | None
    requires: tuple[str, ...] = ()


def is_user_folder(what: object) -> bool:
    """Tell whether this is the path of a folder that holds a ``dataplug.py``."""
    return isinstance(what, (str, Path)) and (Path(what) / _PLUG_FILE).is_file()


def read_user_folder(path: Path | str) -> UserFolder:
    """Check a user's requirements, then load its classes.

    Raises
    ------
    RequirementError
        A requirement is not met; nothing was loaded.
    BrokenProviderError
        A file cannot be imported, or holds no class of its kind, or several.
    """
    folder = Path(path).absolute()
    if not (folder / _PLUG_FILE).is_file():
        raise ConfigurationError(f"the folder {folder} has no {_PLUG_FILE}; put the class of your data plug into it")
    requirements = folder / _REQUIREMENTS_FILE
    requires = check_requirements_file(requirements) if requirements.is_file() else ()
    client = folder / _CLIENT_FILE
    return UserFolder(
        path=folder,
        plug=_one_class(folder / _PLUG_FILE, "plug", ("get_data",)),
        client=_one_class(client, "client", ("make_client", "init_client")) if client.is_file() else None,
        requires=requires,
    )


def _one_class(file: Path, kind: str, methods: tuple[str, ...]) -> type:
    module = _load(file)
    classes = dict.fromkeys(thing for thing in vars(module).values() if isinstance(thing, type))
    found = [
        cls
        for cls in classes
        if cls.__module__ == module.__name__ and any(callable(getattr(cls, method, None)) for method in methods)
    ]
    # A base class of the user's own, with a subclass beside it, is not the one that is meant.
    leaves = [cls for cls in found if not any(other is not cls and issubclass(other, cls) for other in found)]
    if len(leaves) == 1:
        return leaves[0]
    names = ", ".join(cls.__name__ for cls in leaves) or "none"
    raise BrokenProviderError(
        f"{file} must hold one {kind} class, one with a method {' or '.join(methods)}; found: {names}"
    )


def _load(file: Path) -> ModuleType:
    name = f"sdt_dask_user_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BrokenProviderError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(file.parent) not in sys.path:
        # Modules beside it, looked at after all that is installed.
        sys.path.append(str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's file raises
        raise BrokenProviderError(f"{file} cannot be imported: {type(error).__name__}: {error}") from error
    return module
