"""Options: typed by the signature, checked before anything runs."""

from __future__ import annotations

import dataclasses
import enum
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Optional

import numpy as np
import pytest

from sdt_dask_core.errors import BrokenProviderError, OptionError
from sdt_dask_core.options import OptionSet, did_you_mean, options_of
from sdt_dask_core.secret import Secret

CANARY = "canary-7f3a9c"


class Side(enum.Enum):
    LEFT = "left"
    RIGHT = "right"


class Typed:
    """Reads.

    Parameters
    ----------
    path : pathlib.Path
        Where the files
        are.
    units : str
        Unit of the power.
    """

    def __init__(
        self,
        path: Path,
        *,
        units: Literal["W", "kW"] = "kW",
        n_files: int = 1,
        scale: float = 1.0,
        is_wide: bool = False,
        label: str = "",
        tz: Optional[str] = None,  # noqa: UP045 - the older way of writing it
        columns: list[str] = [],  # noqa: B006
        years: list[int] | None = None,
        side: Side = Side.LEFT,
        tags: set[str] = frozenset(),  # type: ignore[assignment]
        folder: Path | None = None,
    ) -> None: ...


class Plain:
    def __init__(self, path, limit=5, ratio=0.5, *, verbose=False, name="x", anything=None):  # type: ignore[no-untyped-def]
        pass


class TakesAny:
    def __init__(self, workers: int = 2, **kwargs: Any) -> None: ...


class Few:
    def __init__(self, workers: int = 1, memory: float = 2.0) -> None: ...


class Guarded:
    def __init__(
        self,
        user: str,
        password: str,
        *,
        api_key: Secret | None = None,
        token_timeout: float = 2.5,
        max_tokens: int = 5,
        credentials_file: Path | None = None,
        use_token: bool = False,
    ) -> None: ...


typed = options_of(Typed, kind="plug", name="csv")
plain = options_of(Plain, kind="plug", name="old")
takes_any = options_of(TakesAny, kind="client", name="some")
few = options_of(Few, kind="client", name="few")
guarded = options_of(Guarded, kind="plug", name="pvdb")


def resolve_one(name: str, value: Any) -> Any:
    return typed.resolve({"path": "/data", name: value}, environment={})[name]


def message(option_set: OptionSet, *layers: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(OptionError) as caught:
        option_set.resolve(*layers, environment=environment or {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "resolved"),
    [
        ("n_files", "3", 3),
        ("n_files", np.int64(3), 3),
        ("scale", "1.5", 1.5),
        ("scale", 2, 2.0),
        ("is_wide", "true", True),
        ("is_wide", "no", False),
        ("label", 5, "5"),
        ("units", "W", "W"),
        ("tz", "America/Denver", "America/Denver"),
        ("tz", None, None),
        ("columns", "a, b,c", ["a", "b", "c"]),
        ("columns", "a", ["a"]),
        ("columns", ("a", "b"), ["a", "b"]),
        ("years", "2011,2012", [2011, 2012]),
        ("years", None, None),
        ("side", "right", "right"),
        ("side", Side.RIGHT, "right"),
        ("tags", "b,a", ["a", "b"]),
        ("folder", "/x/y", "/x/y"),
    ],
)
def test_a_value_of_the_type_is_taken(name: str, given: Any, resolved: Any) -> None:
    value = resolve_one(name, given)
    assert (value, type(value)) == (resolved, type(resolved))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("n_files", "many"),
        ("n_files", 1.5),
        ("scale", "wide"),
        ("is_wide", "perhaps"),
        ("units", "MW"),
        ("side", "up"),
        ("years", "2011,last"),
        ("label", None),
        ("columns", 5),
    ],
)
def test_a_value_that_is_not_of_the_type_is_refused(name: str, bad: Any) -> None:
    assert f"plug 'csv': the option {name!r} cannot be" in message(typed, {"path": "/data", name: bad})


def test_resolved_options_are_json() -> None:
    layer = {"path": Path("/data"), "side": Side.RIGHT, "tags": {"a"}, "columns": "a"}
    resolved = typed.resolve(layer, environment={})
    assert json.loads(json.dumps(resolved)) == resolved


def test_a_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed.resolve({"path": "data"}, environment={}) == {"path": str(tmp_path / "data")}


def test_a_home_folder_is_written_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert typed.resolve({"path": "~/data"}, environment={}) == {"path": str(tmp_path / "data")}


def test_arguments_have_the_types_of_the_signature() -> None:
    values = typed.resolve({"path": "/data", "side": "right", "tags": "a", "scale": 2}, environment={})
    assert typed.build_arguments(values) == {"path": Path("/data"), "side": Side.RIGHT, "tags": {"a"}, "scale": 2.0}


