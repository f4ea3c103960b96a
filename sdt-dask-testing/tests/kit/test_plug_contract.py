"""The kit held against plugs: a good one passes all of it, and each wrong one fails the test that is meant, alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import Project, Results

ResultsOf = Callable[[str], Results]

#: One that reads files, and one that asks a database and so cannot be seen to open anything.
GOOD = ("GoodPlug", "GoodSqlitePlug")

#: The wrong plug, the test that it fails, and pieces of what it is told.
WRONG = {
    "StateOnClassPlug": ("building_it_changes_no_class", "StateOnClassPlug.n_reads changed while it was at work"),
    "ClassCachePlug": ("building_it_changes_no_class", "ClassCachePlug.sizes changed while it was at work"),
    "OpensInInitPlug": (
        "building_it_touches_nothing",
        "os.stat at acme_plugs.py:",
        "socket.__new__",
        "sqlite3.connect ':memory:' at acme_plugs.py:",
        "a.csv",
        "starts a thread at acme_plugs.py:",
    ),
    "SharedDefaultPlug": ("two_instances_share_nothing", "the same mutable object in self.columns"),
    "BuiltAtPlug": ("a_pickled_reference_builds_an_equal_one", "differs in self.built_by"),
    "AnyOptionPlug": ("an_unknown_option_is_refused", "takes **kwargs, so a misspelt option goes unnoticed"),
    "UndocumentedOptionPlug": ("each_option_has_a_type_and_a_sentence", "'year' has no sentence"),
    "UntypedOptionPlug": ("each_option_has_a_type_and_a_sentence", "'year' has no type; write year: str"),
    "NotANumberPlug": ("each_option_survives_json", "the options scale are not the same after a way through JSON"),
    "SecretInReprPlug": ("no_secret_shows", "'token' in build: repr and str"),
    "SecretInLogPlug": ("no_secret_shows", "'token' in get_data(known_key): log of acme_plugs"),
    "SecretInErrorPlug": ("no_secret_shows", "'token' in get_data(missing_key): error"),
    "SecretInManyPlacesPlug": (
        "no_secret_shows",
        "'token' in what it printed or warned",
        "'token' in get_data(known_key): log of acme_plugs, in base64",
        "'token' in get_data(known_key): answer",
        "'token' in get_data(missing_key): error",
    ),
    "KeyChangedPlug": ("get_data_leaves_the_key_alone", "copy its lists before changing"),
    "StringsPlug": ("get_data_gives_a_valid_frame", "(not_numeric)"),
    "TwoColumnsPlug": ("get_data_gives_a_valid_frame", "return the power column alone"),
    "ReadTwicePlug": ("get_data_gives_the_same_frame_twice", "when it was asked again"),
    "ProcessDataPlug": ("a_fresh_process_reads_the_same_frame", "gave another frame in a fresh process"),
    "CachedFramePlug": ("get_data_gives_a_new_frame_each_time", "returned one and the same frame twice"),
    "CachedArrayPlug": ("get_data_gives_a_new_frame_each_time", "share their memory; keep no frame"),
    "OneAtATimePlug": ("threads_read_at_once", "RuntimeError: one at a time, please"),
    "EmptyFramePlug": ("a_missing_key_raises_the_documented_error", "raise KeyNotFoundError"),
    "KeyErrorPlug": ("a_missing_key_raises_the_documented_error", "it is no KeyNotFoundError"),
    "UnnamedKeyPlug": ("a_missing_key_raises_the_documented_error", "names no part of the key"),
    "UnpicklableErrorPlug": ("the_error_of_a_missing_key_pickles", "OwnMissingError"),
    "FingerprintByGetDataPlug": ("fingerprint_is_cheaper_than_reading", "it calls get_data"),
    "FingerprintOfAllBytesPlug": ("fingerprint_is_cheaper_than_reading", "read all of a.csv for it"),
    "FingerprintOfAllChunksPlug": ("fingerprint_is_cheaper_than_reading", "bytes of a.csv, and get_data reads"),
    "FingerprintOfProcessPlug": ("fingerprint_is_the_same_while_the_source_is", "here and in a fresh process"),
    "FingerprintNumberPlug": ("fingerprint_is_the_same_while_the_source_is", "is a float; return a text, or None"),
    "FingerprintStalePlug": ("fingerprint_follows_the_source", "after change_source changed the data"),
    "FingerprintRaisesPlug": ("fingerprint_of_a_missing_key_raises_nothing", "FileNotFoundError"),
    "SizeTextPlug": ("data_size_is_a_number_or_none", "return bytes as a whole number"),
    "SizeRaisesPlug": ("data_size_is_a_number_or_none", "raised FileNotFoundError"),
    "EagerListPlug": ("list_keys_is_lazy", "returned a list, so all keys were made beforehand"),
    "EagerIteratorPlug": ("list_keys_is_lazy", "returned a list_iterator, so all keys were made beforehand"),
    "EagerExpressionPlug": ("list_keys_is_lazy", "touched the source before the first key was asked for"),
    "RepeatedKeysPlug": ("list_keys_gives_valid_keys", 'more than once: ["a"]; yield each once'),
    "ShuffledKeysPlug": ("list_keys_gives_the_same_keys_again", "sort them"),
    "UnreadableKeysPlug": ("listed_keys_can_be_read", "yielded ('truth',), and get_data of it raised KeyNotFoundError"),
    "OffEarthPlug": ("system_metadata_is_plausible", "'timezone' is unknown; did you mean 'time_zone'?"),
    "ComplainingPlug": ("check_access_is_content", "it rains"),
    "CloseOncePlug": ("close_may_be_called_twice", "raised when it was called a second time: AttributeError"),
    "MisspeltPlug": ("no_method_is_nearly_a_hook", "'fingerprnt'; did you mean 'fingerprint'?"),
    "OtherNamePlug": ("sdt_dask_lists_it", "it calls itself 'another' but its entry point is 'othernameplug'"),
    "OfferedTwicePlug": ("one_distribution_offers_it", "is offered 2 times"),
    "NotOfferedPlug": ("one_distribution_offers_it", '[project.entry-points."sdt_dask.plugs"]'),
    "acme_heavy:HeavyPlug": ("importing_it_is_light", "imports numpy; import them in the methods"),
    "acme_with_sdk:SdkPlug": ("importing_it_is_light", "imports acme_sdk; import them in the methods"),
    "acme_slow:SlowPlug": ("importing_it_is_fast", "the slowest module was acme_slow (1."),
}

# The dear tests of what nearly all wrong plugs have alike, their module, its distribution and the way they take a
# secret: asked of one of them, and of those that are wrong in it.
DEAR = ("importing_it_is_light", "importing_it_is_fast", "sdt_dask_lists_it", "no_secret_shows")
ASKED = "StringsPlug"

_IN_A_GROUP = 6

TESTS = """
import contextlib, os, pathlib, shutil, sqlite3
import pytest
import acme_plugs, acme_heavy, acme_slow, acme_with_sdk
from sdt_dask_testing import PlugContract

