"""The examination: everything that the doctor looks at, on one page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sdt_dask_core.doctor.cluster import Cluster, cluster_findings, examine_cluster
from sdt_dask_core.doctor.finding import ERROR, Finding
from sdt_dask_core.doctor.path import path_findings
from sdt_dask_core.doctor.providers import name_findings, provider_findings, state_of
from sdt_dask_core.doctor.requirements import Closure, requirement_findings
from sdt_dask_core.doctor.source import source_findings
from sdt_dask_core.environment import SHARED, importable_versions
from sdt_dask_core.hookspecs import API
from sdt_dask_core.inspection import inspect_all
from sdt_dask_core.registry import Provider, installed_providers

__all__ = ["Page", "examine"]

_CORE = "sdt-dask-core"
_SDT = "solar-data-tools"


@dataclass(frozen=True, slots=True)
class Page:
    """What the doctor found.

    Attributes
    ----------
    executable : str
        The Python of this environment.
    api : str
        Version of the contract.
    versions : dict
        Of Python and the distributions that matter; None where one cannot be imported.
    providers : list of Provider
        All that are installed.
    states : list of str
        Of each provider: "ok", "warning" or "broken".
    n_distributions : int
        How many distributions had their requirements looked at.
    findings : list of Finding
        Errors first.
    cluster : Cluster or None
        The running cluster, where one was asked for.
    """

    executable: str
    api: str
    versions: dict[str, str | None]
    providers: list[Provider]
    states: list[str]
    n_distributions: int
    findings: list[Finding]
    cluster: Cluster | None = None

    @property
    def has_errors(self) -> bool:
        """Whether a run would fail, or may."""
        return any(finding.level == ERROR for finding in self.findings)


def examine(address: str | None = None, *, timeout: float = 30.0) -> Page:
    """Examine this environment and, where an address is given, the running cluster there.

    Parameters
    ----------
    address : str, optional
        Address of a Dask scheduler.
    timeout : float
        How long to wait for the scheduler [s].
    """
    providers = installed_providers()
    modules = {**SHARED, **_modules(providers)}
    here = importable_versions(modules)
    inspections = inspect_all(providers)
    closure = Closure({_CORE, *(provider.distribution for provider in providers)})
    cluster = examine_cluster(address, here, modules, timeout=timeout) if address else None
    own = dict.fromkeys([_CORE, _SDT, *_modules(providers)])
    findings = [
        *requirement_findings(closure),
        *name_findings(providers),
        *provider_findings(providers, inspections),
        *path_findings(modules),
        *source_findings(own),
        *(cluster_findings(cluster) if cluster else ()),
    ]
    return Page(
        executable=sys.executable,
        api=".".join(map(str, API)),
        versions=here,
        providers=providers,
        states=[state_of(*pair) for pair in zip(providers, inspections, strict=True)],
        n_distributions=len(closure.seen),
        findings=sorted(findings, key=lambda finding: finding.level != ERROR),
        cluster=cluster,
    )


def _modules(providers: Sequence[Provider]) -> dict[str, str]:
    """Return the distributions of providers, each with its top-level module."""
    return {p.distribution: p.value.partition(":")[0].strip().partition(".")[0] for p in providers}
