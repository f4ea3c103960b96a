"""References: how a provider is built in another process, and what refuses to travel."""

from __future__ import annotations

import base64
import dataclasses
import json
import linecache
import threading
from pathlib import Path
from typing import Any, Literal

import pytest

from sdt_dask_core.errors import BrokenProviderError, OptionError, UnknownProviderError
from sdt_dask_core.plug import GIVEN, Plug
from sdt_dask_core.reference import Reference, options_of_instance, refer_to
from sdt_dask_core.secret import Secret

CANARY = "canary-7f3a9c"
GREETING = "read"

BUILD = """
import json, sys
from sdt_dask_core.reference import Reference
plug = Reference(**json.load(sys.stdin)).build()
print(plug.get_data(("a",)))
"""


def greeting() -> str:
    return GREETING


class Reader(Plug):
    def __init__(self, path: Path = Path("/data"), units: Literal["W", "kW"] = "kW", years: list[int] = []) -> None:  # noqa: B006
        self.path = path
        self.units = units
        self._years = years

    def get_data(self, key: Any) -> Any:
        return f"{greeting()} {self.path!r} {self.units} {self._years} {key}"


class Guarded:
    def __init__(self, password: str, api_key: Secret) -> None:
        self.password = password
        self.api_key = api_key

    def get_data(self, keys: Any) -> Any:
        return f"{self.password} {self.api_key!r} {self.api_key.reveal()}"


class Locked(Reader):
    lock = threading.Lock()


def as_text(reference: Reference) -> str:
    return json.dumps(reference.as_dict())


class Plain:
    """A class that knows nothing of SDT Dask."""

    def get_data(self, keys: Any) -> Any: ...


def refused(instance: Any) -> str:
    with pytest.raises(OptionError) as caught:
        refer_to("plug", instance)
    return str(caught.value)


def test_an_installed_provider_travels_by_name() -> None:
    reference = refer_to("client", "local", {"n_workers": "2"})
    assert (reference.value, reference.distribution, reference.code) == (
        "sdt_dask_core.clients.local:LocalClient",
        "sdt-dask-core",
        "",
    )
    assert reference.options == {"n_workers": 2}


def test_an_installed_provider_is_built_from_its_name(make_distribution: Any, fresh_python: Any) -> None:
    source = (
        "class AcmePlug:\n    def __init__(self, n=1): self.n = n\n    def get_data(self, keys): return self.n, keys\n"
    )
    info = make_distribution(source=source)
    text = as_text(refer_to("plug", "acme", {"n": "7"}))
    assert fresh_python(BUILD, text=text, PYTHONPATH=str(info.parent)) == "(7, ('a',))"


def test_an_installed_class_given_as_one_travels_under_any_name(make_distribution: Any) -> None:
    make_distribution(source="class AcmePlug:\n    name = 'acme'\n    def get_data(self, keys): return keys\n")
    reference = Reference("plug", "AcmePlug", "(yours)", "0", "acme_plug:AcmePlug", {})
    assert reference.build().get_data(("a",)) == ("a",)


def test_an_init_that_leaves_the_process_is_blamed() -> None:
    class Leaving(Plain):
        def __init__(self) -> None:
            raise SystemExit("usage: reader")

    reference = refer_to("plug", Leaving)
    with pytest.raises(BrokenProviderError) as caught:
        reference.build()
    assert str(caught.value).endswith("raised in __init__: SystemExit: usage: reader")


def test_an_installed_provider_that_is_not_there_is_blamed() -> None:
    reference = Reference("plug", "acme", "acme-plug", "1.2.0", "no_such_module:Plug", {})
    with pytest.raises(BrokenProviderError) as caught:
        reference.build()
    assert str(caught.value) == (
        "plug 'acme' of acme-plug 1.2.0 cannot be imported: ModuleNotFoundError: No module named 'no_such_module'; "
        "reinstall or upgrade acme-plug"
    )


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownProviderError):
        refer_to("plug", "no-such-plug")


def test_a_wrong_option_is_refused_before_anything_travels() -> None:
    with pytest.raises(OptionError) as caught:
        refer_to("plug", Reader, {"pth": "x"})
    assert str(caught.value) == (
        "plug 'Reader' has no option 'pth'; did you mean 'path'?; its options: path, units, years"
    )


