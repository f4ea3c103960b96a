"""A user's folder: one plug, perhaps a client, and what they require."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.contract import HookManager
from sdt_dask_core.errors import BrokenProviderError, ConfigurationError, RequirementError
from sdt_dask_core.folder import is_user_folder, read_user_folder
from sdt_dask_core.reference import refer_to

PLUG = "class MyPlug:\n    def get_data(self, keys): return keys\n"
CLIENT = "class MyClient:\n    def init_client(self): return 'client'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules are forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def broken(folder: Path) -> str:
    with pytest.raises(BrokenProviderError) as caught:
        read_user_folder(folder)
    return str(caught.value)


def test_a_data_plug_alone_is_enough(folder: Path) -> None:
    read = read_user_folder(write(folder, dataplug_py=PLUG))
    assert (read.path, read.plug.__name__, read.client) == (folder, "MyPlug", None)


def test_a_client_beside_it_is_found(folder: Path) -> None:
    read = read_user_folder(write(folder, dataplug_py=PLUG, client_py=CLIENT))
    assert read.client is not None
    assert read.client.__name__ == "MyClient"


def test_the_path_may_be_relative_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, dataplug_py=PLUG)
    monkeypatch.chdir(folder.parent)
    assert read_user_folder(folder.name).path == folder


def test_the_class_found_is_built_and_works(folder: Path) -> None:
    manager = HookManager()
    manager.register(refer_to("plug", read_user_folder(write(folder, dataplug_py=PLUG)).plug).build())
    assert manager.hook.get_data(key=("a",)) == ("a",)


@pytest.mark.parametrize("what", [None, 5, PLUG.__class__, "no/such/folder", ""])
def test_what_is_no_user_folder(what: Any) -> None:
    assert not is_user_folder(what)


def test_a_folder_with_a_data_plug_is_one(folder: Path) -> None:
    assert not is_user_folder(folder)
    write(folder, dataplug_py=PLUG)
    assert is_user_folder(folder)
    assert is_user_folder(str(folder))


def test_a_folder_without_a_data_plug_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_user_folder(folder)
    assert str(caught.value) == f"the folder {folder} has no dataplug.py; put the class of your data plug into it"


def test_an_unmet_requirement_is_told_and_nothing_is_loaded(folder: Path, make_distribution: Any) -> None:
    make_distribution(module="")
    write(folder, dataplug_py=f"open({str(folder / 'trace')!r}, 'w').close()\n{PLUG}", requirements_txt="acme-plug>=2")
    with pytest.raises(RequirementError) as caught:
        read_user_folder(folder)
    assert not (folder / "trace").exists()
    assert str(caught.value) == (
        f"{folder / 'requirements.txt'} is not met: it needs acme-plug>=2, but acme-plug 1.2.0 is installed; "
        "pip install 'acme-plug>=2'"
    )


def test_a_met_requirement_is_passed_over(folder: Path) -> None:
    assert read_user_folder(write(folder, dataplug_py=PLUG, requirements_txt="pluggy>=1\n")).plug.__name__ == "MyPlug"


def test_two_classes_are_refused_by_name(folder: Path) -> None:
    write(folder, dataplug_py=PLUG + PLUG.replace("MyPlug", "Other"))
    assert broken(folder) == (
        f"{folder / 'dataplug.py'} must hold one plug class, one with a method get_data; found: MyPlug, Other"
    )


def test_no_class_is_refused(folder: Path) -> None:
    write(folder, dataplug_py="import json\n")
    assert broken(folder) == (
        f"{folder / 'dataplug.py'} must hold one plug class, one with a method get_data; found: none"
    )


def test_a_client_file_without_a_client_is_refused(folder: Path) -> None:
    write(folder, dataplug_py=PLUG, client_py=PLUG)
    assert broken(folder) == (
        f"{folder / 'client.py'} must hold one client class, one with a method make_client or init_client; found: none"
    )


def test_a_second_name_of_the_class_is_no_second_class(folder: Path) -> None:
    assert read_user_folder(write(folder, dataplug_py=f"{PLUG}DataPlug = MyPlug\n")).plug.__name__ == "MyPlug"


def test_a_subclass_is_preferred_to_its_base(folder: Path) -> None:
    write(folder, dataplug_py=f"{PLUG}class Leaf(MyPlug): pass\n")
    assert read_user_folder(folder).plug.__name__ == "Leaf"


def test_an_imported_class_is_not_the_one_meant(folder: Path) -> None:
    source = "from sdt_dask_core import Plug\nclass Mine(Plug):\n    def get_data(self, key): return key\n"
    assert read_user_folder(write(folder, dataplug_py=source)).plug.__name__ == "Mine"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_sdk\n", "ModuleNotFoundError: No module named 'no_such_sdk'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(2)\n", "SystemExit: 2"),
    ],
)
def test_an_import_that_fails_blames_the_file(folder: Path, source: str, reason: str) -> None:
    write(folder, dataplug_py=source)
    assert broken(folder) == f"{folder / 'dataplug.py'} cannot be imported: {reason}"


def test_a_syntax_error_blames_the_file(folder: Path) -> None:
    write(folder, dataplug_py="class MyPlug(:\n")
    assert broken(folder).startswith(f"{folder / 'dataplug.py'} cannot be imported: SyntaxError: ")


def test_a_module_beside_it_is_imported(folder: Path) -> None:
    (folder / "my_folder_helper.py").write_text("ANSWER = 42\n", encoding="utf-8")
    write(folder, dataplug_py=f"from my_folder_helper import ANSWER\n{PLUG.replace('return keys', 'return ANSWER')}")
    assert read_user_folder(folder).plug().get_data("a") == 42


def test_a_module_beside_it_does_not_hide_an_installed_one(folder: Path) -> None:
    (folder / "pluggy.py").write_text("raise AssertionError\n", encoding="utf-8")
    assert read_user_folder(write(folder, dataplug_py=f"import pluggy\n{PLUG}")).plug.__name__ == "MyPlug"


def test_a_file_changed_since_is_read_again(folder: Path) -> None:
    read_user_folder(write(folder, dataplug_py=PLUG))
    write(folder, dataplug_py=PLUG.replace("MyPlug", "Changed"))
    assert read_user_folder(folder).plug.__name__ == "Changed"
