"""Would this install? Asked of uv or pip on a mirror, first with all that is here held, then with it free to move."""

from __future__ import annotations

import contextlib
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from sdt_dask_core.environment import SHARED
from sdt_dask_core.errors import RequirementError
from sdt_dask_core.resolution.advice import advice_on
from sdt_dask_core.resolution.answer import Answer, Change
from sdt_dask_core.resolution.closure import closure
from sdt_dask_core.resolution.conflict import Conflict, Search
from sdt_dask_core.resolution.installed import Distribution, Installed, is_met, read_installed
from sdt_dask_core.resolution.mirror import make_mirror, unmet
from sdt_dask_core.resolution.needs import HERE, Ground, Need, roots_of
from sdt_dask_core.resolution.program import OutOfTimeError, RefusedError
from sdt_dask_core.resolution.question import Question, key_of, read_question, version_of, wheel_requirement
from sdt_dask_core.resolution.releases import Releases
from sdt_dask_core.resolution.target import Target, this_python
from sdt_dask_core.resolution.tool import Place, find_tool

__all__ = ["LEFT_OUT", "Check", "check"]

# What driver and workers must have the same: what a run compares, and what the bytes between them go through.
_SHARED = (*SHARED, "msgpack", "tornado", "lz4", "pyarrow", "scipy")
_IMAGE = ("sdt-dask-core", "solar-data-tools", "dask", "distributed")
#: What Solar Data Tools requires and no worker uses: a metapackage of 134 distributions and 1.1 GB. A distribution of
#: this version, with nothing in it, stands in for it.
LEFT_OUT = {"jupyter": "0+left.out"}
_SECONDS = 300.0


def check(
    requirements: Sequence[str],
    files: Iterable[Path] = (),
    *,
    fresh: bool = False,
    tool: str | None = None,
    seconds: float = _SECONDS,
    path: Sequence[str] | None = None,
) -> Answer:
    """Find out whether distributions would install beside what is here, or in a new worker image; change nothing.

    Parameters
    ----------
    requirements : sequence of str
        Names with ranges and extras, wheels, project folders, or addresses of wheels.
    files : iterable of Path
        Requirements files.
    fresh : bool
        Ask about a new worker image: the core, Solar Data Tools, Dask and these, with the versions of this environment
        where driver and workers must have the same.
    tool : str, optional
        "uv" or "pip"; by default uv where it is, else pip.
    seconds : float
        How long the tool may take [s].
    path : sequence of str, optional
        Folders whose distributions are what is here; by default those that this process imports from.

    Raises
    ------
    RequirementError
        A requirement or a file cannot be read.
    ConfigurationError
        No tool is there, no index answered, or the time was over.
    """
    question = read_question(requirements, files)
    with tempfile.TemporaryDirectory(prefix="sdt-dask-check-") as folder:
        installed = read_installed(path)
        # A worker image is for Linux, wherever it is made.
        target = Target(this_python()) if fresh and sys.platform != "linux" else None
        asked = Check(question, installed, Path(folder), fresh=fresh, target=target, tool=tool, seconds=seconds)
        answer = asked.answer()
        if fresh and answer.installs:
            answer.notes += asked.notes_on_wheels()
        return answer


