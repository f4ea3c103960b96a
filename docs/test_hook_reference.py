"""The hook reference, as its readers get it: built, and compared with what pluggy knows of the hookspecs."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pluggy
import pytest

from sdt_dask_core import hookspecs

DOCS = Path(__file__).parent


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The built page, as text."""
    out = tmp_path_factory.mktemp("html")
    build = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(DOCS), str(out), str(DOCS / "reference/hooks.md")]
    subprocess.run(build, check=True, timeout=300)
    return html.unescape(re.sub(r"<[^>]+>", "", (out / "reference/hooks.html").read_text(encoding="utf-8")))


def specifications() -> dict[str, tuple[str, ...]]:
    """Every hook that pluggy finds in the hookspecs, with its arguments."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    callers = [caller for caller in vars(manager.hook).values() if isinstance(caller, pluggy.HookCaller)]
    return {caller.name: tuple(caller.spec.argnames) for caller in callers if caller.spec is not None}


def test_there_are_hooks() -> None:
    assert {"get_data", "list_keys", "make_client", "run_finished"} <= specifications().keys()


@pytest.mark.parametrize("name", specifications())
def test_the_reference_has_the_hook_with_its_arguments_and_text(page: str, name: str) -> None:
    assert f"{name}({', '.join(specifications()[name])})" in page
    summary = (getattr(hookspecs, name).__doc__ or "").partition("\n")[0]
    assert summary
    assert summary in page
