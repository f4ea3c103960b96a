"""What a fresh process finds out about a provider: how it is built, and what it holds."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sdt_dask_core.adapt import adapted
from sdt_dask_core.contract import HookManager
from sdt_dask_core.options import OptionSet, options_of
from sdt_dask_core.reference import Reference
from sdt_dask_core.registry import Provider, load_class
from sdt_dask_testing.state import changes, class_state, digests, shared
from sdt_dask_testing.watching import Watch

__all__ = ["Blueprint", "Talk", "build_facts", "hooks_relay", "packed", "told_of_provider", "unpacked"]

Work = Callable[[Any, Any, Watch], "dict[str, Any]"]


def packed(reference: Reference) -> str:
    """Return a pickled reference as text."""
    return base64.b64encode(pickle.dumps(reference)).decode("ascii")


def unpacked(text: str) -> Reference:
    """Return the reference that `packed` made to text: one of our own."""
    reference: Reference = pickle.loads(base64.b64decode(text))  # noqa: S301 - written by the process that asks
    return reference


class Blueprint:
    """A class and its options, ready to be built several times; the class itself is made once.

    Parameters
    ----------
    text : str
        The packed reference. Its own ``build`` would unpickle a class of the author's own anew each time, and thereby
        undo what the class keeps.
    """

    def __init__(self, text: str) -> None:
        self.reference = unpacked(text)
        self.cls, self._option_set = self._class_and_options()

    def _class_and_options(self) -> tuple[type, OptionSet]:
        reference = self.reference
        if not reference.code:
            where = (reference.kind, reference.name, reference.value, reference.distribution, reference.version)
            cls = load_class(Provider(*where))
            return cls, options_of(cls, kind=reference.kind, name=reference.name)
        import cloudpickle

        found: tuple[type, OptionSet] = cloudpickle.loads(base64.b64decode(reference.code))
        return found

    def build(self) -> Any:
        """Build a provider, as a reference does."""
        arguments = self._option_set.build_arguments(copy.deepcopy(self.reference.options))
        return adapted(self.reference.kind, self.cls(**arguments))


def build_facts(text: str, packages: Sequence[str], work: Work | None = None) -> dict[str, Any]:
    """Build a provider under a watch, and another one; say what each touched and holds.

    Parameters
    ----------
    text : str
        The packed reference.
    packages : sequence of str
        Top-level packages of the author.
    work : callable, optional
        What to do with both, given the hooks of each and the watch; what it returns is added to the answer.

    Returns
    -------
    dict
        ``touched`` (lines), ``digests`` (of its attributes), ``changed`` (attributes of its class) and ``shared``
        (attributes in which both hold one object).
    """
    blueprint = Blueprint(text)
    before = class_state(blueprint.cls)
    watch = Watch(packages)
    with watch.on() as touched:
        instance = blueprint.build()
    other = blueprint.build()
    found = work(hooks_relay(instance), hooks_relay(other), watch) if work else {}
    return {
        "touched": touched,
        "changed": changes(before, class_state(blueprint.cls)),
        "shared": shared(instance, other),
        "digests": digests(unpacked(text).build()),
        **found,
    }


def hooks_relay(provider: Any) -> Any:
    """Return the hooks of a provider as core calls them: by name and with named arguments."""
    manager = HookManager()
    manager.register(provider)
    return manager.hook


class Talk:
    """All that a provider lets be read of itself, with the place where it was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._act = "import"
        logging.setLogRecordFactory(self._keep_record)
        logging.getLogger().setLevel(logging.DEBUG)

    @contextmanager
    def during(self, act: str) -> Iterator[None]:
        """Name what is being done; an error is part of the talk and goes no further."""
        self._act = act
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - whatever a stranger's method raises
            self.hear("error", "".join(traceback.format_exception(type(error), error, error.__traceback__)))
            self.hear("error", f"{error!r} {vars(error)!r}")
            self.hear("pickled error", _pickled(error))

    def hear(self, where: str, what: object) -> None:
        """Keep what was said."""
        self.said.append((f"{self._act}: {where}", what if isinstance(what, str) else f"{what} {what!r}"))

    def _keep_record(self, *arguments: Any, **more: Any) -> logging.LogRecord:
        record = logging.LogRecord(*arguments, **more)
        try:
            text = logging.Formatter().format(record)
        except Exception:  # noqa: BLE001 - a log line that does not fit its arguments
            text = f"{record.msg} {record.args!r}"
        self.said.append((f"{self._act}: log of {record.name}", text))
        return record


def _pickled(error: BaseException) -> str:
    try:
        return pickle.dumps(error).decode("latin-1")
    except Exception:  # noqa: BLE001 - another test's matter
        return ""


def told_of_provider(text: str, acts: Callable[[Any, Talk], None] | None = None) -> list[tuple[str, str]]:
    """Build a provider, let it work, close it, and return all that it said.

    Parameters
    ----------
    text : str
        The packed reference.
    acts : callable, optional
        What to do with the hooks of the provider besides `check_access`.
    """
    talk = Talk()
    with talk.during("build"):
        provider = unpacked(text).build()
        talk.hear("repr and str", getattr(provider, "inner", provider))
        hooks = hooks_relay(provider)
        with talk.during("check_access"):
            talk.hear("findings", [sentence for found in hooks.check_access() for sentence in found or ()])
        if acts is not None:
            acts(hooks, talk)
        with talk.during("close"):
            hooks.close()
        talk.hear("repr and str", getattr(provider, "inner", provider))
    return talk.said
