"""What a client is asked of its clusters and its costs, before there is a cluster, while it is up, and after."""

from __future__ import annotations

from typing import Any

from sdt_dask_core.clusters import ClusterRecord
from sdt_dask_testing.client_request import Report
from sdt_dask_testing.footprint import settled

__all__ = ["ask_after", "ask_before", "ask_while_up"]

_UNKNOWN = "no-such-cluster-of-the-kit"
_TIMES = 3


def ask_before(hooks: Any, report: Report) -> None:
    """Ask what it holds and what it cost before it makes a cluster."""
    report.note("clusters before", lambda: _listed(hooks))
    report.note("cost_so_far before", hooks.cost_so_far)
    report.note("remove_cluster of an unknown name", lambda: list(hooks.remove_cluster(name=_UNKNOWN) or ()))


def ask_while_up(hooks: Any, report: Report) -> None:
    """Ask the same while its cluster is up."""
    report.note("clusters", lambda: _listed(hooks))
    report.note("cost_so_far", lambda: [hooks.cost_so_far() for _ in range(_TIMES)])


def ask_after(hooks: Any, report: Report, grace: float) -> None:
    """Ask whether what was new is gone."""
    before = {_name(told) for told in report.values.get("clusters before") or ()}

    def left() -> list[Any]:
        return [told for told in _listed(hooks) if _name(told) not in before]

    report.note("clusters after", lambda: settled(left, grace))


def _listed(hooks: Any) -> list[dict[str, Any]]:
    """Return each record as JSON holds it; of what is none, its type."""
    return [_told(record) for record in hooks.list_clusters() or ()]


def _told(record: Any) -> dict[str, Any]:
    if not isinstance(record, ClusterRecord):
        return {"type": type(record).__name__}
    return {
        "name": record.name,
        "running": record.running,
        "zone": record.started is None or record.started.tzinfo is not None,
        "resources": list(record.resources),
    }


def _name(told: dict[str, Any]) -> str:
    return str(told.get("name"))
