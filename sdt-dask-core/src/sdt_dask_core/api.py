"""The Python API: `SDTDask` prepares and starts runs."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from sdt_dask_core.analyses import Analysis, order_analyses
from sdt_dask_core.environment import versions
from sdt_dask_core.errors import ConfigurationError, OptionError, PlugError, SdtDaskError
from sdt_dask_core.folder import is_user_folder, read_user_folder
from sdt_dask_core.job import Job
from sdt_dask_core.ledger import LEDGER_NAME, LastOutcome, Ledger, LedgerReader
from sdt_dask_core.manifest import read_manifest
from sdt_dask_core.options import options_of
from sdt_dask_core.plan import Plan, SystemRow, make_plan
from sdt_dask_core.reference import Reference, refer_to
from sdt_dask_core.registry import find_provider, load_class
from sdt_dask_core.run import Run
from sdt_dask_core.session import Observer, continue_run, driver_hooks, refuse_second_main, work_off
from sdt_dask_core.settings import RunSettings

__all__ = ["SDTDask"]


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
    ) -> None:
        refuse_second_main()
        if not key_timeout > 0:
            raise OptionError(f"key_timeout cannot be {key_timeout!r}; it is a time above 0 s")
        self.output = Path(output)
        if is_user_folder(plug) and not _is_installed_plug(plug):
            folder = read_user_folder(plug)
            plug, client = folder.plug, client or folder.client
        references, self._analyses = _analyses(analyses, all_losses=all_losses)
        reference = refer_to("plug", plug, plug_options or {}, plug_defaults or {})
        self._manifest = _manifest(manifest, plug, plug_options or {}, reference.options)
        job = Job(
            plug=reference,
            analyses=references,
            addons=tuple(refer_to("addon", addon) for addon in addons),
            accelerate=accelerate,
            key_timeout=float(key_timeout),
            # The empty entry, of a notebook or python -c, is the working folder.
            sys_path=tuple(entry or str(Path.cwd()) for entry in sys.path),
        )
        self.settings = RunSettings(job, refer_to("client", client or "local", client_options or {}))

    def execute(
        self, keys: Iterable[Any] | None = None, *, force: bool = False, observe: Observer | None = None
    ) -> Run:
        """Run every key that is due and return what came of it.

        Parameters
        ----------
        keys : iterable, optional
            Default: every row of the manifest, or every key that the plug lists.
        force : bool
            Run also keys whose data, options and analyses are unchanged since their last success.
        observe : callable, optional
            Called with a `Progress` after every change.

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
        ClusterLostError, RunInterruptedError
            The run ended early; what was finished is recorded and `resume` does the rest.
        """
        self._refuse_problems()
        with Ledger(self.output) as ledger:
            plan = self._plan(keys, ledger.last_outcomes(), force=force)
            distributions = (self.settings.job.plug.distribution, self.settings.client.distribution)
            run_id = ledger.begin_run(self.settings.as_dict(), versions(distributions), plan.tasks)
            work_off(ledger, run_id, self.settings, plan.todo, observe)
        return Run(self.output, run_id)

    def plan(self, keys: Iterable[Any] | None = None, *, force: bool = False) -> Plan:
        """Return what `execute` would do and why; no cluster is started and nothing is written."""
        if not (self.output / LEDGER_NAME).is_file():
            return self._plan(keys, {}, force=force)
        with LedgerReader(self.output) as ledger:
            return self._plan(keys, ledger.last_outcomes(), force=force)

    def systems(self, keys: Iterable[Any] | None = None) -> Generator[SystemRow]:
        """Yield, lazily, the systems that `execute` considers: of the keys, of the manifest, or what the plug lists."""
        with driver_hooks(self.settings.job) as hooks:
            yield from self._systems(keys, hooks)

    def resume(self, *, observe: Observer | None = None) -> Run:
        """Do what is missing of the newest run in the output folder, with the settings that it had.

        Raises
        ------
        LedgerError
            There is no run there.
        """
        return Run(self.output, continue_run(self.output, observe=observe))

    def retry(self, *, observe: Observer | None = None) -> Run:
        """Try the failed keys of the newest run again, and do what is missing of it."""
        return Run(self.output, continue_run(self.output, retry_failed=True, observe=observe))

    def check(self) -> list[str]:
        """Return one sentence per problem that would stop a run from here; nothing is run."""
        with driver_hooks(self.settings.job) as hooks:
            problems = [sentence for sentences in hooks.check_access() for sentence in sentences or ()]
        return [*problems, *self.settings.client.build().check_access()]

    def _refuse_problems(self) -> None:
        problems = self.check()
        if problems:
            raise ConfigurationError("the run was not started: " + "; ".join(problems))

    def _plan(self, keys: Iterable[Any] | None, last: Mapping[str, LastOutcome], *, force: bool) -> Plan:
        with driver_hooks(self.settings.job) as hooks:
            return make_plan(
                self._systems(keys, hooks),
                job=self.settings.job,
                versions={analysis.name: analysis.version for analysis in self._analyses},
                hooks=hooks,
                last=last,
                force=force,
            )

    def _systems(self, keys: Iterable[Any] | None, hooks: Any) -> Iterator[SystemRow]:
        rows = {row.text: row for row in self._manifest or ()}
        if keys is not None:
            if isinstance(keys, (str, bytes)):
                raise ConfigurationError(f"keys is one text, {keys!r}; give a list of keys, such as [({keys!r},)]")
            for key in keys:
                row = SystemRow.of(key)
                yield rows.get(row.text, row)
        elif self._manifest is not None:
            yield from self._manifest
        else:
            yield from self._listed(hooks)

    def _listed(self, hooks: Any) -> Iterator[SystemRow]:
        plug = self.settings.job.plug
        try:
            listed = hooks.list_keys()
            keys = _no_list(plug.name) if listed is None else listed
            yield from (SystemRow.of(key) for key in keys)
        except SdtDaskError:
            raise
        except Exception as error:  # whatever a stranger's plug raises
            raise PlugError(
                f"plug {plug.name!r} of {plug.distribution} {plug.version} could not list its keys: "
                f"{type(error).__name__}: {error}"
            ) from error


def _no_list(plug: str) -> NoReturn:
    raise ConfigurationError(
        f"plug {plug!r} cannot list its keys; give them: execute(keys), --key on the command line, or a manifest"
    )


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