def test_a_class_is_built_in_another_process_with_its_helpers_and_options(fresh_python: Any) -> None:
    text = as_text(refer_to("plug", Reader, {"path": "/x", "units": "W", "years": "2011,2012"}))
    assert fresh_python(BUILD, text=text) == "read PosixPath('/x') W [2011, 2012] ('a',)"


def test_a_class_of_a_users_file_is_built_in_another_process(import_file: Any, fresh_python: Any) -> None:
    module = import_file(
        "my_own_plug",
        """
        from __future__ import annotations
        import enum
        from pathlib import Path

        SCALE = 3

        class Side(enum.Enum):
            LEFT = "left"

        def scaled(text):
            return text * SCALE

        class Base:
            def get_data(self, keys):
                return scaled(f"{self.folder.name}{self.side.name}")

        class MyPlug(Base):
            def __init__(self, folder: Path, side: Side):
                self.folder, self.side = folder, side
        """,
    )
    text = as_text(refer_to("plug", module.MyPlug, {"folder": "x", "side": "left"}))
    assert fresh_python(BUILD, text=text) == "xLEFTxLEFTxLEFT"


def test_a_base_class_of_another_file_travels_along(import_file: Any, fresh_python: Any) -> None:
    import_file("my_base", "def text(): return 'base'\nclass Base:\n    def get_data(self, keys): return text()\n")
    module = import_file("my_leaf", "from my_base import Base\nclass MyPlug(Base): pass\n")
    assert fresh_python(BUILD, text=as_text(refer_to("plug", module.MyPlug))) == "base"


def test_a_class_of_core_travels_by_name() -> None:
    from sdt_dask_core.clients.local import LocalClient

    reference = refer_to("client", LocalClient)
    assert (reference.code, type(reference.build())) == ("", LocalClient)


def test_a_class_of_the_users_script_is_built_in_another_process(fresh_python: Any) -> None:
    script = """
    import json
    from sdt_dask_core.reference import refer_to
    class Mine:
        def __init__(self, n: int = 1): self.n = n
        def get_data(self, keys): return self.n, keys
    print(json.dumps(refer_to("plug", Mine(n=4)).as_dict()))
    """
    assert fresh_python(BUILD, text=fresh_python(script)) == "(4, ('a',))"


def test_a_class_is_itself_where_it_came_from() -> None:
    reference = Reference(**json.loads(as_text(refer_to("plug", Reader))))
    assert type(reference.build()) is Reader


def test_building_a_class_where_it_came_from_leaves_it_as_it_was() -> None:
    before = dict(vars(Reader))
    refer_to("plug", Reader).build()
    assert dict(vars(Reader)) == before
    assert refer_to("plug", Reader).build().get_data("a").startswith(GREETING)


def test_secrets_are_resolved_where_the_provider_is_built(fresh_python: Any) -> None:
    text = as_text(refer_to("plug", Guarded, {"password": "env:PW", "api_key": Secret("env:KEY")}))
    assert fresh_python(BUILD, text=text, PW=CANARY, KEY="other") == f"{CANARY} Secret('env:KEY') other"


def test_a_secrets_value_is_nowhere_in_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", CANARY)
    reference = refer_to("plug", Guarded, {"password": "env:PW", "api_key": "env:PW"})
    reference.build()
    assert CANARY not in as_text(reference)
    assert CANARY.encode() not in base64.b64decode(reference.code)
    assert CANARY not in repr(reference)


def test_a_secret_that_is_not_set_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PW", raising=False)
    with pytest.raises(OptionError) as caught:
        refer_to("plug", Guarded, {"password": "env:PW", "api_key": "env:PW"}).build()
    assert str(caught.value) == "the secret env:PW cannot be read: PW is not set in this process; set it"


def test_an_instance_holding_a_literal_secret_is_refused_without_it() -> None:
    assert CANARY not in refused(Guarded(CANARY, Secret("env:KEY")))


def test_options_changed_on_the_way_are_those_it_is_built_with() -> None:
    reference = refer_to("plug", Reader, {"units": "W"})
    changed = dataclasses.replace(reference, options={**reference.options, "units": "kW"})
    assert changed.build().units == "kW"