def test_an_unknown_option_names_the_nearest_and_all() -> None:
    assert message(few, {"wrokers": 2}) == (
        "client 'few' has no option 'wrokers'; did you mean 'workers'?; its options: memory, workers"
    )


def test_an_option_of_a_class_without_options_is_refused() -> None:
    class Nothing: ...

    option_set = options_of(Nothing, kind="plug", name="bare")
    assert message(option_set, {"path": 1}) == "plug 'bare' has no option 'path'; its options: none"


def test_a_missing_option_says_what_it_is_and_how_to_set_it() -> None:
    assert message(typed, {}) == (
        "plug 'csv' needs the option 'path' (Where the files are.); give it with the run or set SDT_DASK_PLUG_CSV_PATH"
    )


def test_a_bad_value_says_what_is_wanted() -> None:
    assert message(typed, {"path": "/data", "n_files": "many"}) == (
        "plug 'csv': the option 'n_files' cannot be 'many': input should be a valid integer, "
        "unable to parse string as an integer (wanted: int)"
    )


def test_a_bad_choice_names_the_choices() -> None:
    assert message(typed, {"path": "/data", "units": "MW"}) == (
        "plug 'csv': the option 'units' cannot be 'MW': input should be 'W' or 'kW' (wanted: 'W' | 'kW')"
    )


def test_the_error_carries_the_options_name() -> None:
    with pytest.raises(OptionError) as caught:
        typed.resolve({"path": "/data", "units": "MW"}, environment={})
    assert caught.value.context == {"option": "units"}


def test_what_cannot_travel_as_text_is_refused_by_name() -> None:
    assert message(plain, {"path": threading.Event()}) == (
        "plug 'old': the option 'path' cannot be a Event: options travel to the workers as plain text, "
        "numbers and lists"
    )


def test_the_environment_is_the_least_specific_layer() -> None:
    environment = {"SDT_DASK_PLUG_CSV_PATH": "/env", "SDT_DASK_PLUG_CSV_N_FILES": "3"}
    assert typed.resolve({"path": "/call"}, environment=environment) == {"path": "/call", "n_files": 3}


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDT_DASK_PLUG_CSV_PATH", "/env")
    assert typed.resolve() == {"path": "/env"}


def test_the_first_layer_wins() -> None:
    layers = ({"label": "call"}, {"label": "row", "n_files": 2}, {"label": "file", "n_files": 1, "path": "/data"})
    assert typed.resolve(*layers, environment={}) == {"label": "call", "n_files": 2, "path": "/data"}


def test_a_bad_value_that_a_more_specific_layer_hides_does_no_harm() -> None:
    assert typed.resolve({"path": "/x", "n_files": 1}, environment={"SDT_DASK_PLUG_CSV_N_FILES": "x"})["n_files"] == 1


def test_a_name_with_other_characters_has_a_variable() -> None:
    (option,) = options_of(TakesAny, kind="client", name="my-lab.one")
    assert option.environment == "SDT_DASK_CLIENT_MY_LAB_ONE_WORKERS"


@pytest.mark.parametrize(
    ("name", "given", "resolved"),
    [
        ("limit", "7", 7),
        ("ratio", "0.25", 0.25),
        ("verbose", "yes", True),
        ("name", "y", "y"),
        ("anything", [1], [1]),
        ("path", "rel", "rel"),
    ],
)
def test_a_plain_class_is_typed_by_its_defaults(name: str, given: Any, resolved: Any) -> None:
    assert plain.resolve({"path": "rel", name: given}, environment={})[name] == resolved


def test_a_plain_class_refuses_what_its_default_is_not() -> None:
    assert "(wanted: int)" in message(plain, {"path": "x", "limit": "lots"})


