"""What a plug on the driver prints or logs comes to the terminal without its secrets."""

import logging
import sys

import pytest

from sdt_dask_core import secret as secret_module
from sdt_dask_core.cli.streams import without_secrets
from sdt_dask_core.secret import Secret

CANARY = "canary-7f3a9c"


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setattr(secret_module, "_revealed", set())
    monkeypatch.setenv("SOME_KEY", CANARY)
    Secret("env:SOME_KEY").reveal()


def test_what_is_printed_has_no_secret(capsys):
    with without_secrets():
        print(f"logged in with {CANARY}")  # noqa: T201 - as a plug does
        sys.stderr.writelines([f"and {CANARY}\n", "done\n"])
    assert capsys.readouterr() == ("logged in with ***\n", "and ***\ndone\n")


def test_what_is_logged_has_none(capsys):
    with without_secrets():
        handler = logging.StreamHandler()
        handler.emit(logging.LogRecord("a", logging.ERROR, __file__, 1, "key %s", (CANARY,), None))
    assert capsys.readouterr().err == "key ***\n"


def test_the_streams_are_those_of_before_afterwards():
    before = (sys.stdout, sys.stderr)
    with without_secrets():
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
