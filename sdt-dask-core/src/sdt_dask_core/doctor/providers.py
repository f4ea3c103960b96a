"""Providers: which work, which break and why, and names that two distributions offer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import importlib_metadata

from sdt_dask_core.doctor import mending
from sdt_dask_core.doctor.finding import ERROR, WARNING, Finding
from sdt_dask_core.doctor.source import source_of
from sdt_dask_core.inspection import Inspection
from sdt_dask_core.registry import Provider, offered_twice, unmet_requirement

__all__ = ["name_findings", "provider_findings", "state_of"]


def state_of(provider: Provider, inspection: Inspection) -> str:
    """Return "ok", "warning" or "broken"."""
    if provider.problems or inspection.problem:
        return "broken"
    return "warning" if inspection.warnings else "ok"


def name_findings(providers: Sequence[Provider]) -> Iterator[Finding]:
    """Yield a finding for each name that two distributions offer."""
    ordered = sorted(providers, key=lambda p: (p.kind, p.name, p.distribution))
    for (kind, name), group in groupby(ordered, key=lambda p: (p.kind, p.name)):
        rivals = list(group)
        if len(rivals) > 1:
            who = " and ".join(f"{rival.distribution} {rival.version}" for rival in rivals)
            message = f"{kind} {name!r} is offered by {who}, so a run that asks for it stops; keep one"
            yield Finding(ERROR, "name", message, tuple(mending.uninstall(rival.distribution) for rival in rivals))


def provider_findings(providers: Sequence[Provider], inspections: Sequence[Inspection]) -> Iterator[Finding]:
    """Yield a finding for all that is wrong with each provider by itself.

    Requirements that are not met, and names offered twice, have findings of their own.
    """
    for provider, inspection in zip(providers, inspections, strict=True):
        blame = f"{provider.kind} {provider.name!r} of {provider.distribution} {provider.version}"
        commands = _commands(provider.distribution)
        if inspection.problem and not provider.problems:
            yield Finding(ERROR, "provider", inspection.problem, commands)
        for level, texts in ((ERROR, _own_problems(provider, providers)), (WARNING, inspection.warnings)):
            if texts:
                yield Finding(level, "provider", f"{blame}: {'; '.join(texts)}", commands)


def _own_problems(provider: Provider, providers: Sequence[Provider]) -> list[str]:
    rivals = sorted(p.distribution for p in providers if (p.kind, p.name) == (provider.kind, provider.name))
    others = [name for name in rivals if name != provider.distribution]
    told = {unmet_requirement(text) for text in _requires(provider.distribution)}
    return [text for text in provider.problems if text not in {*told, offered_twice(provider.name, others)}]


def _requires(distribution: str) -> list[str]:
    try:
        return importlib_metadata.requires(distribution) or []
    except Exception:  # noqa: BLE001 - one uninstalled by halves, which is told
        return []


def _commands(distribution: str) -> tuple[str, ...]:
    source = source_of(distribution)
    again = mending.install(distribution, upgrade=True) if source is None else mending.install(*source.arguments)
    return again, mending.uninstall(distribution)