def test_an_instance_becomes_its_class_and_options() -> None:
    reference = refer_to("plug", Reader(Path("/x"), years=[2011]))
    assert reference.name == "Reader"
    assert reference.options == {"path": "/x", "years": [2011]}


def test_an_instance_built_again_is_equal() -> None:
    plug, built = Reader(Path("/x"), "W", [2011]), refer_to("plug", Reader(Path("/x"), "W", [2011])).build()
    assert {**vars(built), GIVEN: None} == {**vars(plug), GIVEN: None}


def test_options_given_beside_an_instance_win() -> None:
    assert refer_to("plug", Reader(units="W"), {"units": "kW"}).options["units"] == "kW"


def test_an_option_changed_after_construction_is_kept() -> None:
    plug = Reader()
    plug.units = "W"
    assert refer_to("plug", plug).options["units"] == "W"


def test_an_instance_with_slots_becomes_its_options() -> None:
    @dataclasses.dataclass(slots=True)
    class Slotted:
        path: str
        n: int = 1

        def get_data(self, keys: Any) -> Any: ...

    assert options_of_instance("plug", Slotted("x")) == {"path": "x", "n": 1}


def test_an_instance_that_does_not_keep_a_parameter_is_refused() -> None:
    class Forgetful(Plain):
        def __init__(self, folder: str) -> None:
            self.files = [folder]

    assert refused(Forgetful("x")) == (
        "the plug instance of Forgetful cannot be turned into class and options: "
        "its parameter 'folder' is kept under no attribute of that name; pass the class and plug_options instead"
    )


def test_an_instance_changed_after_construction_is_refused() -> None:
    plug = Reader()
    plug.cache = {"a": 1}  # type: ignore[attr-defined]
    assert refused(plug) == (
        "the plug instance of Reader cannot be turned into class and options: "
        "its state differs from one freshly built: 'cache'; pass the class and plug_options instead"
    )


def test_an_instance_that_changes_its_parameter_is_refused() -> None:
    class Doubling(Plain):
        def __init__(self, n: int) -> None:
            self.n = 2 * n

    assert "its state differs from one freshly built: 'n'" in refused(Doubling(1))


def test_an_instance_that_cannot_be_built_from_its_attributes_is_refused() -> None:
    class Splitting(Plain):
        def __init__(self, years: str) -> None:
            self.years = years.split(",")

    assert refused(Splitting("2011,2012")) == (
        "the plug instance of Splitting cannot be turned into class and options: "
        "one built from its attributes raised AttributeError; pass the class and plug_options instead"
    )


def test_an_instance_that_opened_a_file_is_refused(tmp_path: Path) -> None:
    plug = Reader()
    with (tmp_path / "x").open("w") as plug.file:  # type: ignore[attr-defined]
        assert "its state differs from one freshly built: 'file'" in refused(plug)


def test_an_instance_holding_a_frame_is_refused() -> None:
    import pandas as pd

    class Holding(Reader):
        def __init__(self, frame: Any) -> None:
            self.frame = frame

    assert refused(Holding(pd.DataFrame())) == (
        "plug 'Holding': the option 'frame' cannot be a DataFrame: options travel to the workers as plain text, "
        "numbers and lists"
    )


def test_a_class_that_cannot_travel_is_refused_with_the_reason() -> None:
    with pytest.raises(BrokenProviderError) as caught:
        refer_to("plug", Locked)
    assert str(caught.value) == (
        "plug class Locked cannot travel to the processes that compute: cannot pickle '_thread.lock' object; "
        "put it into a module that opens nothing when imported, or make it an installed distribution"
    )


def test_what_cannot_be_rebuilt_is_blamed(import_file: Any, fresh_python: Any) -> None:
    import_file("my_helper", "def help_me(): return 1")
    module = import_file(
        "my_other_plug",
        "from my_helper import help_me\nclass MyPlug:\n    def get_data(self, keys): return help_me()\n",
    )
    code = "import json, sys\nfrom sdt_dask_core.reference import Reference\n"
    code += (
        "try: Reference(**json.load(sys.stdin)).build()\nexcept Exception as error: print(type(error).__name__, error)"
    )
    assert fresh_python(code, text=as_text(refer_to("plug", module.MyPlug))) == (
        "BrokenProviderError plug class MyPlug cannot be rebuilt here: ModuleNotFoundError: No module named "
        "'my_helper'; make what it imports an installed distribution, here and on the workers"
    )