class Check:
    """One question, asked in a folder that is empty and temporary; see `check`, and for the target `Place`."""

    def __init__(
        self,
        question: Question,
        installed: Installed,
        folder: Path,
        *,
        fresh: bool,
        target: Target | None,
        tool: str | None,
        seconds: float,
    ) -> None:
        self.question = question
        self._fresh = fresh
        self._installed = installed
        self._python = platform.python_version() if target is None or target.is_this_kind else target.python
        self._broken = unmet(self._installed)
        # For a new image, the mirror holds nothing but what perhaps no index has.
        kept = {key: one for key, one in self._installed.items() if one.is_local or one.is_provider or not fresh}
        if fresh:
            named = {key_of(one) for one in question.requirements}
            kept.update({key: Distribution(key, version) for key, version in LEFT_OUT.items() if key not in named})
        #: What the tool finds here and need not look for, by canonical name.
        self.mirrored: Installed = kept
        python = make_mirror(folder / "mirror", kept.values(), without=() if fresh else self._broken)
        (folder / "work").mkdir()
        place = Place(
            folder=folder / "work",
            python=python,
            options=tuple(question.options),
            target=target,
            deadline=time.monotonic() + seconds,
        )
        self.tool = find_tool(place, wanted=tool)
        self._releases = Releases(self.tool)
        self._build(folder / "wheels")
        self._asked = {key_of(asked): asked for asked in question.requirements}
        #: Names of what the tool took from the mirror.
        self.from_here: set[str] = set()

    def _build(self, wheels: Path) -> None:
        wheels.mkdir()
        for source in self.question.sources:
            before = set(wheels.glob("*.whl"))
            try:
                self.tool.build(source.path, into=wheels)
            except RefusedError as error:
                raise RequirementError(f"{source.path} does not build a wheel: {error}") from error
            for wheel in sorted(set(wheels.glob("*.whl")) - before):
                self.question.requirements.append(wheel_requirement(wheel, source.extras))

    def answer(self) -> Answer:
        """Ask, and put together what came of it."""
        program = self.tool.program
        answer = Answer(
            installs=True,
            fresh=self._fresh,
            python=self._python,
            tool=f"{program.name} {program.version}",
            requirements=[str(asked) for asked in self.question.requirements],
            notes=[f"{text} does not apply to this Python" for text in self.question.passed_over],
        )
        try:
            plan = self._ask(self.question.requirements)
        except RefusedError as refusal:
            answer.installs, answer.tool_output = False, str(refusal)
            answer.conflict, answer.advice = self._explanation(str(refusal))
        else:
            self._tell(answer, plan)
        return answer

    def _ask(self, requirements: list[Requirement]) -> dict[str, str]:
        """Return what would be installed; the least change that there is."""
        asked = [str(requirement) for requirement in requirements]
        if self._fresh:
            return self._ask_fresh(asked)
        pins = self._pins(self._installed.keys() - self._asked.keys())
        try:
            return self.tool.plan(asked, [*pins, *self._bounds(), *self._needs_on_asked()])
        except RefusedError as refusal:
            fast = self.tool.searches_fast
            free = self._installed.keys() if fast else self._to_free(requirements, refusal)
        # All that is here is required, so that nothing moves that would break another.
        here = [one.name for key, one in self._installed.items() if key not in self._asked]
        pins = self._pins(self._installed.keys() - self._asked.keys() - free)
        return self.tool.plan([*asked, *here], [*pins, *self._bounds()])

    def _ask_fresh(self, asked: list[str]) -> dict[str, str]:
        """Return what an image would hold: the versions of here, or at least those that must be the same."""
        image = [name for name in _IMAGE if name in self._installed and name not in self._asked]
        free = {key for key in self._asked if not self._is_met_here(key)} - self._held()
        with contextlib.suppress(RefusedError):
            pins = self._pins(self._installed.keys() - free - LEFT_OUT.keys())
            return self.tool.plan([*asked, *image], [*pins, *self.question.constraints])
        local = {key for key, one in self._installed.items() if one.is_local}
        pins = self._pins((self._held() | local) - free)
        return self.tool.plan([*asked, *image], [*pins, *self.question.constraints])

    def _is_met_here(self, key: str) -> bool:
        return not self._asked[key].url and is_met(self._asked[key], self._installed)

    def _to_free(self, requirements: list[Requirement], refusal: RefusedError) -> set[str]:
        """Return the keys of what stands in the way and may move; raise the refusal where something may not."""
        _, free = self._blocking(requirements, str(refusal))
        if free is None:
            raise refusal
        return free

    def _blocking(self, requirements: list[Requirement], said: str) -> tuple[Conflict | None, set[str] | None]:
        """Return the conflict that explains a refusal, and what may move to solve it; None where nothing may."""
        free: set[str] = set()
        first = None
        while True:
            search = self._search(requirements, free)
            conflict = search.find(said)
            if conflict is None:
                return first, free | search.moved
            blocking = self._movable(conflict.right) - free
            if not blocking or not conflict.is_left_served:
                return conflict, None
            # Another release of it might do, so it is not the reason while there is a better one.
            first = first or conflict
            free |= blocking | {conflict.left.key}

    def _movable(self, need: Need | None) -> set[str]:
        if need is None or need.origin != HERE:
            return set()
        owner = self._installed[canonicalize_name(need.chain[-1][0])]
        is_fixed = owner.is_local or owner.is_provider or (self._fresh and owner.key in self._held())
        return set() if is_fixed else {owner.key}

    def _pins(self, keys: Iterable[str]) -> list[str]:
        return [f"{self._installed[key].name}=={self._installed[key].version}" for key in sorted(keys)]

    def _held(self) -> set[str]:
        return {name for name in _SHARED if name in self._installed}

    def _bounds(self) -> list[str]:
        """Return the ranges that hold for what is not here: what was asked, and what is missing here already."""
        missing = [one for one in self._broken if canonicalize_name(one.name) not in self._installed]
        return [*self.question.constraints, *(f"{one.name}{one.specifier}" for one in missing if one.specifier)]

    def _needs_on_asked(self) -> list[str]:
        ground = self._ground()
        return [need.range for key in self._asked if key in self._installed for need in ground.needs_on(key)]

    def _ground(self) -> Ground:
        if not self._fresh:
            return Ground(self._installed, roots_of(self._installed), {})
        roots = [name for name in _IMAGE if name in self._installed]
        return Ground(self._installed, roots, {key: self._installed[key].version for key in self._held()})

    def _search(self, requirements: list[Requirement], free: Iterable[str] = ()) -> Search:
        asked = [_need(requirement) for requirement in requirements]
        sources = {key: str(requirement) for key, requirement in self._asked.items() if requirement.url}
        free = {*free, *self._asked}  # what is asked for may be another release than the one that is here
        return Search(self._releases, self._ground(), asked, at_hand=self.mirrored, sources=sources, free=free)

    def _explanation(self, refusal: str) -> tuple[Conflict | None, list[str]]:
        try:
            conflict, _ = self._blocking(self.question.requirements, refusal)
        except OutOfTimeError:
            return None, []
        if conflict is None:
            return None, []
        return conflict, advice_on(conflict, releases=self._other_releases(without=conflict.left.key))

    def _other_releases(self, *, without: str) -> dict[str, str]:
        """Return what would install if another release were asked for; not of the package that the matter is about."""
        found = {}
        for key, requirement in self._asked.items():
            if not requirement.specifier or key == without:
                continue
            asked = [_bare(one) if one is requirement else one for one in self.question.requirements]
            try:
                plan = self._ask(asked)
            except (RefusedError, OutOfTimeError):
                continue
            if version := plan.get(key) or (self._installed[key].version if key in self._installed else ""):
                found[requirement.name] = version
        return found

    def _tell(self, answer: Answer, plan: dict[str, str]) -> None:
        here = {} if self._fresh else self._installed
        needed = {**self._taken_from_here(plan), **plan} if self._fresh else plan
        self.from_here = needed.keys() - plan.keys()
        answer.added = {name: version for name, version in sorted(needed.items()) if name not in here}
        answer.changed = [
            Change(here[name].name, here[name].version, version, name in _SHARED)
            for name, version in sorted(plan.items())
            if name in here
        ]
        answer.notes += self._old_releases(plan)

    def _taken_from_here(self, plan: dict[str, str]) -> dict[str, str]:
        """Return what the image needs and the tool found in the mirror already."""
        known = {key: one for key, one in self._installed.items() if plan.get(key) == one.version}
        pins = {key: f"{key}=={version}" for key, version in plan.items() if key not in known}
        pins.update({key: str(one) for key, one in self._asked.items() if key in pins and one.url})
        new = {one.key: one for one in self.tool.metadata(list(pins.values()))} if pins else {}
        roots = [*self._asked.values(), *map(Requirement, _IMAGE)]
        needed = closure(roots, {**self.mirrored, **known, **new})
        return {key: one.version for key, one in self.mirrored.items() if key in needed}

    def notes_on_wheels(self) -> Iterator[str]:
        """Iterate over notes on what no index has."""
        for key in sorted(self.from_here):
            one = self.mirrored[key]
            if one.is_local:
                yield f"{one.name} {one.version} was installed from a folder or an address; the image needs its wheel"

    def _old_releases(self, plan: dict[str, str]) -> Iterator[str]:
        """Note what is asked for and would come in an old release, since a newer one does not fit."""
        here = self._installed if self._fresh else {}
        asked = [
            one
            for key, one in self._asked.items()
            if key in plan and not one.url and (key not in here or plan[key] != here[key].version)
        ]
        newest: dict[str, str] = {}
        if asked:
            with contextlib.suppress(RefusedError, OutOfTimeError):
                newest = self.tool.newest([str(one) for one in asked])
        for requirement in asked:
            name, found = requirement.name, newest.get(key_of(requirement), "")
            if found and found != plan[key_of(requirement)]:
                yield (
                    f"{name} {plan[key_of(requirement)]} is not the newest that was asked for: {name} {found} does not "
                    f"fit; for the reason: sdt-dask plugs check {'--fresh ' if self._fresh else ''}{name}=={found}"
                )


def _need(requirement: Requirement) -> Need:
    specifier = requirement.specifier
    if requirement.url:
        specifier = SpecifierSet(f"=={version_of(requirement.url)}")
    return Need(requirement.name, specifier, extras=frozenset(requirement.extras))


def _bare(requirement: Requirement) -> Requirement:
    bare = Requirement(str(requirement))
    bare.specifier = SpecifierSet()
    return bare
