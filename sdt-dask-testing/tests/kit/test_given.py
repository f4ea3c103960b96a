"""What an author gives to the kit: as values, as fixtures of any scope, or not at all."""

from __future__ import annotations

import pytest

from .conftest import Project

HEAD = """
import os, pathlib
import pytest
import acme_plugs
from sdt_dask_testing import PlainPlugContract, PlugContract

"""

FIXTURES = """
class TestIt(PlainPlugContract):
    plug = acme_plugs.GoodPlug

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls):
        return pathlib.Path(os.environ["ACME_DATA"])

    @pytest.fixture
    def options(self, folder):
        return {"path": folder}

    @pytest.fixture(scope="class")
    @classmethod
    def known_key(cls):
        return "b"

    @pytest.fixture
    def missing_key(self):
        return ["z"]
"""

REFUSED = """
class TestIt(PlainPlugContract):
    plug = acme_plugs.GoodPlug
    options = {"pth": "data"}
    known_key = ("a",)
    missing_key = ("z",)
"""

MOCKED = """
class TestIt(PlainPlugContract):
    plug = acme_plugs.GoodPlug
    known_key = ("a",)
    missing_key = ("z",)
    options = {"path": "somewhere"}

    @pytest.fixture(autouse=True)
    def mock(self, monkeypatch):
        here = pathlib.Path(os.environ["ACME_DATA"])
        monkeypatch.setattr(acme_plugs.GoodPlug, "file", lambda self, key: here / f"{key[0]}.csv")
"""

SHORT_SECRET = """
os.environ["ACME_TOKEN"] = "abc"

class TestIt(PlainPlugContract):
    plug = acme_plugs.GoodPlug
    known_key = ("a",)
    missing_key = ("z",)
    options = {"path": os.environ["ACME_DATA"], "token": "env:ACME_TOKEN"}
"""


@pytest.fixture(scope="module")
def installed(project: Project) -> Project:
    project.install("acme-plugs", entry_points=["good = acme_plugs:GoodPlug"], top_level="acme_plugs")
    return project


@pytest.mark.parametrize("name", ["plug", "known_key", "missing_key"])
def test_what_is_not_given_is_asked_for(installed: Project, name: str) -> None:
    given = {"plug": "acme_plugs.GoodPlug", "known_key": "('a',)", "missing_key": "('z',)"} | {name: "None"}
    lines = [f"    {name} = {value}" for name, value in given.items()]
    options = "    options = {'path': os.environ['ACME_DATA']}"
    results = installed.run("\n".join([HEAD, "class TestIt(PlainPlugContract):", *lines, options]))
    asked = [words for words in results.words.values() if f"write {name} = " in words]
    assert asked
    assert all("TestIt" in words for words in asked)


def test_fixtures_of_any_scope_give_what_values_do(installed: Project) -> None:
    results = installed.run(HEAD + FIXTURES)
    assert list(results.words) == [("TestIt", "test_fingerprint_follows_the_source")]


def test_options_that_are_refused_are_told(installed: Project) -> None:
    words = installed.run(HEAD + REFUSED).words["TestIt", "test_the_options_given_are_taken"]
    assert "has no option 'pth'; did you mean 'path'?" in words


def test_importing_the_contract_into_a_module_collects_nothing(installed: Project) -> None:
    results = installed.run(HEAD + "def test_mine(): pass\n")
    assert {test for tests in results.outcomes.values() for test in tests} == {"test_mine"}


def test_a_plug_that_works_in_this_process_alone_is_told_so(installed: Project) -> None:
    words = installed.run(HEAD + MOCKED).words["TestIt", "test_a_fresh_process_reads_the_same_frame"]
    assert "works here, and in a fresh process it raised KeyNotFoundError" in words


def test_a_secret_of_the_author_that_is_too_short_is_told(installed: Project) -> None:
    words = installed.run(HEAD + SHORT_SECRET).words["TestIt", "test_no_secret_shows"]
    assert "the value of token is too short to be looked for" in words
