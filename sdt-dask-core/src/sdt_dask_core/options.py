"""Typed options: the ``__init__`` parameters of a provider, checked before a cluster exists.

An option comes, from the most specific to the least: from the call or command line, from a manifest row, from the run
file, from the environment (``SDT_DASK_PLUG_CSV_PATH``).
"""

from __future__ import annotations

import difflib
import enum
import inspect
import os
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import BrokenProviderError, OptionError
from sdt_dask_core.secret import Secret, is_reference

__all__ = ["Option", "OptionSet", "did_you_mean", "options_of"]

_SECRET_NAME = re.compile(r"(password|passwd|secret|token|api_?key|credential)", re.IGNORECASE)
_MISSING = inspect.Parameter.empty
_UNIONS = (typing.Union, types.UnionType)
# However the option is called: ``token_timeout``, ``credentials_file``.
_NO_SECRETS = (bool, int, float, Path)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a provider.

    Attributes
    ----------
    name : str
        Name of the ``__init__`` parameter.
    annotation : object
        Its type, ``inspect.Parameter.empty`` where the author gave none.
    default : object
        Its default, ``inspect.Parameter.empty`` where it is required.
    help : str
        Its sentence in the class's docstring.
    environment : str
        Environment variable that sets it.
    """

    name: str
    annotation: Any
    default: Any
    help: str
    environment: str

    @property
    def is_required(self) -> bool:
        """Whether a run must give it."""
        return self.default is _MISSING

    @property
    def is_secret(self) -> bool:
        """Whether it takes a reference to a secret."""
        return self.is_secret_object or (
            bool(_SECRET_NAME.search(self.name))
            and not isinstance(self.default, _NO_SECRETS)
            and not any(isinstance(t, type) and issubclass(t, _NO_SECRETS) for t in _alternatives(self.annotation))
        )

    @property
    def is_secret_object(self) -> bool:
        """Whether the provider gets a `Secret`, to be revealed when it is used."""
        return Secret in (self.annotation, *typing.get_args(self.annotation))

    @property
    def type_text(self) -> str:
        """The type as a user reads it."""
        if self.annotation is _MISSING:
            return "any" if self.default in (_MISSING, None) else type(self.default).__name__
        return _type_text(self.annotation)


def _type_text(annotation: Any) -> str:
    if annotation is type(None):
        return "none"
    if isinstance(annotation, type) and not typing.get_args(annotation):
        if issubclass(annotation, enum.Enum):
            return " | ".join(repr(member.value) for member in annotation)
        return "secret reference" if annotation is Secret else annotation.__name__
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return " | ".join(_type_text(arg) for arg in args)
    if origin is typing.Literal:
        return " | ".join(repr(arg) for arg in args)
    return str(annotation).replace("typing.", "")


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) in _UNIONS else (annotation,)


class OptionSet:
    """The options of one provider class.

    Parameters
    ----------
    provider : str
        How messages name it: ``plug 'csv'``.
    options : iterable of Option
        Its options in the order of the signature.
    takes_any : bool
        Whether its ``__init__`` takes ``**kwargs``, so that no name is unknown.
    """

    def __init__(self, provider: str, options: Iterable[Option], *, takes_any: bool = False) -> None:
        self.provider = provider
        self.options = {option.name: option for option in options}
        self.takes_any = takes_any

    def __iter__(self) -> typing.Iterator[Option]:
        return iter(self.options.values())

    def resolve(self, *layers: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Merge layers of options, the most specific first, and check them.

        Parameters
        ----------
        *layers : mapping
            Options by name, the most specific layer first.
        environment : mapping, optional
            The least specific layer; default ``os.environ``.

        Returns
        -------
        dict
            JSON-ready values by name, secrets as references; only what was given.

        Raises
        ------
        OptionError
            An option is unknown, missing or has a value that it cannot take.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {o.name: environment[o.environment] for o in self if o.environment in environment}
        for layer in reversed(layers):
            given.update(layer)
        self._refuse_unknown(given)
        self._refuse_missing(given)
        return {name: self._check(name, value) for name, value in given.items()}

    def build_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn resolved options into the arguments of ``__init__``, secrets revealed: where the provider is built.

        Parameters
        ----------
        values : mapping
            What `resolve` returned.
        """
        return {name: self._argument(name, value) for name, value in values.items()}

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        if self.takes_any:
            return
        for name in given:
            if name not in self.options:
                known = ", ".join(sorted(self.options)) or "none"
                raise OptionError(
                    f"{self.provider} has no option {name!r}{did_you_mean(name, self.options)}; its options: {known}",
                    option=name,
                )

    def _refuse_missing(self, given: Mapping[str, Any]) -> None:
        for option in self:
            if option.is_required and option.name not in given:
                raise OptionError(
                    f"{self.provider} needs the option {option.name!r} ({option.help or option.type_text}); "
                    f"give it with the run or set {option.environment}",
                    option=option.name,
                )

    def _option(self, name: str) -> Option:
        # What ``**kwargs`` takes has no type; its name alone tells whether it is a secret.
        return self.options.get(name) or Option(name, _MISSING, _MISSING, "", "")

    def _check(self, name: str, value: Any) -> Any:
        option = self._option(name)
        if value is None and option.default is None:
            return None  # `text: str = None` means an optional text
        if option.is_secret and value is not None:
            return self._check_secret(option, value)
        return self._plain(name, self._validated(option, value))

    def _plain(self, name: str, value: Any) -> Any:
        try:
            return _plain(value)
        except TypeError as error:
            raise OptionError(
                f"{self.provider}: the option {name!r} cannot be {error}: "
                "options travel to the workers as plain text, numbers and lists",
                option=name,
            ) from None

    def _check_secret(self, option: Option, value: Any) -> str:
        reference = value.reference if isinstance(value, Secret) else value
        if not is_reference(reference):
            raise OptionError(
                f"{self.provider}: the option {option.name!r} is a secret and its value must not be in a run; "
                "give a reference instead: env:NAME for an environment variable or file:/path for a file",
                option=option.name,
            )
        return str(reference)

    def _validated(self, option: Option, value: Any) -> Any:
        annotation = option.annotation
        if annotation is _MISSING:
            # A plain class: the type of its default is all it says about itself.
            annotation = type(option.default) if isinstance(option.default, (bool, int, float, str)) else Any
        if isinstance(value, str) and _takes_list(annotation):
            value = [part.strip() for part in value.split(",")]
        return self._by_pydantic(option, annotation, value)

    def _by_pydantic(self, option: Option, annotation: Any, value: Any) -> Any:
        import pydantic

        config = pydantic.ConfigDict(arbitrary_types_allowed=True, coerce_numbers_to_str=True)
        try:
            adapter = pydantic.TypeAdapter(annotation, config=config)
        except pydantic.PydanticUserError:  # a type with a configuration of its own (a dataclass) brings it along
            adapter = pydantic.TypeAdapter(annotation)
        try:
            return adapter.validate_python(value)
        except pydantic.ValidationError as error:
            reason = "; ".join(dict.fromkeys(e["msg"][0].lower() + e["msg"][1:] for e in error.errors()))
            raise OptionError(
                f"{self.provider}: the option {option.name!r} cannot be {value!r}: {reason} "
                f"(wanted: {option.type_text})",
                option=option.name,
            ) from None

    def _argument(self, name: str, value: Any) -> Any:
        option = self._option(name)
        if value is None and (option.is_secret or option.default is None):
            return None
        if option.is_secret:
            return Secret(value) if option.is_secret_object else Secret(value).reveal()
        return self._validated(option, value)


