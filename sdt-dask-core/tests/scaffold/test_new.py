"""``sdt-dask new``: what it writes, and what it leaves alone."""

from __future__ import annotations

import ast
import datetime
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdt_dask_core.scaffold import files_of, names_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLUG = Path("sdt-dask-plug-acme")
KINDS = ("plug", "client")
LONGEST = "a2" * 14 + "-b"


def settings(folder: Path = PLUG) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def test_a_plug_has_every_file_of_a_distribution(invoke):
    assert invoke("new", "plug", "acme").exit_code == 0
    assert sorted(path.relative_to(PLUG).as_posix() for path in PLUG.rglob("*") if path.is_file()) == [
        ".github/workflows/tests.yml",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/sdt_dask_plug_acme/__init__.py",
        "src/sdt_dask_plug_acme/plug.py",
        "src/sdt_dask_plug_acme/py.typed",
        "tests/conftest.py",
        "tests/test_contract.py",
        "tests/test_plug.py",
    ]


def test_nothing_else_is_left(invoke, tmp_path: Path):
    invoke("new", "client", "acme")
    assert list(tmp_path.iterdir()) == [tmp_path / "sdt-dask-client-acme"]


def test_the_next_commands_are_told(invoke, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["python -m pytest"])
    assert invoke("new", "plug", "acme").stdout == (
        "wrote sdt-dask-plug-acme, 12 files; the places to change are marked EDIT\n"
        "\n"
        "next:\n"
        "  cd sdt-dask-plug-acme\n"
        f'  {sys.executable} -m pip install -e ".[tests]"\n'
        f"  {sys.executable} -m pytest\n"
        f"  {sys.executable} -m sdt_dask_core.cli plugs acme\n"
    )


def test_python_is_called_as_the_shell_finds_it(invoke, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: str(Path(sys.executable).with_name(name)))
    assert '\n  python -m pip install -e ".[tests]"\n  python -m pytest\n' in invoke("new", "plug", "acme").stdout


def test_without_pip_uv_installs(invoke, monkeypatch: pytest.MonkeyPatch):
    """Environments that uv made have no pip."""
    monkeypatch.setattr(shutil, "which", lambda name: str(Path(sys.executable).with_name(name)))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert '  uv pip install --python python -e ".[tests]"\n' in invoke("new", "plug", "acme").stdout


def test_another_folder_takes_it(invoke, tmp_path: Path):
    (tmp_path / "my plugs").mkdir()
    result = invoke("new", "plug", "acme", "--output", "my plugs")
    assert (tmp_path / "my plugs" / "sdt-dask-plug-acme" / "pyproject.toml").is_file()
    assert "  cd 'my plugs/sdt-dask-plug-acme'\n" in result.stdout


def test_the_range_on_core_is_that_of_the_contract(invoke):
    """From the release that wrote it to the next major version."""
    invoke("new", "plug", "acme")
    assert "sdt-dask-core>=0.1,<1" in settings()["project"]["dependencies"]
    assert "sdt-dask-testing>=0.1,<1" in settings()["project"]["optional-dependencies"]["tests"]


@pytest.mark.parametrize(("version", "wanted"), [("0.7.3", ">=0.7,<1"), ("2.0", ">=2.0,<3"), ("1.1rc1", ">=1.1rc1,<2")])
def test_the_range_follows_the_release_of_core(monkeypatch: pytest.MonkeyPatch, version: str, wanted: str):
    monkeypatch.setattr("sdt_dask_core.scaffold.files.version", lambda _: version)
    assert f'"sdt-dask-core{wanted}"' in files_of(names_of("plug", "acme"), author="A")["pyproject.toml"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_point_names_the_class(invoke, kind: str):
    invoke("new", kind, "my-store")
    entry_points = settings(Path(f"sdt-dask-{kind}-my-store"))["project"]["entry-points"]
    assert entry_points == {f"sdt_dask.{kind}s": {"my-store": f"sdt_dask_{kind}_my_store:MyStore{kind.capitalize()}"}}


def test_the_author_given_holds_the_copyright(invoke):
    author = 'Ada "Ace" O\'Neil \\ Söhne'
    invoke("new", "plug", "acme", "--author", author)
    licence = (PLUG / "LICENSE").read_text(encoding="utf-8")
    assert f"Copyright (c) {datetime.date.today().year}, {author}\n" in licence
    assert settings()["project"]["authors"] == [{"name": author}]


def test_without_an_author_the_developers_hold_it(invoke):
    invoke("new", "plug", "acme")
    assert settings()["project"]["authors"] == [{"name": "The acme developers"}]


def test_git_knows_the_author(invoke, tmp_path: Path):
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "config", "user.name", "Ada Ace"], cwd=tmp_path, check=True)
    invoke("new", "plug", "acme")
    assert settings()["project"]["authors"] == [{"name": "Ada Ace"}]


