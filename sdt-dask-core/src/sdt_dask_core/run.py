"""What came of a run, read from its ledger."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.due import VANISHED
from sdt_dask_core.errors import InvalidKeyError
from sdt_dask_core.keys import canonical_text, key_from_user_text
from sdt_dask_core.ledger import LedgerReader
from sdt_dask_core.report.files import write_pieces
from sdt_dask_core.report.tables import errors_table, result_columns, results_table, summary_table, withheld_table
from sdt_dask_core.settings import RunSettings

if TYPE_CHECKING:
    import pandas as pd

    from sdt_dask_core.analyses import Analysis, Column
    from sdt_dask_core.comparison import Comparison
    from sdt_dask_core.publishing.publish import Published
    from sdt_dask_core.system_result import SystemResult

__all__ = ["Run"]

_PIECE = 1000  # rows of a table that are held while it is written
_MOST_SHOWN = 20  # rows of a table in a notebook
# Columns of results in a notebook, those that there are.
_SHOWN = (
    *("key", "status", "grade", "capacity_kw", "length_years", "quality_score"),
    *("degradation_rate_pct_per_year", "total_loss_pct", "reasons"),
)


class Run:
    """A run and its tables.

    Parameters
    ----------
    output : path
        The output folder.
    run_id : str, optional
        Default: the newest run there.

    Raises
    ------
    LedgerError
        There is no such run.

    Attributes
    ----------
    run_id : str
        Its id in the ledger.
    state : str
        "running", "complete", "interrupted" or "lost".
    counts : dict
        Keys by state (todo, done, failed, skipped) and systems by grade (``grade:ok`` …).
    reasons : dict
        Keys by why they ran or not: "new", "changed: data", "unchanged", "vanished" …
    vanished : list of str
        The canonical text of each key that the source had before and has no longer.
    """

    def __init__(self, output: Path | str, run_id: str | None = None) -> None:
        self.output = Path(output)
        with LedgerReader(self.output) as ledger:
            row = ledger.run(run_id)
            self.run_id = row.run_id
            self.state = row.state
            self.started_at, self.ended_at = row.started_at, row.ended_at
            self.versions = row.versions
            self.counts = ledger.counts(row.run_id)
            self.reasons = ledger.reasons(row.run_id)
            self.vanished = ledger.keys_because(row.run_id, VANISHED)
        self.settings = RunSettings.from_dict(row.settings)
        self._report_page: Path | None = None

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The result columns with their units and sources."""
        analyses: list[Analysis] = [reference.build() for reference in self.settings.job.analyses]
        return result_columns(analyses)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Every key with its whole outcome under ``body``: values, findings, what was printed, times, traceback."""
        with LedgerReader(self.output) as ledger:
            return list(ledger.rows(self.run_id))

    def first_rows(self, most: int) -> list[dict[str, Any]]:
        """Return the first of `rows`, without those after them in memory.

        Parameters
        ----------
        most : int
            How many at most.
        """
        with LedgerReader(self.output) as ledger:
            return list(islice(ledger.rows(self.run_id), most))

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row per key, units in the column names; what cannot be trusted is left empty."""
        return results_table(self.rows, self.columns)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """One row per failed key: cause, message, stage, fix."""
        with LedgerReader(self.output) as ledger:
            return errors_table(ledger.failed_rows(self.run_id))

    @cached_property
    def withheld(self) -> pd.DataFrame:
        """One row per withheld system: the numbers that `results` leaves empty, with the reasons; for diagnosis."""
        return withheld_table(self.rows, self.columns)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Median and spread of each result over the trusted systems, with the number of systems used."""
        return summary_table(self.results, self.columns)

    @cached_property
    def fleet_median(self) -> float | None:
        """Median degradation rate of the trusted systems [%/yr], to two digits; None where none has a rate."""
        name = "degradation_rate_pct_per_year"
        if name not in self.summary.index or not self.summary.loc[name, "n_used"]:
            return None
        return round(float(self.summary.loc[name, "median"]), 2)  # type: ignore[arg-type]

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far, the time between stopping and resuming it included [s]."""
        end = dt.datetime.fromisoformat(self.ended_at) if self.ended_at else dt.datetime.now(dt.timezone.utc)
        return max(0.0, (end - dt.datetime.fromisoformat(self.started_at)).total_seconds())

    def system(self, key: Any) -> SystemResult:
        """Return one system with its numbers and figures.

        Parameters
        ----------
        key : object
            A key, or its text as the tables show it.

        Raises
        ------
        InvalidKeyError
            The run has no such key.
        """
        from sdt_dask_core.picture import unpack
        from sdt_dask_core.system_result import SystemResult

        row = self._row_of(key)
        with LedgerReader(self.output) as ledger:
            data = ledger.picture(self.run_id, row["key"])
        picture = None if data is None else unpack(data)
        return SystemResult(row, self.columns, picture=picture, fleet_median=self.fleet_median)

    def _row_of(self, key: Any) -> dict[str, Any]:
        wanted = {canonical_text(key)} | ({canonical_text(key_from_user_text(key))} if isinstance(key, str) else set())
        for row in self.rows:
            if row["key"] in wanted:
                return row
        raise InvalidKeyError(f"run {self.run_id} has no key {key!r}; run.results['key'] lists what it has")

    def report(
        self, folder: Path | str | None = None, *, formats: Iterable[str] = (), seconds: float | None = None
    ) -> Path:
        """Write the report, a folder of HTML pages that open from the disk; return the first page.

        It is made from the ledger alone. The page of a system that did not change is kept as it is.

        Parameters
        ----------
        folder : path, optional
            Where to; default ``report`` in the output folder.
        formats : iterable of str
            "svg" or "pdf": the six panels of each system also as such a file.
        seconds : float, optional
            How long pages of systems may be drawn [s], those first that need attention; default, as long as it takes.

        Raises
        ------
        ConfigurationError
            The folder cannot be written, or there is no such format.
        """
        from sdt_dask_core.report.site import write_report

        place = None if folder is None else Path(folder)
        self._report_page = write_report(self, place, formats=formats, seconds=seconds)
        return self._report_page

    @property
    def report_page(self) -> Path | None:
        """The first page of the report; None where there is none of this run as it is now."""
        from sdt_dask_core.report.site import page_of

        return self._report_page or page_of(self)

    def write_tables(self) -> None:
        """Write ``results.csv`` and ``errors.csv`` into the output folder, each whole or not at all.

        Raises
        ------
        ConfigurationError
            The folder cannot be written.
        """
        with LedgerReader(self.output) as ledger:
            results = (results_table(rows, self.columns) for rows in _pieces(ledger.rows(self.run_id)))
            write_pieces(results, self.output / "results.csv")
            errors = (errors_table(rows) for rows in _pieces(ledger.failed_rows(self.run_id)))
            write_pieces(errors, self.output / "errors.csv")

    def export(self, path: Path | str, what: str = "results") -> Path:
        """Write a table, or the whole run as JSON, to a file: whole or not at all.

        Parameters
        ----------
        path : path
            Its extension decides: ``.csv``, ``.parquet``, ``.xlsx``, or ``.json`` for the whole run.
        what : str
            "results", "errors", "withheld" or "summary"; JSON holds all of a run and takes "results" only.

        Raises
        ------
        ConfigurationError
            There is no such table or format, or the file cannot be written.
        """
        from sdt_dask_core.report.export import export_run

        return export_run(self, path, what)

    def publish(self, publisher: Any, options: Mapping[str, Any] | None = None) -> Published:
        """Bring the results to where others read them, each row once, however often this is repeated.

        Parameters
        ----------
        publisher : str, type or Publisher
            The name of an installed publisher, a class, or an instance.
        options : mapping, optional
            Its options, secrets as references.

        Raises
        ------
        ConfigurationError
            There is no such publisher, an option is wrong, or it cannot work from here.
        PublishError
            The target failed; what it took stands, and publishing again writes the rest.
        """
        from sdt_dask_core.publishing.publish import publish_run

        return publish_run(self, publisher, options)

    def compare(self, earlier: Run, *, tolerance: float = 0.05) -> Comparison:
        """Hold this run against an earlier one: what is new, gone, fixed, broken, and which numbers moved.

        Parameters
        ----------
        earlier : Run
            Of the same output folder, or of another.
        tolerance : float
            How far a number without an interval may move: a share of the larger of the two, and of a share itself
            (unit 1 or %) a difference [1].
        """
        from sdt_dask_core.comparison import compare_runs

        return compare_runs(earlier, self, tolerance=tolerance)

    @property
    def n_systems(self) -> int:
        """Number of keys."""
        return sum(self.counts.get(state, 0) for state in ("todo", "done", "failed", "skipped"))

    @property
    def exit_code(self) -> int:
        """0 when every key is done, 1 when some failed or are to do."""
        return 1 if self.counts.get("failed") or self.counts.get("todo") else 0

    def __repr__(self) -> str:
        return f"<Run {self.run_id} in {str(self.output)!r}: {self.state}; {self.headline}>"

    @property
    def headline(self) -> str:
        """Counts in one line."""
        states = [f"{self.counts[s]} {s}" for s in ("done", "skipped", "failed", "todo") if self.counts.get(s)]
        grades = [f"{self.counts.get(f'grade:{g}', 0)} {g}" for g in ("ok", "caution", "withheld")]
        return f"{', '.join(states)}; graded {', '.join(grades)}"

    def _repr_html_(self) -> str:
        # pandas escapes what it shows, so a hostile key stays text.
        page = self.report_page
        link = f'<p><a href="{html.escape(page.absolute().as_uri())}">the report</a></p>' if page else ""
        results = results_table(self.first_rows(_MOST_SHOWN), self.columns)
        shown = results[[name for name in _SHOWN if name in results]]
        tables = f"<p>Run {self.run_id}: {self.state}; {self.headline}</p>{link}{_first_of(shown, self.n_systems)}"
        return tables if self.errors.empty else f"{tables}<p>Failed</p>{_first_of(self.errors, len(self.errors))}"


def _first_of(table: pd.DataFrame, count: int) -> str:
    more = f"<p>and {count - _MOST_SHOWN} more</p>" if count > _MOST_SHOWN else ""
    first = table.head(_MOST_SHOWN).to_html(index=False, na_rep="", float_format="{:.4g}".format)
    return f'<div style="overflow-x: auto">{first}</div>{more}'


def _pieces(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in lists of a bounded length; one that is empty where there is none."""
    piece = list(islice(rows, _PIECE))
    yield piece
    while piece := list(islice(rows, _PIECE)):
        yield piece
