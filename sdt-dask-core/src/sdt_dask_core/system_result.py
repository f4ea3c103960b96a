"""One system of a run: what came of it, and its figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sdt_dask_core.analyses.grades import Grade
from sdt_dask_core.causes import fix_of
from sdt_dask_core.report.words import number, one_line, shown_key, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sdt_dask_core.analyses import Column
    from sdt_dask_core.picture import Picture

__all__ = ["SystemResult"]

_NUMBERS_IN_HEADLINE = {
    "capacity_kw": "{} kW",
    "sampling_interval_minutes": "every {} min",
    "length_years": "{} years",
    "quality_score": "quality {}",
    "degradation_rate_pct_per_year": "{} %/yr",
}


class SystemResult:
    """What came of one system, as `Run.system` returns it.

    Parameters
    ----------
    row : mapping
        As `LedgerReader.rows` yields it.
    columns : iterable of Column
        The result columns.
    picture : Picture, optional
        What its figures show.
    fleet_median : float, optional
        Median degradation rate of the trusted systems of the run [%/yr].

    Attributes
    ----------
    key : str
        Canonical text of the key.
    label : str
        The key as people read it.
    grade : str
        "ok", "caution" or "withheld"; of a system without a result "failed" or "todo".
    reasons : list of str
        Why it has this grade.
    values : dict
        Result columns by name; None where a number is withheld or there is none.
    message, cause, fix : str
        Why it failed and what to do; empty where it did not.
    findings : list of dict
        What the checks of the frame found, and what they repaired.
    picture : Picture or None
        The arrays that its figures show.
    body : dict
        The whole outcome as the ledger holds it.
    """

    def __init__(
        self,
        row: Mapping[str, Any],
        columns: Iterable[Column],
        *,
        picture: Picture | None = None,
        fleet_median: float | None = None,
    ) -> None:
        self.row = row
        self.columns = tuple(columns)
        self.picture = picture
        self.fleet_median = fleet_median
        self.key: str = row["key"]
        self.label = shown_key(self.key)
        self.body: dict[str, Any] = row["body"] or {}
        is_done = row["status"] == "done"
        self.grade: str = row["grade"] if is_done else row["status"] or row["state"]
        reasons = [one_line(reason) for reason in self.body.get("reasons", [])] if is_done else []
        # Those that decided the grade first.
        self.reasons = sorted(reasons, key=lambda reason: not reason.startswith(f"{self.grade}: "))
        self.findings: list[dict[str, Any]] = self.body.get("findings", [])
        self.message = text(row["message"] or "")
        self.cause = row["cause"] or ""
        self.fix = fix_of(self.cause) if self.cause else ""
        self.values = self._trusted()

    def _trusted(self) -> dict[str, Any]:
        found = self.body.get("columns", {})
        is_trusted = self.grade in (Grade.OK.value, Grade.CAUTION.value)
        return {c.name: found.get(c.name) if is_trusted or not c.is_withheld else None for c in self.columns}

    @property
    def withheld(self) -> set[str]:
        """The columns that have a number which is not shown."""
        found = self.body.get("columns", {})
        return {c.name for c in self.columns if self.values[c.name] is None and found.get(c.name) is not None}

    @property
    def headline(self) -> str:
        """Grade and key numbers in one line."""
        known = [
            words.format(number(self.values[name]))
            for name, words in _NUMBERS_IN_HEADLINE.items()
            if self.values.get(name) is not None
        ]
        return " · ".join([self.grade.upper(), *known])

    def why_no(self, analysis: str) -> str:
        """Return why the numbers of an analysis are not shown."""
        if self.grade == "failed":
            return f"failed: {self.message}"
        start = f"{Grade.WITHHELD.value}: "
        reasons = [reason.removeprefix(start) for reason in self.reasons if reason.startswith(start)]
        if reasons:
            return "withheld: " + "; ".join(reasons)
        return f"the analysis {analysis!r} was not run, or gave no number"

    def plot(self) -> Figure:
        """Return a figure with the six panels of the system; see `sdt_dask_core.figures` for each of them."""
        from sdt_dask_core.figures import page

        return page(self)

    def __repr__(self) -> str:
        return f"<SystemResult {self.label!r}: {self.headline}>"

    def _repr_html_(self) -> str:
        import base64

        from sdt_dask_core.figures import image

        data = base64.b64encode(image(self.plot())).decode("ascii")
        why = html.escape("; ".join(self.reasons) or self.message)
        return (
            f"<p><b>{html.escape(self.label)}</b> {html.escape(self.headline)}</p><p>{why}</p>"
            f'<img alt="Six panels of the system" style="max-width: 100%" src="data:image/png;base64,{data}">'
        )
