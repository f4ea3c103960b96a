"""`ProviderContract`: what plugs and clients share, as tests that an author's class inherits."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from sdt_dask_core.contract import hooks_of
from sdt_dask_core.errors import OptionError
from sdt_dask_core.options import OptionSet
from sdt_dask_core.reference import Reference
from sdt_dask_core.registry import GROUPS, Provider
from sdt_dask_testing.canary import Canary, travelling
from sdt_dask_testing.fresh import Answer, run_python
from sdt_dask_testing.installation import heavy_imports, slowest_import
from sdt_dask_testing.probe import packed
from sdt_dask_testing.provider_given import ProviderGiven
from sdt_dask_testing.state import changes
from sdt_dask_testing.verdict import bullets, refuse, require

__all__ = ["PlainProviderContract", "ProviderContract"]

_SLOWER = 1.0  # s that an import may take beyond the core's own
_TRIES = 3


class PlainProviderContract(ProviderGiven):
    """What any class that provides something must keep, also one that no distribution holds."""

    def test_the_options_given_are_taken(
        self, contract_option_set: OptionSet, contract_options: dict[str, Any]
    ) -> None:
        """A run checks options against the signature, so those of the tests must pass, too."""
        try:
            contract_option_set.resolve(contract_options, environment={})
        except OptionError as error:
            refuse(f"the options of {type(self).__name__} are refused: {error}")

    def test_each_option_survives_json(self, contract_option_set: OptionSet, contract_options: dict[str, Any]) -> None:
        """Options travel as JSON: what they become must be taken again, and be the same."""
        resolved = contract_option_set.resolve(contract_options, environment={})
        again = contract_option_set.resolve(json.loads(json.dumps(resolved)), environment={})
        changed = changes(resolved, again)
        require(
            not changed,
            f"{self.contract_name}: the options {', '.join(changed)} are not the same after a way through JSON; give "
            "them a type that text, numbers and lists can hold",
        )

    def test_building_it_touches_nothing(self, contract_facts: dict[str, Any]) -> None:
        """It is built wherever it is needed, also where the source is not: what it opens it opens on first use."""
        require(
            not contract_facts["touched"],
            f"{self.contract_name}.__init__ touches what it must leave alone:{bullets(contract_facts['touched'])}\n"
            "Keep the options there, and open what you need in the method that needs it first.",
        )

    def test_building_it_changes_no_class(self, contract_facts: dict[str, Any]) -> None:
        """Each thread has an instance of its own, and classes are shared by all of them."""
        require(
            not contract_facts["changed"],
            f"{self.contract_name} keeps state on a class: {', '.join(contract_facts['changed'])} changed while it "
            "was at work; keep it in self, so that each instance has its own",
        )

    def test_two_instances_share_nothing(self, contract_facts: dict[str, Any]) -> None:
        """Two instances with the same options work side by side."""
        names = ", ".join(f"self.{name}" for name in contract_facts["shared"])
        require(
            not names,
            f"two instances of {self.contract_name} hold one and the same mutable object in {names}; make one for "
            "each instance (no mutable default, no object of the module), or make it immutable",
        )

    def test_a_pickled_reference_builds_an_equal_one(
        self, contract_facts: dict[str, Any], contract_reference: Reference
    ) -> None:
        """References travel, instances never: what a fresh process builds is what is built here."""
        require(
            repr(pickle.loads(pickle.dumps(contract_reference))) == repr(contract_reference),  # noqa: S301 - our own
            f"the reference to {self.contract_name} is another one after pickling",
        )
        changed = changes(contract_facts["here"]["digests"], contract_facts["digests"])
        require(
            not changed,
            f"{self.contract_name} built in a fresh process differs in {', '.join(f'self.{n}' for n in changed)}; "
            "__init__ must depend on its options alone, not on the time, the host or the process",
        )

    def test_close_may_be_called_twice(
        self, request: pytest.FixtureRequest, contract_class: type, contract_reference: Reference
    ) -> None:
        """Before anything was opened and after it worked; a new instance then works as before."""
        if "close" not in hooks_of(contract_class):
            pytest.skip(f"{contract_class.__name__} has no close()")
        self.close_twice(contract_reference.build())
        provider = contract_reference.build()
        self.use(provider, request)
        self.close_twice(provider)
        again = contract_reference.build()
        self.use(again, request)
        again.close()

    def use(self, provider: Any, request: pytest.FixtureRequest) -> None:
        """Let a provider open what it needs."""

    def close_twice(self, provider: Any) -> None:
        """Close a provider, and once more."""
        provider.close()
        try:
            provider.close()
        except Exception as error:  # noqa: BLE001 - whatever the author's method raises
            refuse(
                f"{self.contract_name}.close() raised when it was called a second time: {type(error).__name__}: "
                f"{error}; set what it closed to None, and close only what is open"
            )

    def test_no_secret_shows(
        self,
        request: pytest.FixtureRequest,
        contract_class: type,
        contract_offered: list[Provider],
        contract_option_set: OptionSet,
        contract_options: dict[str, Any],
    ) -> None:
        """The value of a secret stands in no repr, log, print, warning, error, frame, pickle or task."""
        names = [option.name for option in contract_option_set if option.is_secret]
        if not names:
            pytest.skip(f"{contract_class.__name__} has no option that is a secret")
        canary = Canary(names, contract_options)
        require(
            not canary.too_short,
            f"the value of {', '.join(canary.too_short)} is too short to be looked for; give the tests a longer one",
        )
        reference = self.refer(contract_class, contract_offered, {**contract_options, **canary.options})
        arguments = [packed(reference), *self.secret_arguments(request)]
        answer = self.ask_fresh(self.secret_question, *arguments, environment=canary.environment)
        said = [*travelling(reference), *map(tuple, answer.value), ("what it printed or warned", answer.printed)]
        shown = canary.shown_in(said)
        require(
            not shown,
            f"{contract_class.__name__} shows the value of a secret:{bullets(shown)}\nKeep the Secret itself in self, "
            "reveal it in the call that needs it, and put no value of it into a text.",
        )


class ProviderContract(PlainProviderContract):
    """What a provider that a distribution offers must keep besides."""

    @pytest.fixture
    def contract_import(
        self, request: pytest.FixtureRequest, contract_class: type, contract_offered: list[Provider]
    ) -> Answer:
        """Return what the import of the class in a fresh process showed, and the times of all modules."""
        own = f"{contract_class.__module__}:{contract_class.__qualname__}"
        value = contract_offered[0].value if contract_offered else own
        answer: Answer = self.once(request, "import", lambda: self.import_anew(value))
        return answer

    def import_anew(self, value: str) -> Answer:
        """Import a class, given as ``module:Class``, in a fresh process."""
        return self.ask_fresh("sdt_dask_testing.probe_import:import_facts", value, flags=["-X", "importtime"])

    def test_an_unknown_option_is_refused(
        self, contract_option_set: OptionSet, contract_options: dict[str, Any]
    ) -> None:
        """A misspelt option fails before a cluster is paid for, and the message names the nearest."""
        require(
            not contract_option_set.takes_any,
            f"{self.contract_name}.__init__ takes **kwargs, so a misspelt option goes unnoticed; name each option",
        )
        known = next(iter(contract_option_set.options), "")
        wrong = f"{known or 'no_such_option'}_"
        with pytest.raises(OptionError) as caught:
            contract_option_set.resolve({**contract_options, wrong: 1}, environment={})
        require(f"{known!r}" in str(caught.value) or not known, f"the message names no near option: {caught.value}")

    def test_each_option_has_a_type_and_a_sentence(self, contract_option_set: OptionSet) -> None:
        """`sdt-dask plugs NAME` shows them, and text from a command line is turned into the type."""
        untyped = [f"{o.name!r} has no type; write {o.name}: str" for o in contract_option_set if o.type_text == "any"]
        unsaid = [
            f"{o.name!r} has no sentence; write it under Parameters in the docstring of the class"
            for o in contract_option_set
            if not o.help
        ]
        require(not untyped + unsaid, f"options of {self.contract_name} are not documented:{bullets(untyped + unsaid)}")

    def test_importing_it_is_light(self, contract_class: type, contract_import: Answer) -> None:
        """Listing and choosing providers imports them: what is heavy is imported where it is used."""
        loaded = heavy_imports(self.kind, contract_class, contract_import.value["modules"])
        require(
            not loaded,
            f"importing {contract_import.value['imported']} imports {', '.join(loaded)}; import them in the methods "
            "that use them, or under TYPE_CHECKING. `python -X importtime -c 'import …'` shows who imports them.",
        )

    def test_importing_it_is_fast(self, contract_import: Answer) -> None:
        """It takes at most a second more than the core itself, in the best of three."""
        answer = contract_import
        for _ in range(_TRIES - 1):
            if answer.value["seconds"] > _SLOWER:
                answer = self.import_anew(answer.value["imported"])
        require(
            answer.value["seconds"] <= _SLOWER,
            f"importing {answer.value['imported']} took {answer.value['seconds']:.1f} s more than the core; the "
            f"slowest module was {slowest_import(answer.printed)}; import it in the method that uses it",
        )

    def test_one_distribution_offers_it(self, contract_class: type, contract_offered: list[Provider]) -> None:
        """A run picks it by the name of its entry point."""
        group, name, providers = GROUPS[self.kind], contract_class.__name__, contract_offered
        if not providers:
            value = f"{contract_class.__module__}:{contract_class.__qualname__}"
            refuse(
                f"no installed distribution offers {name} as a {self.kind}; write\n\n"
                f'[project.entry-points."{group}"]\nNAME = "{value}"\n\n'
                "into its pyproject.toml and install it: pip install -e ."
            )
        require(
            len(providers) == 1,
            f"{name} is offered {len(providers)} times:"
            + bullets(f"{p.name!r} of {p.distribution} {p.version}" for p in providers)
            + "\nLeave one entry point, and uninstall what is old.",
        )

    def test_sdt_dask_lists_it(self, contract_offered: list[Provider]) -> None:
        """`sdt-dask plugs NAME` finds it from any folder and has nothing against it: not its name, not its hooks."""
        if not contract_offered:
            pytest.skip(f"no installed distribution offers {self.contract_name}, which another test says")
        name = contract_offered[0].name
        code, printed = run_python(["-m", "sdt_dask_core.cli", "plugs", name, "--json"])
        require(code == 0, f"`sdt-dask plugs {name}` ended with exit code {code}:\n{printed}")
        listed = [fact for fact in json.loads(printed) if fact["kind"] == self.kind]
        problems = [problem for fact in listed for problem in fact["problems"]]
        require(len(listed) == 1, f"`sdt-dask plugs {name}` lists {len(listed)} {self.kind}s of that name:\n{printed}")
        require(not problems, f"`sdt-dask plugs {name}` has something against it:{bullets(problems)}")