def test_a_default_of_none_takes_none_whatever_the_annotation() -> None:
    class Old:
        def __init__(self, tz: str = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013

    option_set = options_of(Old, kind="plug", name="old")
    assert option_set.build_arguments(option_set.resolve({"tz": None}, environment={})) == {"tz": None}


def test_kwargs_take_any_name() -> None:
    values = takes_any.resolve({"dashboard": ":0", "workers": "3"}, environment={})
    assert takes_any.build_arguments(values) == {"dashboard": ":0", "workers": 3}


def test_a_literal_secret_among_kwargs_is_refused() -> None:
    assert CANARY not in message(takes_any, {"password": CANARY})


def test_a_secret_among_kwargs_is_revealed_where_the_provider_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", CANARY)
    values = takes_any.resolve({"password": "env:PW"}, environment={})
    assert (values, takes_any.build_arguments(values)) == ({"password": "env:PW"}, {"password": CANARY})


@pytest.mark.parametrize("name", ["password", "api_key"])
def test_a_literal_secret_is_refused_and_not_repeated(name: str) -> None:
    layer = {"user": "me", "password": "env:PW", name: CANARY}
    assert message(guarded, layer) == (
        f"plug 'pvdb': the option {name!r} is a secret and its value must not be in a run; "
        "give a reference instead: env:NAME for an environment variable or file:/path for a file"
    )


def test_a_literal_secret_in_the_environment_layer_is_not_repeated() -> None:
    environment = {"SDT_DASK_PLUG_PVDB_PASSWORD": CANARY}
    assert CANARY not in message(guarded, {"user": "me"}, environment=environment)


def test_secrets_resolve_to_references() -> None:
    layer = {"user": "me", "password": "env:PW", "api_key": Secret("file:/run/key")}
    assert guarded.resolve(layer, environment={}) == {**layer, "api_key": "file:/run/key"}


def test_a_text_parameter_gets_the_value_and_a_secret_parameter_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", CANARY)
    arguments = guarded.build_arguments({"user": "me", "password": "env:PW", "api_key": "env:UNSET"})
    assert arguments == {"user": "me", "password": CANARY, "api_key": Secret("env:UNSET")}


def test_an_optional_secret_may_be_none() -> None:
    values = guarded.resolve({"user": "me", "password": "env:PW", "api_key": None}, environment={})
    assert guarded.build_arguments({"api_key": values["api_key"]}) == {"api_key": None}


def test_numbers_flags_and_paths_are_no_secrets_whatever_their_name() -> None:
    assert [option.name for option in guarded if option.is_secret] == ["password", "api_key"]


def test_help_comes_from_the_docstring() -> None:
    helps = {option.name: option.help for option in typed if option.help}
    assert helps == {"path": "Where the files are.", "units": "Unit of the power."}


def test_help_comes_from_the_docstring_of_init_too() -> None:
    class Sphinx:
        def __init__(self, workers: int = 2) -> None:
            """Start.

            :param workers: number of workers
            """

    assert [o.help for o in options_of(Sphinx, kind="client", name="s")] == ["number of workers"]


def test_one_sentence_may_help_two_parameters() -> None:
    class Pair:
        """Place.

        Parameters
        ----------
        latitude, longitude : float
            Where it stands [°].
        """

        def __init__(self, latitude: float, longitude: float) -> None: ...

    assert [o.help for o in options_of(Pair, kind="plug", name="p")] == ["Where it stands [°]."] * 2


def test_type_text() -> None:
    assert {option.name: option.type_text for option in typed} == {
        "path": "Path",
        "units": "'W' | 'kW'",
        "n_files": "int",
        "scale": "float",
        "is_wide": "bool",
        "label": "str",
        "tz": "str | none",
        "columns": "list[str]",
        "years": "list[int] | none",
        "side": "'left' | 'right'",
        "tags": "set[str]",
        "folder": "Path | none",
    }


def test_type_text_of_a_plain_class() -> None:
    assert [o.type_text for o in plain] == ["any", "int", "float", "bool", "str", "any"]


def test_type_text_of_a_secret() -> None:
    assert guarded.options["api_key"].type_text == "secret reference | none"


def test_required_is_what_has_no_default() -> None:
    assert [o.name for o in guarded if o.is_required] == ["user", "password"]


def test_a_bad_value_of_a_dataclass_is_told_as_any_other() -> None:
    @dataclasses.dataclass
    class Site:
        latitude: float

    class Sited:
        def __init__(self, site: Site) -> None: ...

    Sited.__init__.__annotations__["site"] = Site
    option_set = options_of(Sited, kind="plug", name="s")
    assert "the option 'site' cannot be {'latitude': 'north'}" in message(option_set, {"site": {"latitude": "north"}})


def test_a_type_that_cannot_be_read_is_the_providers_fault() -> None:
    class Broken:
        def __init__(self, frame: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(BrokenProviderError) as caught:
        options_of(Broken, kind="plug", name="b")
    assert str(caught.value) == (
        "plug 'b': the types of Broken.__init__ cannot be read: name 'Nowhere' is not defined; "
        "import what they name at run time, not under TYPE_CHECKING"
    )


def test_a_positional_only_parameter_is_the_providers_fault() -> None:
    class Positional:
        def __init__(self, path: str, /) -> None: ...

    with pytest.raises(BrokenProviderError) as caught:
        options_of(Positional, kind="plug", name="p")
    assert str(caught.value) == (
        "plug 'p': the parameter 'path' of Positional.__init__ is positional only; options are given by name"
    )


@pytest.mark.parametrize(
    ("name", "hint"), [("cvs", "; did you mean 'csv'?"), ("CSV", "; did you mean 'csv'?"), ("zzz", "")]
)
def test_did_you_mean(name: str, hint: str) -> None:
    assert did_you_mean(name, ["csv", "pvdaq"]) == hint
