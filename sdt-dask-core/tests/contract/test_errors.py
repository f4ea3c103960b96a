"""The one tree of errors: what they carry, what they cost, and that they travel."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from sdt_dask_core import errors
from sdt_dask_core.errors import KeyNotFoundError, SdtDaskError


def all_errors(base: type[SdtDaskError] = SdtDaskError) -> list[type[SdtDaskError]]:
    own = [cls for cls in base.__subclasses__() if cls.__module__ == errors.__name__]
    return [base, *(cls for child in own for cls in all_errors(child))]


def drawn_tree() -> dict[str, str]:
    """Each class of the drawing in the docstring with its base."""
    assert errors.__doc__ is not None
    above: list[tuple[int, str]] = []
    bases: dict[str, str] = {}
    for line in errors.__doc__.splitlines():
        found = re.match(r"^( {4}[│├└─ ]*)(\w+Error)\b", line)
        if found is None:
            continue
        depth, name = len(found[1]), found[2]
        above = [(d, n) for d, n in above if d < depth]
        bases[name] = above[-1][1] if above else "Exception"
        above.append((depth, name))
    return bases


@pytest.mark.parametrize("cls", all_errors())
def test_error_pickles_with_its_context(cls: type[SdtDaskError]) -> None:
    error = pickle.loads(pickle.dumps(cls("no such thing", key=("s", 1), plug="csv")))
    assert type(error) is cls
    assert (str(error), error.message, error.key, error.plug) == ("no such thing", "no such thing", ("s", 1), "csv")


def test_an_error_without_context_pickles() -> None:
    assert pickle.loads(pickle.dumps(SdtDaskError("x"))).context == {}


def test_a_copied_error_keeps_its_context() -> None:
    assert copy.copy(KeyNotFoundError("x", key=("a",))).context == {"key": ("a",)}


def test_a_plug_authors_own_error_pickles_with_its_context() -> None:
    error = pickle.loads(pickle.dumps(TooDarkError("too dark", key=("a",))))
    assert (type(error), error.context) == (TooDarkError, {"key": ("a",)})


class TooDarkError(KeyNotFoundError):
    cause = "too_dark"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SdtDaskError", 1),
        ("ConfigurationError", 2),
        ("UnknownProviderError", 2),
        ("BrokenProviderError", 2),
        ("OptionError", 2),
        ("InvalidKeyError", 2),
        ("ManifestError", 2),
        ("RequirementError", 2),
        ("MainGuardError", 2),
        ("PlugError", 1),
        ("FrameError", 1),
        ("AnalysisError", 1),
        ("ClientError", 3),
        ("LedgerError", 2),
        ("LedgerBusyError", 2),
        ("ClusterLostError", 3),
        ("LimitReachedError", 4),
        ("RunInterruptedError", 130),
    ],
)
def test_exit_code(name: str, code: int) -> None:
    assert getattr(errors, name).exit_code == code


def test_the_drawn_tree_is_the_tree() -> None:
    assert drawn_tree() == {cls.__name__: cls.__mro__[1].__name__ for cls in all_errors()}


def test_all_names_every_error() -> None:
    assert sorted(cls.__name__ for cls in all_errors()) == errors.__all__


def test_every_cause_is_used_once() -> None:
    causes = [cls.cause for cls in all_errors()]
    assert len(set(causes)) == len(causes)


@pytest.mark.parametrize("cls", all_errors())
def test_error_says_what_it_is_in_its_docstring(cls: type[SdtDaskError]) -> None:
    assert cls.__dict__["__doc__"]