@pytest.mark.parametrize("author", ["", "  ", "two\nlines", "bell\a"])
def test_an_author_who_is_no_line_of_text_is_refused(invoke, tmp_path: Path, author: str):
    result = invoke("new", "plug", "acme", "--author", author)
    assert result.exit_code == 2
    assert "--author cannot be" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_stays_as_it_is(invoke):
    PLUG.mkdir()
    (PLUG / "mine.txt").write_text("mine", encoding="utf-8")
    result = invoke("new", "plug", "acme")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: sdt-dask-plug-acme is there already and stays as it is; choose another name or --output\n"
    )
    assert [path.name for path in PLUG.iterdir()] == ["mine.txt"]


def test_a_link_that_leads_nowhere_stays_as_it_is(invoke):
    PLUG.symlink_to("gone")
    assert "is there already" in invoke("new", "plug", "acme").stderr
    assert PLUG.readlink() == Path("gone")


def test_a_folder_for_it_must_be_there(invoke, tmp_path: Path):
    result = invoke("new", "plug", "acme", "--output", "gone")
    assert result.exit_code == 2
    assert result.stderr == "error: the folder gone is not there; make it, or choose another with --output\n"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_is_named(invoke, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: object, *_: object) -> None:  # root may write everywhere, so that no real folder would do
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    result = invoke("new", "plug", "acme")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: sdt-dask-plug-acme cannot be written: Permission denied; nothing was kept; choose another folder with "
        "--output\n"
    )


def test_a_disk_that_gets_full_leaves_nothing(invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write = Path.write_text

    def fill(path: Path, *arguments: Any, **more: Any) -> int:
        if path.name == "pyproject.toml":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", fill)
    assert "No space left on device; nothing was kept" in invoke("new", "plug", "acme").stderr
    assert not list(tmp_path.iterdir())


def test_a_bad_name_writes_nothing(invoke, tmp_path: Path):
    result = invoke("new", "plug", "../Acme")
    assert result.exit_code == 2
    assert "did you mean 'acme'?" in result.stderr
    assert not list(tmp_path.iterdir())


def test_there_are_plugs_and_clients(invoke):
    result = invoke("new", "addon", "acme")
    assert result.exit_code == 2
    assert "'addon' is not one of 'plug', 'client'" in result.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", LONGEST])
def test_no_line_of_code_is_too_long(kind: Any, name: str):
    files = files_of(names_of(kind, name), author="A")
    lines = [line for path, text in files.items() if path.endswith(".py") for line in text.splitlines()]
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("kind", KINDS)
def test_each_option_is_marked_to_be_edited(kind: Any):
    """A comment stands before ``__init__`` and in what the provider cannot be without."""
    source = files_of(names_of(kind, "acme"), author="A")[f"src/sdt_dask_{kind}_acme/{kind}.py"]
    lines = source.splitlines()
    for function in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        if function.name in ("__init__", "get_data", "list_keys", "fingerprint", "check_access", "make_client"):
            near = lines[function.lineno - 5 : function.end_lineno]
            assert any("# EDIT: " in line for line in near), function.name


@pytest.mark.parametrize("kind", KINDS)
def test_the_tests_run_on_every_python(kind: Any):
    workflow = yaml.safe_load(files_of(names_of(kind, "acme"), author="A")[".github/workflows/tests.yml"])
    jobs = workflow["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert {'python -m pip install ".[tests]"', "python -m pytest", "python -m build"} <= set(commands)
