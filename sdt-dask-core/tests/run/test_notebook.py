"""Progress below a cell of a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from sdt_dask_core import Progress
from sdt_dask_core.notebook import NotebookProgress, observer_of_notebook


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What IPython would show, each time as HTML."""
    pages: list[str] = []

    def display(what: Any, display_id: bool) -> Any:
        pages.append(what._repr_html_())
        return SimpleNamespace(update=lambda what: pages.append(what._repr_html_()))

    module = SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=module, get_ipython=lambda: None))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return pages


def test_it_shows_the_start_at_once_and_the_end_always(shown: list[str]) -> None:
    observe = NotebookProgress().observe
    observe(Progress(total=2))
    observe(Progress(total=2, failed=1))
    observe(Progress(total=2, failed=2))
    assert ['value="0"' in shown[0], 'value="2"' in shown[-1], len(shown)] == [True, True, 2]


def test_it_links_the_dashboard_of_dask(shown: list[str]) -> None:
    NotebookProgress().observe(Progress(total=1, dashboard='http://127.0.0.1:8787/status?a="b"'))
    assert '<a href="http://127.0.0.1:8787/status?a=&quot;b&quot;"' in shown[0]


def test_what_is_no_address_is_no_link(shown: list[str]) -> None:
    NotebookProgress().observe(Progress(total=1, dashboard="javascript:alert(1)"))
    assert "<a " not in shown[0]


def test_a_terminal_of_ipython_is_no_notebook(shown: list[str]) -> None:
    assert observer_of_notebook() is None


def test_a_kernel_is_one(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace(kernel=object()), raising=False)
    assert observer_of_notebook() is not None