class Acme(PlugContract):
    known_key = ("a",)
    missing_key = ("no such",)
    more = {}

    @pytest.fixture
    def options(self, tmp_path):
        shutil.copytree(os.environ["ACME_DATA"], tmp_path / "data")
        return {"path": tmp_path / "data", **self.more}

    def change_source(self, options):
        with (options["path"] / "a.csv").open("a") as file:
            file.write("2030-01-01 00:00,1\\n")
        with contextlib.closing(sqlite3.connect(options["path"] / "data.sqlite")) as database, database:
            database.execute("INSERT INTO data VALUES ('a', '2030-01-01', 1)")

"""
ONE = "class Test{name}(Acme):\n    plug = {module}.{name}\n    more = {more}\n"


def _split(plug: str) -> tuple[str, str]:
    module, _, name = plug.rpartition(":")
    return module or "acme_plugs", name


@pytest.fixture(scope="module")
def installed(project: Project) -> Project:
    """Every plug is offered under its own name, but for those that are not or twice."""
    plugs = [_split(plug) for plug in (*GOOD, *WRONG) if plug != "NotOfferedPlug"]
    entry_points = [f"{name.lower()} = {module}:{name}" for module, name in plugs]
    project.install("acme-sdk", top_level="acme_sdk")
    project.install(
        "acme-plugs",
        entry_points=[*entry_points, "again = acme_plugs:OfferedTwicePlug"],
        top_level="acme_plugs\nacme_heavy\nacme_slow\nacme_with_sdk\n",
        requires="Requires-Dist: sdt-dask-core\nRequires-Dist: acme-sdk\nRequires-Dist: pandas; extra == 'fast'",
    )
    return project


@pytest.fixture(scope="module")
def results_of(installed: Project, request: pytest.FixtureRequest) -> Iterator[ResultsOf]:
    """Run the wrong plugs that are asked for in groups, two at a time; a test waits for the group of its plug."""
    asked = {item.callspec.params.get("plug") for item in request.session.items if hasattr(item, "callspec")}
    plugs = [plug for plug in WRONG if plug in {*asked, ASKED}]
    pool = ThreadPoolExecutor(2)
    runs = {}
    for start in range(0, len(plugs), _IN_A_GROUP):
        group = plugs[start : start + _IN_A_GROUP]
        runs.update(dict.fromkeys(group, pool.submit(installed.run, _tests_of(group), f"from_{start}")))
    yield lambda plug: runs[plug].result()
    pool.shutdown(cancel_futures=True)


def _tests_of(plugs: list[str]) -> str:
    more = {"NotANumberPlug": "{'scale': float('nan')}"}
    return TESTS + "".join(_test_of(plug, more.get(plug, "{}")) for plug in plugs)


def _test_of(plug: str, more: str) -> str:
    module, name = _split(plug)
    left_out = () if plug == ASKED or WRONG[plug][0] in DEAR else DEAR
    return "\n".join(
        [ONE.format(module=module, name=name, more=more), *(f"    test_{test} = None" for test in left_out), ""]
    )


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plug_passes_with_every_test_run(installed: Project, name: str) -> None:
    results = installed.run(TESTS + ONE.format(module="acme_plugs", name=name, more="{}"))
    assert results.words == {}
    assert len(results.of(f"Test{name}", "passed")) > 30


@pytest.mark.slow
@pytest.mark.parametrize("plug", WRONG)
def test_a_wrong_plug_fails_the_test_that_is_meant_and_no_other(results_of: ResultsOf, plug: str) -> None:
    name, test = f"Test{_split(plug)[1]}", WRONG[plug][0]
    results = results_of(plug)
    assert [*results.of(name, "failure"), *results.of(name, "error")] == [f"test_{test}"]


@pytest.mark.slow
@pytest.mark.parametrize("plug", WRONG)
def test_a_wrong_plug_is_told_what_is_wrong(results_of: ResultsOf, plug: str) -> None:
    test, *pieces = WRONG[plug]
    words = results_of(plug).words[f"Test{_split(plug)[1]}", f"test_{test}"]
    assert [piece for piece in pieces if piece not in words] == []
    assert not re.search("canary[0-9a-f]", words)


@pytest.mark.slow
def test_every_test_of_the_kit_can_fail(results_of: ResultsOf) -> None:
    """Options that are refused are looked at elsewhere."""
    elsewhere = {"test_the_options_given_are_taken"}
    tests = set(results_of(ASKED).outcomes[f"Test{ASKED}"])
    assert tests - elsewhere == {f"test_{test}" for test, *_ in WRONG.values()}
