"""The contract of an analysis: what it needs, what it adds, and in which order analyses run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, ClassVar

from sdt_dask_core.analyses.grades import Verdict
from sdt_dask_core.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Analysis", "Column", "System", "order_analyses"]


@dataclass(frozen=True, slots=True)
class Column:
    """One result column.

    Attributes
    ----------
    name : str
        Clear name with its unit: ``degradation_rate_pct_per_year``.
    unit : str
        "kW", "%/yr", "1" for a share, "count", "bool", "text", "time" for a local
        standard time.
    description : str
        One sentence.
    source : str
        What Solar Data Tools calls it, empty where we compute it.
    is_withheld : bool
        Whether a system graded *withheld* shows no number here.
    interval : tuple of str or None
        The columns with the lower and the upper end of its 95 % interval.
    """

    name: str
    unit: str
    description: str
    source: str = ""
    is_withheld: bool = False
    interval: tuple[str, str] | None = None


@dataclass(slots=True)
class System:
    """One system under analysis, in the process that computes.

    Attributes
    ----------
    power : pandas.Series, shape (n_timestamps,)
        Power [kW], sorted unique DatetimeIndex in local standard time.
    values : dict
        Result columns so far, by name.
    metadata : dict
        What the plug, the manifest or an addon knows of the system.
    objects : dict
        What one analysis hands to the next in memory, such as SDT's ``DataHandler`` under "data_handler".
    """

    power: pd.Series[float]
    values: dict[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)


class Analysis(ABC):
    """One analysis; its ``__init__`` parameters are its options.

    Attributes
    ----------
    name : str
        Name of its entry point.
    version : int
        Raised when its numbers change; a key is analysed again then.
    requires : tuple of str
        Result columns of others that it reads.
    provides : tuple of Column
        Result columns that it adds.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    requires: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[Column, ...]] = ()

    @abstractmethod
    def run(self, system: System) -> Mapping[str, Any]:
        """Compute the columns named in `provides`.

        Raises
        ------
        AnalysisError
            No complete result came out; the key fails with its cause.
        """

    def judge(self, system: System) -> Iterable[Verdict]:
        """Yield the reasons why the numbers are not to be fully trusted; nothing when they are."""
        return ()

    def reason_to_skip(self, system: System) -> str | None:
        """Return why it must not run for this system, or None."""
        return None


def order_analyses(analyses: Sequence[Analysis]) -> list[Analysis]:
    """Return the analyses in the topological order of what they require and provide.

    Raises
    ------
    ConfigurationError
        Two write one column, one needs a column that nobody provides, or they need each other in a circle.
    """
    writers = _writers(analyses)
    graph: dict[str, set[str]] = {}
    for analysis in analyses:
        missing = [column for column in analysis.requires if column not in writers]
        if missing:
            raise ConfigurationError(
                f"analysis {analysis.name!r} needs {', '.join(missing)}, which none of the chosen analyses provides "
                f"({', '.join(a.name for a in analyses)}); add the one that does"
            )
        graph[analysis.name] = {writers[column] for column in analysis.requires}
    try:
        names = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ConfigurationError(f"these analyses need each other in a circle: {' -> '.join(error.args[1])}") from error
    by_name = {analysis.name: analysis for analysis in analyses}
    return [by_name[name] for name in names]


def _writers(analyses: Sequence[Analysis]) -> dict[str, str]:
    writers: dict[str, str] = {}
    for analysis in analyses:
        for column in analysis.provides:
            if column.name in writers:
                raise ConfigurationError(
                    f"analyses {writers[column.name]!r} and {analysis.name!r} both write the column {column.name!r}; "
                    "leave one of them out"
                )
            writers[column.name] = analysis.name
    return writers
