"""The Python API: `SDTDask` prepares and starts runs."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sdt_dask_core.agreement import Agreement
from sdt_dask_core.analyses import Analysis, order_analyses
from sdt_dask_core.costs import Estimate, dollars, estimate, refuse_unless_cost_is_known
from sdt_dask_core.ending import reported
from sdt_dask_core.environment import versions
from sdt_dask_core.errors import ConfigurationError, LocalityError, OptionError
from sdt_dask_core.expected import measured_in
from sdt_dask_core.folder import is_user_folder, read_user_folder
from sdt_dask_core.job import Job
from sdt_dask_core.ledger import LEDGER_NAME, Ledger, LedgerReader
from sdt_dask_core.limits import Limits
from sdt_dask_core.manifest import read_manifest
from sdt_dask_core.notebook import observer_of_notebook
from sdt_dask_core.options import options_of
from sdt_dask_core.plan import Plan, Planner, SystemRow
from sdt_dask_core.reference import Reference, refer_to
from sdt_dask_core.registry import find_provider, load_class
from sdt_dask_core.run import Run
from sdt_dask_core.session import Observer, continue_run, driver_hooks, refuse_second_main, work_off
from sdt_dask_core.settings import RunSettings
from sdt_dask_core.systems import systems_of
from sdt_dask_core.window import Window

__all__ = ["SDTDask"]

logger = logging.getLogger(__name__)


class SDTDask:
    """Runs Solar Data Tools over many systems.

    Parameters
    ----------
    plug : str, path, type or object
        The data plug: the name of an installed one, the path of a user's folder with a ``dataplug.py``, a class, or an
        instance (which is turned into class and options).
    plug_options : mapping, optional
        The plug's options by name; they win over the rows of a manifest.
    plug_defaults : mapping, optional
        The plug's options of a run file; the rows of a manifest and `plug_options` win over them.
    client : str, type or object, optional
        Where to compute: default "local", or the ``client.py`` of the user's folder.
    client_options : mapping, optional
        The client's options by name.
    output : path
        Folder of the ledger and of the tables; made when it is not there.
    manifest : path, optional
        CSV or Parquet table with one row per system: key, options, metadata.
    analyses : sequence of str, type or object
        Installed analyses by name, or classes of your own. None at all reads and checks the frames only.
    all_losses : bool
        Analyse the losses also of systems whose quality makes the result worthless.
    addons : sequence of str, type or object
        Installed addons by name, or classes of your own, that watch this run.
    accelerate : bool
        Use the faster paths with the same numbers.
    key_timeout : float
        Longest time that one key may take [s].
    max_cost : float, optional
        What the cluster of a run may cost [US dollars]; then it ends early, and can be resumed. Refused with a client
        that cannot tell what its cluster costs.
    idle_timeout : float or str, optional
        How long nothing may finish, as seconds or as text such as "30m"; then it ends early, and can be resumed. More
        than the longest key takes.
    allow_mismatch : bool
        Go on, with a warning, where scheduler or workers have other versions than this environment, or do not see the
        files that the plug reads.
    since, until : str, datetime.date or datetime.datetime, optional
        Analyse of each system only what lies from `since` to before `until`: dates or times such as "2020-01-01" or
        "2020-01-01 12:00", in the system's local standard time.
    look_back : str, optional
        Analyse of each system only so much, back from its own last value (before `until`): a number of days, weeks,
        months or years, such as "730d" or "3y". Given together, each of the three cuts off what the others leave.

    Raises
    ------
    ConfigurationError
        A provider, an option, a requirement or the manifest is wrong; no cluster was started.

    Examples
    --------
    >>> tool = SDTDask(plug="csv", plug_options={"path": "data"}, output="results")  # doctest: +SKIP
    >>> run = tool.execute()  # doctest: +SKIP
    >>> run.results  # doctest: +SKIP
    """

    def __init__(
        self,
        plug: Any,
        *,
        plug_options: Mapping[str, Any] | None = None,
        plug_defaults: Mapping[str, Any] | None = None,
        client: Any = None,
        client_options: Mapping[str, Any] | None = None,
        output: Path | str = "results",
        manifest: Path | str | None = None,
        analyses: Sequence[Any] = ("quality", "losses"),
        all_losses: bool = False,
        addons: Sequence[Any] = (),
        accelerate: bool = True,
        key_timeout: float = 3600.0,
        max_cost: float | None = None,
        idle_timeout: float | str | None = None,
        allow_mismatch: bool = False,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        look_back: str | None = None,
    ) -> None:
        refuse_second_main()
        if not key_timeout > 0:
            raise OptionError(f"key_timeout cannot be {key_timeout!r}; it is a time above 0 s")
        limits = Limits.given(max_cost=max_cost, idle_timeout=idle_timeout)
        window = Window.given(since=since, until=until, look_back=look_back)
        self.output = Path(output)
        requires: tuple[str, ...] = ()
        if is_user_folder(plug) and not _is_installed_plug(plug):
            folder = read_user_folder(plug)
            plug, client, requires = folder.plug, client or folder.client, folder.requires
        references, self._analyses = _analyses(analyses, all_losses=all_losses)
        reference = refer_to("plug", plug, plug_options or {}, plug_defaults or {})
        self._manifest = _manifest(manifest, plug, plug_options or {}, reference.options)
        self._keys_from = "list" if manifest is None else f"manifest {Path(manifest).absolute()}"
        job = Job(
            plug=reference,
            analyses=references,
            addons=tuple(refer_to("addon", addon) for addon in addons),
            accelerate=accelerate,
            key_timeout=float(key_timeout),
            # The empty entry, of a notebook or python -c, is the working folder.
            sys_path=tuple(entry or str(Path.cwd()) for entry in sys.path),
            worker_requires=requires,
            window=window,
        )
        where = refer_to("client", client or "local", client_options or {})
        self.settings = RunSettings(job, where, limits, allow_mismatch)
        if limits.max_cost is not None:
            refuse_unless_cost_is_known(self.settings.client)

    def execute(
        self,
        keys: Iterable[Any] | None = None,
        *,
        force: bool = False,
        observe: Observer | None = None,
        report: bool = True,
    ) -> Run:
        """Run every key that is due and return what came of it.

        Parameters
        ----------
        keys : iterable, optional
            Default: every row of the manifest, or every key that the plug lists.
        force : bool
            Run also keys whose data, options and analyses are unchanged since their last success.
        observe : callable, optional
            Called with a `Progress` after every change; by default a notebook shows a bar below the cell.
        report : bool
            Write the report, ``report/index.html`` in the output folder, when the run is complete.

        Returns
        -------
        Run
            Also when keys failed; see `Run.errors`. Its tables also stand in the output folder, as ``results.csv`` and
            ``errors.csv``.

        Raises
        ------
        ConfigurationError
            Nothing was started.
        LedgerBusyError
            Another run holds the output folder.
        ClientError
            The cluster could not be made or joined.
        EnvironmentMismatchError, LocalityError
            Its workers do not have what is here, or cannot see the plug's files; no key was started.
        ClusterLostError, LimitReachedError, RunInterruptedError
            The run ended early; what was finished is recorded and `resume` does the rest.
        """
        self._refuse_problems()
        settings = self._settings_for(keys)
        distributions = (settings.job.plug.distribution, settings.client.distribution)
        with Ledger(self.output) as ledger:
            with self._planner(settings, ledger, force=force) as planner:
                tasks = planner.tasks(self._systems(keys, planner.hooks))
                run_id = ledger.begin_run(settings.as_dict(), versions(distributions), tasks)
            self._warn_of_cost(ledger.counts(run_id).get("todo", 0))
            work_off(ledger, run_id, settings, observe or observer_of_notebook())
        return reported(Run(self.output, run_id), wanted=report)

    def plan(self, keys: Iterable[Any] | None = None, *, force: bool = False) -> Plan:
        """Return what `execute` would do and why; no cluster is started and nothing is written."""
        with contextlib.ExitStack() as opened:
            ledger = self._ledger(opened)
            planner = opened.enter_context(self._planner(self._settings_for(keys), ledger, force=force))
            return planner.plan(self._systems(keys, planner.hooks))

    def estimate(self, what: int | Plan) -> Estimate:
        """Return what so many keys, or a plan, would take and cost: by what was measured here before, or a guess."""
        if isinstance(what, Plan):
            return estimate(self.settings, what.measured, len(what.todo), seconds=what.seconds)
        with contextlib.ExitStack() as opened:
            measured = measured_in(self._ledger(opened), self.settings.job.digests({}, {}))
        return estimate(self.settings, measured, what)

    def systems(self, keys: Iterable[Any] | None = None) -> Generator[SystemRow]:
        """Yield, lazily, the systems that `execute` considers: of the keys, of the manifest, or what the plug lists."""
        with driver_hooks(self.settings.job) as hooks:
            yield from self._systems(keys, hooks)

    def resume(
        self,
        *,
        observe: Observer | None = None,
        max_cost: float | None = None,
        idle_timeout: float | str | None = None,
        allow_mismatch: bool = False,
        report: bool = True,
    ) -> Run:
        """Do what is missing of the newest run in the output folder, with the settings that it had.

        Parameters
        ----------
        observe : callable, optional
            As of `execute`.
        max_cost, idle_timeout
            Limits for this time, counted anew; by default those that the run had.
        allow_mismatch : bool
            As of `SDTDask`, for a run that was started without it.
        report : bool
            As of `execute`.

        Raises
        ------
        LedgerError
            There is no run there.
        """
        limits = Limits.given(max_cost=max_cost, idle_timeout=idle_timeout)
        run_id = continue_run(
            self.output, observe=observe or observer_of_notebook(), limits=limits, allow_mismatch=allow_mismatch
        )
        return reported(Run(self.output, run_id), wanted=report)

    def retry(
        self,
        *,
        observe: Observer | None = None,
        max_cost: float | None = None,
        idle_timeout: float | str | None = None,
        allow_mismatch: bool = False,
        report: bool = True,
    ) -> Run:
        """Try the failed keys of the newest run again, and do what is missing of it; otherwise as `resume`."""
        limits = Limits.given(max_cost=max_cost, idle_timeout=idle_timeout)
        more: dict[str, Any] = {
            "observe": observe or observer_of_notebook(),
            "limits": limits,
            "allow_mismatch": allow_mismatch,
        }
        run_id = continue_run(self.output, retry_failed=True, **more)
        return reported(Run(self.output, run_id), wanted=report)

    def check(self) -> list[str]:
        """Return one sentence per problem that would stop a run from here; nothing is run."""
        with driver_hooks(self.settings.job) as hooks:
            problems = [sentence for sentences in hooks.check_access() for sentence in sentences or ()]
        try:
            Agreement(self.settings)
        except LocalityError as error:
            problems.append(error.message)
        return [*problems, *self.settings.client.build().check_access()]

    def _refuse_problems(self) -> None:
        Agreement(self.settings)
        problems = self.check()
        if problems:
            raise ConfigurationError("the run was not started: " + "; ".join(problems))

    def _warn_of_cost(self, n_keys: int) -> None:
        limit = self.settings.limits.max_cost
        if limit is None or not n_keys:
            return
        cost = self.estimate(n_keys).dollars
        if cost is not None and cost > limit:
            logger.warning(
                "the run may cost about %s US dollars and max_cost is %s: it may end before its last key",
                dollars(cost),
                dollars(limit),
            )

    def _settings_for(self, keys: Iterable[Any] | None) -> RunSettings:
        return replace(self.settings, keys_from=self._keys_from if keys is None else "")

    def _systems(self, keys: Iterable[Any] | None, hooks: Any) -> Iterator[SystemRow]:
        return systems_of(keys, self._manifest, self.settings.job.plug, hooks)

    def _ledger(self, opened: contextlib.ExitStack) -> LedgerReader | None:
        is_there = (self.output / LEDGER_NAME).is_file()
        return opened.enter_context(LedgerReader(self.output)) if is_there else None

    @contextlib.contextmanager
    def _planner(self, settings: RunSettings, ledger: LedgerReader | None, *, force: bool) -> Iterator[Planner]:
        versions_of = {analysis.name: analysis.version for analysis in self._analyses}
        with driver_hooks(settings.job) as hooks:
            yield Planner(settings, versions_of, hooks=hooks, ledger=ledger, force=force)


def _is_installed_plug(plug: object) -> bool:
    from sdt_dask_core.registry import installed_providers

    return any(provider.name == plug for provider in installed_providers("plug"))


def _analyses(chosen: Sequence[Any], *, all_losses: bool) -> tuple[tuple[Reference, ...], list[Analysis]]:
    if isinstance(chosen, str):
        raise ConfigurationError(f"analyses is one text, {chosen!r}; give a list, such as [{chosen!r}]")
    references = {}
    for what in chosen:
        options = {"all_losses": True} if all_losses and what == "losses" else {}
        reference = refer_to("analysis", what, options)
        built: Analysis = reference.build()
        references[built.name] = (reference, built)
    ordered = order_analyses([built for _, built in references.values()])
    return tuple(references[analysis.name][0] for analysis in ordered), ordered


def _manifest(
    path: Path | str | None, plug: Any, call_options: Mapping[str, Any], run_options: Mapping[str, Any]
) -> list[SystemRow] | None:
    if path is None:
        return None
    if isinstance(plug, str):
        cls, name = load_class(find_provider("plug", plug)), plug
    else:
        cls = plug if isinstance(plug, type) else type(plug)
        name = cls.__name__
    option_set = options_of(cls, kind="plug", name=name)
    return read_manifest(path, option_set, call_options=call_options, run_options=run_options)
