"""References: what travels in place of an instance.

A reference says how to build a provider in another process: the entry point with its distribution and version, or, for
a class of the user's own, its code; and the options, secrets as references. Instances never travel.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import inspect
import json
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sdt_dask_core.adapt import adapted
from sdt_dask_core.contract import validate_class
from sdt_dask_core.errors import BrokenProviderError, OptionError
from sdt_dask_core.options import OptionSet, options_of
from sdt_dask_core.registry import Provider, find_provider, load_class
from sdt_dask_core.secret import Secret

__all__ = ["Reference", "options_of_instance", "refer_to"]

_STATE = "its state"


@dataclass(frozen=True, slots=True)
class Reference:
    """How to build one provider, as plain text and numbers.

    Attributes
    ----------
    kind, name : str
        "plug" and "csv"; for a class of the user's own, its name.
    distribution, version : str
        Where it comes from; for a class of the user's own "(yours)" and a digest of its source.
    value : str
        ``module:Class``.
    options : dict
        Options by name, JSON-ready, secrets as references.
    code : str
        For a class that no installed distribution holds: the class and its arguments, by value; else empty.
    """

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    options: dict[str, Any]
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the reference as JSON holds it."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Digest of all that decides what the provider returns for a key [hex]."""
        parts = [self.kind, self.name, self.distribution, self.version, self.options]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def build(self) -> Any:
        """Build the provider, adapted where its class is a plain one.

        Raises
        ------
        BrokenProviderError
            It cannot be imported here, or its ``__init__`` raised.
        """
        cls, arguments = self._class_and_arguments()
        try:
            return adapted(self.kind, cls(**arguments))
        except OptionError:
            raise
        except Exception as error:
            raise BrokenProviderError(
                f"{self.kind} {self.name!r} of {self.distribution} {self.version} raised in __init__: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _class_and_arguments(self) -> tuple[type, dict[str, Any]]:
        if self.code:
            return _from_code(self.code)
        provider = Provider(self.kind, self.name, self.value, self.distribution, self.version)
        cls = load_class(provider)
        return cls, options_of(cls, kind=self.kind, name=self.name).build_arguments(self.options)


def refer_to(kind: str, what: Any, *layers: Mapping[str, Any]) -> Reference:
    """Make the reference to a provider.

    Parameters
    ----------
    kind : str
        "plug", "client", "analysis" or "addon".
    what : str, type or object
        The name of an installed provider, a class, or an instance (which becomes its class and options).
    *layers : mapping
        Options by name, the most specific layer first.

    Raises
    ------
    ConfigurationError
        There is no such provider, it breaks the contract, an option is wrong, or the instance cannot be told as class
        and options.
    """
    if isinstance(what, str):
        provider = find_provider(kind, what)
        cls = load_class(provider)
        options = options_of(cls, kind=kind, name=what).resolve(*layers)
        return Reference(kind, what, provider.distribution, provider.version, provider.value, options)
    if isinstance(what, type):
        return _refer_to_class(kind, what, layers)
    return _refer_to_class(kind, type(what), (*layers, options_of_instance(kind, what)))


def _refer_to_class(kind: str, cls: type, layers: tuple[Mapping[str, Any], ...]) -> Reference:
    name = cls.__name__
    validate_class(kind, cls, blame=f"{kind} class {name}")
    option_set = options_of(cls, kind=kind, name=name)
    options = option_set.resolve(*layers)
    value = f"{cls.__module__}:{cls.__qualname__}"
    code = "" if _is_installed(cls) else _to_code(kind, cls, option_set, options)
    return Reference(kind, name, "(yours)", _source_digest(cls), value, options, code)


def _is_installed(cls: type) -> bool:
    """Tell whether a class can be imported by name in any process of this environment."""
    if "<locals>" in cls.__qualname__:
        return False
    try:
        spec = importlib.util.find_spec(cls.__module__)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None or spec.origin is None:
        return False
    homes = {sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib")}
    return any(Path(spec.origin).is_relative_to(home) for home in homes)


def _to_code(kind: str, cls: type, option_set: OptionSet, options: Mapping[str, Any]) -> str:
    import cloudpickle

    # Types are read here, where the class's module is: its annotations do not travel.
    arguments = option_set.build_arguments(options, reveal=False)
    module = sys.modules.get(cls.__module__)
    registered = isinstance(module, ModuleType) and cls.__module__ not in ("__main__", "builtins")
    try:
        if registered:
            cloudpickle.register_pickle_by_value(module)
        payload = cloudpickle.dumps((cls, arguments, sorted(o.name for o in option_set if o.is_secret)))
    except Exception as error:
        raise BrokenProviderError(
            f"{kind} class {cls.__name__} cannot travel to the processes that compute: {error}; put it into a module "
            "that opens nothing when imported, or make it an installed distribution"
        ) from error
    finally:
        if registered:
            cloudpickle.unregister_pickle_by_value(module)
    return base64.b64encode(payload).decode("ascii")


def _from_code(code: str) -> tuple[type, dict[str, Any]]:
    import cloudpickle

    # It comes from the driver, the one direction in which code travels; nothing is unpickled on the driver.
    cls, arguments, secrets = cloudpickle.loads(base64.b64decode(code))
    for name in secrets:
        if isinstance(arguments.get(name), str):
            arguments[name] = Secret(arguments[name]).reveal()
    return cls, arguments


def _source_digest(cls: type) -> str:
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        source = cls.__qualname__  # typed into a plain interpreter: no source to be had
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def options_of_instance(kind: str, instance: Any) -> dict[str, Any]:
    """Turn an instance into the options it was built with.

    Every ``__init__`` parameter must be kept as an attribute of the same name (or with a leading underscore), and an
    instance built anew from those options must equal it, attribute by attribute.

    Raises
    ------
    OptionError
        The instance holds more, or other things, than its options; the message says which.
    """
    cls = type(instance)
    refused = f"the {kind} instance of {cls.__name__} cannot be turned into class and options: "
    advice = f"; pass the class and {kind}_options instead"
    options = {}
    for option in options_of(cls, kind=kind, name=cls.__name__):
        for attribute in (option.name, f"_{option.name}"):
            if attribute in vars(instance):
                options[option.name] = vars(instance)[attribute]
                break
        else:
            raise OptionError(f"{refused}its parameter {option.name!r} is kept under no attribute of that name{advice}")
    changed = _differences(instance, cls(**options))
    if changed:
        raise OptionError(f"{refused}{_STATE} differs from one freshly built: {', '.join(changed)}{advice}")
    return options


def _differences(instance: Any, fresh: Any) -> list[str]:
    ours, theirs = vars(instance), vars(fresh)
    return [f"{name!r}" for name in sorted({*ours, *theirs}) if not _same(ours.get(name), theirs.get(name))]


def _same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001 - arrays and frames do not compare to one truth: state, not an option
        return False