def test_an_init_that_raises_is_named() -> None:
    class Failing(Reader):
        def __init__(self) -> None:
            raise ConnectionError("no route")

    reference = refer_to("plug", Failing)
    with pytest.raises(BrokenProviderError) as caught:
        reference.build()
    assert str(caught.value) == (
        f"plug 'Failing' of (yours) {reference.version} raised in __init__: ConnectionError: no route"
    )


def test_a_reference_is_json() -> None:
    reference = refer_to("plug", Reader, {"path": "/x"})
    assert Reference(**json.loads(as_text(reference))) == reference


def test_the_digest_is_the_same_for_the_same() -> None:
    one, other = (refer_to("plug", Reader, {"path": "/x", "units": "W"}) for _ in range(2))
    assert one.digest == other.digest


def test_the_digest_does_not_depend_on_the_order_of_the_options() -> None:
    one = refer_to("plug", Reader, {"path": "/x", "units": "W"})
    assert one.digest == refer_to("plug", Reader, {"units": "W", "path": "/x"}).digest


def test_the_digest_changes_with_the_options() -> None:
    assert refer_to("plug", Reader, {"units": "W"}).digest != refer_to("plug", Reader, {"units": "kW"}).digest


def test_the_digest_changes_with_the_version(make_distribution: Any) -> None:
    reference = refer_to("client", "local")
    assert dataclasses.replace(reference, version="0").digest != reference.digest


def test_the_digest_changes_with_the_source_of_the_class(import_file: Any) -> None:
    source = "class MyPlug:\n    def get_data(self, keys): return 1\n"
    before = refer_to("plug", import_file("my_plug_one", source).MyPlug)
    after = refer_to("plug", import_file("my_plug_two", source.replace("1", "2")).MyPlug)
    assert (before.name, before.digest == after.digest) == ("MyPlug", False)


def test_the_digest_changes_with_the_source_of_a_base_class(import_file: Any) -> None:
    source = "class Base:\n    def get_data(self, keys): return 1\nclass MyPlug(Base): pass\n"
    before = refer_to("plug", import_file("my_base_one", source).MyPlug)
    assert refer_to("plug", import_file("my_base_two", source.replace("1", "2")).MyPlug).digest != before.digest


def test_the_digest_changes_with_a_cell_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "class MyPlug:\n    def get_data(self, keys):\n        return 1\n"
    before, same, after = (cell(monkeypatch, text) for text in (source, source, source.replace("1", "2")))
    assert (before.digest == same.digest, before.digest == after.digest) == (True, False)


def cell(monkeypatch: pytest.MonkeyPatch, source: str) -> Reference:
    """Refer to the plug of a notebook's cell: its lines are known, its module has no file."""
    name = f"<cell {len(linecache.cache)}>"
    monkeypatch.setitem(linecache.cache, name, (len(source), None, source.splitlines(keepends=True), name))
    space: dict[str, Any] = {"__name__": "a_notebook"}
    exec(compile(source, name, "exec"), space)
    return refer_to("plug", space["MyPlug"])


def test_an_instance_of_a_plug_is_told_by_what_it_was_built_with() -> None:
    class Keeper(Plug):
        def __init__(self, folder: str, *, depth: int = 1) -> None:
            self.where = (folder, depth)

        def get_data(self, key: Any) -> Any:
            return None

    assert refer_to("plug", Keeper("data", depth=2)).options == {"folder": "data", "depth": 2}


def test_an_instance_of_the_local_client_is_told_as_options() -> None:
    from sdt_dask_core.clients.local import LocalClient

    assert refer_to("client", LocalClient(n_workers=2)).options == {"n_workers": 2}


def test_a_changed_helper_in_the_file_of_a_plug_changes_the_digest(tmp_path: Path) -> None:
    from sdt_dask_core.folder import read_user_folder

    digests = set()
    for factor in (1, 2):
        folder = tmp_path / str(factor)
        folder.mkdir()
        (folder / "dataplug.py").write_text(
            f"def helper():\n    return {factor}\n\n\nclass P:\n    def get_data(self, key):\n        return helper()\n"
        )
        digests.add(refer_to("plug", read_user_folder(folder).plug).digest)
    assert len(digests) == 2
