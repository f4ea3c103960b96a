"""The contract held against a class: hooks known, arguments known and without defaults, the right major version.

pluggy checks hook names only for decorated methods and silently never passes an argument that has a default, so both
are checked here, when a class is loaded and before anything runs.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from sdt_dask_core import hookspecs
from sdt_dask_core.errors import BrokenProviderError
from sdt_dask_core.hookspecs import API, PROJECT
from sdt_dask_core.options import did_you_mean

__all__ = ["HOOKS", "HookManager", "hooks_of", "is_plain", "near_hooks", "validate_class"]

_SPEC_MARK = f"{PROJECT}_spec"
_IMPL_MARK = f"{PROJECT}_impl"
_NEAR = 0.85  # of difflib: a letter or an underscore too many, not another word

#: Every hook with the names of its arguments.
HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if inspect.isfunction(spec) and hasattr(spec, _SPEC_MARK)
}

# What each kind cannot do without; the second name is the one that Solar Data Tools' own classes use.
_REQUIRED = {
    "plug": ("get_data",),
    "client": ("make_client", "init_client"),
    "analysis": ("run",),
    "publisher": ("publish_rows",),
}


class HookManager(pluggy.PluginManager):
    """A plugin manager in which a method named after a hook implements it, decorated or not."""

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Return pluggy's options of a method; looks at nothing but methods, so that no property is run."""
        if name not in HOOKS or not inspect.isroutine(inspect.getattr_static(plugin, name)):
            return None
        marked = super().parse_hookimpl_opts(plugin, name)
        return {} if marked is None else marked


def is_plain(cls: type) -> bool:
    """Tell whether a class knows nothing of SDT Dask: no base class of ours and no decorated method."""
    return not any(base.__module__.startswith("sdt_dask_core") for base in cls.__mro__) and not any(
        hasattr(member, _IMPL_MARK) for _, member in _methods(cls)
    )


def near_hooks(cls: type) -> dict[str, str]:
    """Return the public methods that are nearly named like a hook which the class does not implement, each with it."""
    missing = sorted(set(HOOKS) - set(hooks_of(cls)))
    public = [name for name, _ in _methods(cls) if not name.startswith("_") and name not in HOOKS]
    near = {name: difflib.get_close_matches(name, missing, n=1, cutoff=_NEAR) for name in public}
    return {name: found[0] for name, found in near.items() if found}


def hooks_of(cls: type) -> list[str]:
    """Return the names of the hooks that a class itself implements, in the order of the hookspecs."""
    base = "sdt_dask_core.plug"
    own = {name for name, member in _methods(cls) if getattr(member, "__module__", "") != base}
    if "init_client" in own:
        own.add("make_client")
    return [name for name in HOOKS if name in own]


def validate_class(kind: str, cls: Any, *, blame: str, entry_point: str = "") -> type:
    """Return the class when it keeps the contract of its kind.

    Parameters
    ----------
    kind : str
        "plug", "client", "analysis", "publisher" or "addon".
    cls : object
        What the entry point or the caller named.
    blame : str
        How the message names it: ``plug 'csv' of sdt-dask-plug-csv 0.1.0``.
    entry_point : str
        Name of the entry point that it was loaded through, empty for a class that comes without one.

    Raises
    ------
    BrokenProviderError
        What breaks the contract, every point of it, and how to mend each.
    """
    if not isinstance(cls, type):
        raise BrokenProviderError(f"{blame} is a {type(cls).__name__}, not a class; an entry point names a class")
    problems = [*_name_problems(cls, entry_point), *_problems(kind, cls)]
    if problems:
        raise BrokenProviderError(f"{blame} breaks the contract: " + "; ".join(problems))
    return cls


def _name_problems(cls: type, entry_point: str) -> Iterator[str]:
    own = vars(cls).get("name")
    if not entry_point or not isinstance(own, str) or own == entry_point:
        return
    if "name" not in inspect.signature(cls.__init__).parameters:  # type: ignore[misc]  # else an option's default
        yield f"it calls itself {own!r} but its entry point is {entry_point!r}; give both one name"


def _problems(kind: str, cls: type) -> Iterator[str]:
    plain = is_plain(cls)
    api = API if plain else getattr(cls, "api", API)
    if not isinstance(api, (tuple, list)) or not api:
        yield f"its api is {api!r}; write a major and a minor version, such as {API}"
    elif api[0] != API[0]:
        yield f"it was written for API {api[0]}, this core has API {API[0]}.{API[1]}; install a release made for it"
    required = _REQUIRED.get(kind, ())
    if required and not any(callable(getattr(cls, name, None)) for name in required):
        yield f"it has no method {required[0]!r}, which a {kind} needs"
    abstract = sorted(getattr(cls, "__abstractmethods__", ()))
    if abstract:
        yield f"its abstract methods {', '.join(abstract)} are not written"
    # Plain plugs and clients are adapted, their arguments passed by position.
    adapted = plain and kind in ("plug", "client")
    for name, method in _methods(cls):
        yield from _method_problems(name, method, adapted=adapted)


def _methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        if inspect.isfunction(member):
            yield name, member


def _method_problems(name: str, method: Callable[..., Any], *, adapted: bool) -> Iterator[str]:
    if name not in HOOKS:
        if hasattr(method, _IMPL_MARK):
            yield f"{name!r} is decorated with hookimpl but no hook has that name{did_you_mean(name, HOOKS)}"
        return
    if adapted:
        return
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.name not in HOOKS[name]:
            known = ", ".join(HOOKS[name]) or "none"
            yield f"{name!r} takes an argument {parameter.name!r} that the hook does not pass; it passes: {known}"
        elif parameter.default is not inspect.Parameter.empty:
            yield f"{name!r} gives its argument {parameter.name!r} a default, so pluggy would never pass it; drop it"
