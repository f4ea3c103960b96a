"""Progress of a run in a notebook: a bar and a line below the cell, renewed while the run goes on."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from typing import Any

from sdt_dask_core.pace import Pace
from sdt_dask_core.progress import Progress

__all__ = ["NotebookProgress", "observer_of_notebook"]

_NOT_SOONER = 0.5  # s between two pictures


def observer_of_notebook() -> Callable[[Progress], None] | None:
    """Return what shows progress below the cell that runs; None where this is no notebook."""
    # Who runs in a notebook has imported it; nobody else pays for the import.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return NotebookProgress().observe if getattr(shell, "kernel", None) is not None else None


class NotebookProgress:
    """A bar and a line below a cell."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._shown: Any = None
        self._shown_at = 0.0

    def observe(self, progress: Progress) -> None:
        """Show how far the run is, when it is time to."""
        self._pace.update(progress)
        now = time.monotonic()
        if progress.todo and self._shown is not None and now - self._shown_at < _NOT_SOONER:
            return
        self._shown_at = now
        if self._shown is None:
            from IPython.display import display

            self._shown = display(self, display_id=True)
        else:
            self._shown.update(self)

    def __repr__(self) -> str:
        return self._pace.text

    def _repr_html_(self) -> str:
        pace = self._pace
        done, words = pace.skipped + pace.finished, html.escape(pace.text)
        link = ""
        if pace.dashboard.startswith(("http://", "https://")):
            link = f' · <a href="{html.escape(pace.dashboard)}" target="_blank" rel="noreferrer">Dask\'s dashboard</a>'
        bar = f'<progress style="width: 20em" max="{max(1, pace.total)}" value="{done}" aria-label="systems done">'
        return f"<div>{bar}</progress> {words}{link}</div>"
