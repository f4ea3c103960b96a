"""What the author of a provider gives to its tests, and what all of these start from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest

from sdt_dask_core.contract import validate_class
from sdt_dask_core.errors import BrokenProviderError
from sdt_dask_core.options import OptionSet, options_of
from sdt_dask_core.reference import Reference, refer_to
from sdt_dask_core.registry import Provider
from sdt_dask_testing.fresh import Answer, FreshProcessError, ask
from sdt_dask_testing.installation import offered
from sdt_dask_testing.probe import packed
from sdt_dask_testing.state import digests, packages_of
from sdt_dask_testing.verdict import refuse

__all__ = ["ProviderGiven"]

_once: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


class ProviderGiven:
    """The author's class and its options, and what a fresh process says of it.

    Attributes
    ----------
    options : dict
        What the author's class is built with, secrets as references; or a fixture of that name.
    """

    #: "plug" or "client"; also the attribute that names the author's class.
    kind: ClassVar[str] = "plug"
    options: Any = {}  # noqa: RUF012 - replaced by the author, never changed

    #: What a fresh process is asked: ``module:function``.
    build_question: ClassVar[str] = "sdt_dask_testing.probe:build_facts"
    secret_question: ClassVar[str] = "sdt_dask_testing.probe:told_of_provider"  # noqa: S105 - a question

    # --- what the author gives

    @pytest.fixture
    def contract_class(self) -> type:
        """Return the author's class, checked as the registry does it."""
        cls = getattr(self, self.kind, None)
        if not isinstance(cls, type):
            refuse(f"{type(self).__name__} names no {self.kind}; write {self.kind} = MyClass in it")
        try:
            return validate_class(self.kind, cls, blame=f"{self.kind} {cls.__name__}")
        except BrokenProviderError as error:
            refuse(str(error))

    @pytest.fixture
    def contract_options(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        """Return the options that the author gives, a new dict each time."""
        return dict(self.given(request, "options"))

    @pytest.fixture
    def contract_option_set(self, contract_class: type) -> OptionSet:
        """Return the options that the class takes."""
        return options_of(contract_class, kind=self.kind, name=contract_class.__name__)

    @pytest.fixture
    def contract_offered(self, request: pytest.FixtureRequest, contract_class: type) -> list[Provider]:
        """Return the entry points that offer the class."""
        providers: list[Provider] = self.once(request, "offered", lambda: offered(self.kind, contract_class))
        return providers

    @pytest.fixture
    def contract_reference(
        self, contract_class: type, contract_offered: list[Provider], contract_options: dict[str, Any]
    ) -> Reference:
        """Return how other processes build it: by its entry point where it is installed, else by its code."""
        return self.refer(contract_class, contract_offered, contract_options)

    @pytest.fixture
    def contract_facts(
        self, request: pytest.FixtureRequest, contract_class: type, contract_reference: Reference
    ) -> dict[str, Any]:
        """Return what a fresh process says of it; asked once for the class."""

        def make() -> dict[str, Any]:
            arguments = [packed(contract_reference), packages_of(contract_class), *self.build_arguments(request)]
            # Both with the same options: a fixture may give other ones to the next test.
            there = self.ask_fresh(self.build_question, *arguments).value
            return {**there, "here": self.here(contract_reference, request)}

        facts: dict[str, Any] = self.once(request, "facts", make)
        return facts

    def here(self, reference: Reference, request: pytest.FixtureRequest) -> dict[str, Any]:
        """Return what this process says of the same questions."""
        return {"digests": digests(reference.build())}

    def build_arguments(self, request: pytest.FixtureRequest) -> list[Any]:
        """Return what else `build_question` wants to know."""
        return []

    def secret_arguments(self, request: pytest.FixtureRequest) -> list[Any]:
        """Return what else `secret_question` wants to know."""
        return []

    # --- what the tests below share

    def given(self, request: pytest.FixtureRequest, name: str) -> Any:
        """Return what the author gives under a name, as a value or as a fixture of any scope."""
        value = getattr(self, name, None)
        if value is None:
            refuse(f"{type(self).__name__} gives no {name}; write {name} = … in it, or a fixture of that name")
        # pytest puts a callable in the place of a fixture's function.
        return request.getfixturevalue(name) if callable(value) else value

    def once(self, request: pytest.FixtureRequest, name: str, make: Callable[[], Any]) -> Any:
        """Return what was found out for this class, or find it out; what was raised is raised again."""
        node = request.node.getparent(pytest.Class)
        found = node.stash.setdefault(_once, {})
        if name not in found:
            try:
                found[name] = make(), None
            except BaseException as error:
                found[name] = None, error
                raise
        value, failure = found[name]
        if failure is not None:
            raise failure
        return value

    def ask_fresh(self, question: str, *arguments: Any, **more: Any) -> Answer:
        """Ask a fresh process; its failure is the provider's."""
        try:
            return ask(question, *arguments, **more)
        except FreshProcessError as error:
            refuse(
                f"{self.kind} {self.contract_name} does not work in a process of its own, where every run builds it: "
                f"{error}\nWhat it needs must come with its options or the environment: a fixture gives a folder or "
                "a server that any process reaches, not a mock within this one."
            )

    def refer(self, cls: type, providers: list[Provider], options: dict[str, Any]) -> Reference:
        """Return the reference that a run would make, by the name of the entry point where there is one that works."""
        if len(providers) == 1:
            with suppress(BrokenProviderError):  # which two tests say
                return refer_to(self.kind, providers[0].name, options)
        return refer_to(self.kind, cls, options)

    @property
    def contract_name(self) -> str:
        """How messages call the author's class."""
        return str(getattr(getattr(self, self.kind, None), "__name__", "?"))