def _takes_list(annotation: Any) -> bool:
    candidates = _alternatives(annotation)
    if str in candidates:
        return False
    return any((typing.get_origin(c) or c) in (list, tuple, set, frozenset) for c in candidates)


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it, so that it can travel and be stored."""
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, Path):
        # The processes that read it may have another working folder.
        return str(value.expanduser().absolute())
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        # A set's order differs from process to process, and options are part of a digest.
        return items if isinstance(value, (list, tuple)) else sorted(items, key=repr)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or nothing."""
    by_lower = {text.lower(): text for text in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def options_of(cls: type, *, kind: str, name: str) -> OptionSet:
    """Read the options of a provider class from its ``__init__``.

    Parameters
    ----------
    cls : type
        The provider.
    kind, name : str
        ``"plug"`` and ``"csv"``: they name it in messages and in environment variables.

    Raises
    ------
    BrokenProviderError
        A type annotation cannot be resolved, or a parameter is positional only.
    """
    provider = f"{kind} {name!r}"
    parameters, takes_any = _parameters(cls)
    hints = _type_hints(cls, provider)
    helps = _parameter_helps(cls)
    prefix = re.sub(r"\W", "_", f"SDT_DASK_{kind}_{name}").upper()
    options = []
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise BrokenProviderError(
                f"{provider}: the parameter {parameter.name!r} of {cls.__name__}.__init__ is positional only; "
                "options are given by name"
            )
        options.append(
            Option(
                name=parameter.name,
                annotation=hints.get(parameter.name, _MISSING),
                default=parameter.default,
                help=helps.get(parameter.name, ""),
                environment=f"{prefix}_{parameter.name.upper()}",
            )
        )
    return OptionSet(provider, options, takes_any=takes_any)


def _parameters(cls: type) -> tuple[list[inspect.Parameter], bool]:
    if cls.__init__ is object.__init__:  # type: ignore[misc]
        return [], False
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p for p in parameters if p.kind not in variadic], takes_any


def _type_hints(cls: type, provider: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls.__init__)  # type: ignore[misc]
    except Exception as error:
        raise BrokenProviderError(
            f"{provider}: the types of {cls.__name__}.__init__ cannot be read: {error}; import what they name "
            "at run time, not under TYPE_CHECKING"
        ) from error


def _parameter_helps(cls: type) -> dict[str, str]:
    import docstring_parser

    texts = [inspect.getdoc(cls) or "", inspect.getdoc(cls.__init__) or ""]  # type: ignore[misc]
    helps: dict[str, str] = {}
    for text in texts:
        for parameter in docstring_parser.parse(text).params:
            for name in parameter.arg_name.split(","):
                helps.setdefault(name.strip(), " ".join((parameter.description or "").split()))
    return helps
