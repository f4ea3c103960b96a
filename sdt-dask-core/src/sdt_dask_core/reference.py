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
from sdt_dask_core.plug import GIVEN
from sdt_dask_core.registry import YOURS, Provider, find_provider, load_class

__all__ = ["Reference", "options_of_instance", "refer_to"]

# The classes that this process sent, by their code. They are never unpickled here: cloudpickle would take each for the
# one it knows and put copies of its methods into it, cut off from the globals of its module.
_sent: dict[str, tuple[type, OptionSet]] = {}


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
        For a class that no installed distribution holds: the class and its `OptionSet`, by value; else empty.
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
    def module(self) -> str:
        """Its top-level module."""
        return self.value.partition(":")[0].strip().partition(".")[0]

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
        except (Exception, SystemExit) as error:  # whatever a stranger's __init__ raises
            raise BrokenProviderError(
                f"{self.kind} {self.name!r} of {self.distribution} {self.version} raised in __init__: "
                f"{type(error).__name__}: {error}"
            ) from error

    def load_class(self) -> type:
        """Return the provider's class.

        Raises
        ------
        BrokenProviderError
            It cannot be imported here.
        """
        return self._class_and_options()[0]

    def _class_and_arguments(self) -> tuple[type, dict[str, Any]]:
        cls, option_set = self._class_and_options()
        return cls, option_set.build_arguments(self.options)

    def _class_and_options(self) -> tuple[type, OptionSet]:
        if self.code:
            return self._from_code()
        cls = load_class(Provider(self.kind, self.name, self.value, self.distribution, self.version))
        return cls, options_of(cls, kind=self.kind, name=self.name)

    def _from_code(self) -> tuple[type, OptionSet]:
        if self.code in _sent:
            return _sent[self.code]
        import cloudpickle

        try:
            # It comes from the driver, the one direction in which code travels; nothing is unpickled on the driver.
            cls, option_set = cloudpickle.loads(base64.b64decode(self.code))
        except Exception as error:
            raise BrokenProviderError(
                f"{self.kind} class {self.name} cannot be rebuilt here: {type(error).__name__}: {error}; make what it "
                "imports an installed distribution, here and on the workers"
            ) from error
        return cls, option_set


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
    code = "" if _is_installed(cls) else _to_code(kind, cls, option_set)
    return Reference(kind, name, YOURS, _source_digest(cls), value, options, code)


def _is_installed(cls: type) -> bool:
    """Tell whether a class can be imported by name in any process of this environment."""
    if "<locals>" in cls.__qualname__:
        return False
    if cls.__module__.partition(".")[0] == "sdt_dask_core":
        return True
    try:
        spec = importlib.util.find_spec(cls.__module__)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None or spec.origin is None:
        return False
    if spec.origin in ("built-in", "frozen"):
        return True
    homes = {sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib")}
    return any(Path(spec.origin).is_relative_to(home) for home in homes)


def _to_code(kind: str, cls: type, option_set: OptionSet) -> str:
    import cloudpickle

    modules = _own_modules(cls)
    try:
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
        # The options' types were read here, where the class's module is: what annotations name does not travel.
        payload = cloudpickle.dumps((cls, option_set))
    except Exception as error:
        raise BrokenProviderError(
            f"{kind} class {cls.__name__} cannot travel to the processes that compute: {error}; put it into a module "
            "that opens nothing when imported, or make it an installed distribution"
        ) from error
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    code = base64.b64encode(payload).decode("ascii")
    _sent[code] = (cls, option_set)
    return code


def _own_modules(cls: type) -> list[ModuleType]:
    """Return the modules of a class and its bases that no other process may have."""
    names = dict.fromkeys(base.__module__ for base in cls.__mro__ if not _is_installed(base))
    return [sys.modules[name] for name in names if name in sys.modules and name != "__main__"]


def _source(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        # Before Python 3.13 a notebook has the source of each method, and none of the class.
        methods = filter(inspect.isfunction, vars(thing).values() if isinstance(thing, type) else ())
        return str(getattr(thing, "__qualname__", "")) + "".join(_source(method) for method in methods)


def _source_digest(cls: type) -> str:
    # A base class of the user's own decides as much as the class itself, and so do the helpers in their files. A script
    # holds the run beside the class, and a change there is no change of the data.
    bases = [base for base in cls.__mro__ if base is cls or not _is_installed(base)]
    files = [sys.modules.get(base.__module__) for base in bases]
    things = [
        file if getattr(file, "__file__", None) and base.__module__ != "__main__" else base
        for base, file in zip(bases, files, strict=True)
    ]
    source = "".join(_source(thing) for thing in dict.fromkeys(things))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def options_of_instance(kind: str, instance: Any) -> dict[str, Any]:
    """Turn an instance into the options it was built with.

    Plugs and clients remember them. Of any other class, every ``__init__`` parameter must be kept as an attribute of
    the same name (or with a leading underscore). An instance built anew from the options must equal it, attribute by
    attribute.

    Raises
    ------
    OptionError
        The instance holds more, or other things, than its options; the message says which.
    """
    cls = type(instance)
    refused = f"the {kind} instance of {cls.__name__} cannot be turned into class and options: "
    advice = f"; pass the class and {kind}_options instead"
    state = _state(instance)
    given = state.pop(GIVEN, None)
    if given is not None:
        options = _bound(cls, *given)
        if not _why_not(cls, options, state):
            return options
    # Not remembered, or an option was changed after construction: what its attributes say.
    options = _kept(options_of(cls, kind=kind, name=cls.__name__), state, refused, advice)
    reason = _why_not(cls, options, state)
    if reason:
        raise OptionError(f"{refused}{reason}{advice}")
    return options


def _why_not(cls: type, options: dict[str, Any], state: Mapping[str, Any]) -> str:
    """Return why an instance of that state is not the one that these options build, or nothing."""
    try:
        fresh = _state(cls(**options))
    except Exception as error:  # noqa: BLE001 - whatever a stranger's __init__ raises
        return f"one built from its attributes raised {type(error).__name__}"
    fresh.pop(GIVEN, None)
    changed = _differences(state, fresh)
    return f"its state differs from one freshly built: {', '.join(changed)}" if changed else ""


def _bound(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    bound = inspect.signature(cls).bind(*args, **kwargs).arguments
    # What a parameter **kwargs took are options of their own.
    taken = {p.name for p in inspect.signature(cls).parameters.values() if p.kind is inspect.Parameter.VAR_KEYWORD}
    options = {name: value for name, value in bound.items() if name not in taken}
    return options | {k: v for name in taken for k, v in bound.get(name, {}).items()}


def _kept(option_set: OptionSet, state: Mapping[str, Any], refused: str, advice: str) -> dict[str, Any]:
    options = {}
    for option in option_set:
        for attribute in (option.name, f"_{option.name}"):
            if attribute in state:
                options[option.name] = state[attribute]
                break
        else:
            raise OptionError(f"{refused}its parameter {option.name!r} is kept under no attribute of that name{advice}")
    return options


def _state(instance: Any) -> dict[str, Any]:
    slots = {name: getattr(instance, name) for name in getattr(instance, "__slots__", ()) if hasattr(instance, name)}
    return {**slots, **getattr(instance, "__dict__", {})}


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    return [f"{name!r}" for name in sorted({*ours, *theirs}) if not _same(ours.get(name), theirs.get(name))]


def _same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001 - arrays and frames do not compare to one truth: state, not an option
        return False
