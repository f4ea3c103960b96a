"""Which tool is asked, where it looks, and what happens when it cannot answer."""

import importlib.util
import os
import re
import shutil
import socket
import sys

import psutil
import pytest
import uv

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.resolution import by_uv, check
from sdt_dask_core.resolution.program import OutOfTimeError, UnreachableError
from sdt_dask_core.resolution.settings import uv_settings


def hide(monkeypatch, *modules):
    """Let no import find these, and nothing on the path."""
    monkeypatch.setenv("PATH", os.devnull)
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in modules else found(name, *more)
    )


def ask(here, *requirements, **more):
    return check(requirements, path=[str(here.site)], **more)


def test_uv_of_this_environment_is_found_without_a_path(index, here, monkeypatch):
    hide(monkeypatch)
    assert ask(here, "click").tool.startswith("uv ")


def test_uv_that_does_not_run_is_passed_over(index, here, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "bin" / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert by_uv.find_uv().command == (str(uv.find_uv_bin()),)


def test_pip_is_asked_where_there_is_no_uv(index, here, monkeypatch):
    hide(monkeypatch, "uv")
    assert ask(here, "click").tool.startswith("pip ")


def test_neither_is_told(index, here, monkeypatch):
    hide(monkeypatch, "uv", "pip")
    with pytest.raises(ConfigurationError, match=r"^neither uv nor pip runs here, and one of the two must look"):
        ask(here, "click")


def test_the_one_that_was_wanted_and_is_not_there_is_told(index, here, monkeypatch):
    hide(monkeypatch, "uv")
    with pytest.raises(ConfigurationError, match=r"^uv does not run here"):
        ask(here, "click", tool="uv")


@pytest.fixture
def closed_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        yield listening.getsockname()[1]  # bound, but nobody listens


def test_an_index_that_cannot_be_reached_is_no_conflict(index, here, tool, monkeypatch, closed_port):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port}/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(UnreachableError, match="no answer, because an index cannot be reached; this is no conflict"):
        ask(here, "acme-plug", tool=tool)


@pytest.fixture
def _silent_index(index, monkeypatch):
    """Takes every connection, and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{listening.getsockname()[1]}/simple")
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_silent_index")
def test_a_tool_that_takes_too_long_is_ended(here, tool, tmp_path):
    """With the process that pip starts for another Python."""
    advice = "install uv" if tool == "pip" else "allow more time with --timeout"
    with pytest.raises(OutOfTimeError, match=re.escape(advice)):
        ask(here, "acme-plug", tool=tool, seconds=8)
    assert [
        process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info["cmdline"])
    ] == []


def settings(monkeypatch, tmp_path, configuration, **environment):
    """Return what uv is told, with this configuration of pip."""
    (tmp_path / "pip.conf").write_text(configuration)
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return uv_settings(os.environ)


PIP_CONF = """
[global]
index-url = https://example.org/simple
extra-index-url =
    https://example.com/one
    https://example.com/two
find-links = /some/wheels
    /more/wheels
cert = /etc/own.pem
[install]
no-index = true
"""


def test_uv_looks_where_pip_looks(monkeypatch, tmp_path):
    assert settings(monkeypatch, tmp_path, PIP_CONF) == (
        {
            "UV_DEFAULT_INDEX": "https://example.org/simple",
            "UV_INDEX": "https://example.com/one https://example.com/two",
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_FIND_LINKS": "/some/wheels,/more/wheels",
            "SSL_CERT_FILE": "/etc/own.pem",
        },
        ["--no-index"],
    )


def test_a_variable_of_pip_wins_over_its_file(monkeypatch, tmp_path):
    found, _ = settings(monkeypatch, tmp_path, PIP_CONF, PIP_INDEX_URL="https://example.net/simple")
    assert found["UV_DEFAULT_INDEX"] == "https://example.net/simple"


def test_what_uv_was_told_itself_wins(monkeypatch, tmp_path):
    own = {"UV_INDEX_URL": "https://mine.example", "UV_EXTRA_INDEX_URL": "https://more.example"}
    found, _ = settings(monkeypatch, tmp_path, PIP_CONF, **own)
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_STRATEGY"} & found.keys()


def test_without_pip_uv_is_told_nothing(monkeypatch, tmp_path):
    hide(monkeypatch, "pip")
    assert settings(monkeypatch, tmp_path, PIP_CONF) == ({}, [])


def test_a_configuration_in_the_current_folder_is_not_ours(index, here, tool, monkeypatch, tmp_path):
    """That of uv in a project overrides requirements, to take part in which is not what was asked."""
    monkeypatch.delenv("UV_NO_CONFIG", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        "[project]\nname = 'p'\nversion = '1'\n"
        "[tool.uv]\noverride-dependencies = [\"acme-sdk; python_version < '3'\"]\n"
    )
    monkeypatch.chdir(project)
    index("acme-plug", "1.0", "acme-sdk")
    assert not ask(here, "acme-plug", tool=tool).installs


PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "acme-plug"
version = "0.7"
dependencies = ["click<8"]
[project.optional-dependencies]
fast = ["acme-sdk"]
[tool.hatch.build.targets.wheel]
packages = ["acme_plug"]
"""


@pytest.fixture
def project(tmp_path, index, monkeypatch):
    """A folder, to be built with the backend that is installed here."""
    monkeypatch.setenv("UV_NO_BUILD_ISOLATION", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # which means the same
    folder = tmp_path / "acme-plug"
    (folder / "acme_plug").mkdir(parents=True)
    (folder / "acme_plug" / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(PROJECT)
    return folder


def test_a_folder_is_built_and_left_as_it_was(here, tool, project, sides):
    before = sorted(project.rglob("*"))
    answer = ask(here, str(project), tool=tool)
    assert sides(answer) == [("acme-plug 0.7", "click<8"), ("sdt-dask-core 0.1.0", "click>=8.1")]
    assert sorted(project.rglob("*")) == before


def test_a_folder_may_be_asked_for_with_an_extra(index, here, tool, project):
    index("acme-sdk", "1.0")
    (project / "pyproject.toml").write_text(PROJECT.replace("click<8", "click"))
    assert ask(here, f"{project}[fast]", tool=tool).added == {"acme-plug": "0.7", "acme-sdk": "1.0"}


def test_a_folder_that_does_not_build_is_told(here, tool, project):
    (project / "pyproject.toml").write_text("[project]\nname = 'acme-plug'\n")
    with pytest.raises(ConfigurationError, match="acme-plug does not build a wheel: "):
        ask(here, str(project), tool=tool)


def test_a_wheel_is_asked_about_by_its_path(index, here, tool, tmp_path, sides):
    wheel = index("acme-plug", "1.0", "click<8")
    (tmp_path / "elsewhere").mkdir()
    shutil.move(wheel, tmp_path / "elsewhere")
    answer = ask(here, f"./elsewhere/{wheel.name}", tool=tool)
    assert sides(answer) == [("acme-plug 1.0", "click<8"), ("sdt-dask-core 0.1.0", "click>=8.1")]


def test_options_of_a_requirements_file_hold(index, here, tool, tmp_path, monkeypatch):
    wheel = index("acme-plug", "1.0")
    (tmp_path / "elsewhere").mkdir()
    shutil.move(wheel, tmp_path / "elsewhere")
    (tmp_path / "requirements.txt").write_text("-f elsewhere\nacme-plug==1.0 --hash=sha256:00\n")
    answer = check([], [tmp_path / "requirements.txt"], tool=tool, path=[str(here.site)])
    assert answer.added == {"acme-plug": "1.0"}
