import json
import sys
import textwrap
import time

import pytest

from sdt_dask_core.inspection import inspect_provider
from sdt_dask_core.registry import find_provider, installed_providers

GOOD = "class Provider:\n    def get_data(self, keys): ...\n"

# What a stranger's module does when it is imported, and what is said of it.
BROKEN = [
    ("import no_such_thing", "cannot be imported: ModuleNotFoundError: No module named 'no_such_thing'"),
    ("import sys; sys.exit(3)", "SystemExit: 3"),
    (
        "import os; print('bye', flush=True); os._exit(4)",
        "ended the process that imported it, with exit code 4; its last words: bye",
    ),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "by signal SIGKILL"),
    ("class Provider: pass", "breaks the contract: it has no method 'get_data'"),
]


@pytest.mark.parametrize(("source", "reason"), BROKEN)
def test_broken_provider_is_blamed_on_its_distribution(install, source, reason):
    install("shaky", source)
    problem = inspect_provider(find_provider("plug", "shaky")).problem
    assert reason in problem
    assert "plug 'shaky' of dist-of-shaky 1.2" in problem


def test_provider_that_hangs_is_left_after_a_while(install):
    """Also when it started a process that lives on."""
    install("slow", "import subprocess, time\nsubprocess.Popen(['sleep', '60'])\ntime.sleep(60)\n")
    start = time.monotonic()
    assert "did not finish its import within 1 s" in inspect_provider(find_provider("plug", "slow"), timeout=1).problem
    assert time.monotonic() - start < 10


def test_what_a_provider_prints_is_not_the_answer(install):
    install("loud", "print('{}')\n" + GOOD)
    found = inspect_provider(find_provider("plug", "loud"))
    assert (found.problem, found.hooks) == ("", ["get_data"])


def test_module_in_the_current_folder_does_not_shadow(install, tmp_path):
    install("shaded", "import colorsys\n" + GOOD)
    (tmp_path / "colorsys.py").write_text("1/0")
    assert inspect_provider(find_provider("plug", "shaded")).problem == ""


def inspected(install, source):
    install("looked", textwrap.dedent(source))
    return inspect_provider(find_provider("plug", "looked"))


def test_an_init_that_raises_is_found_where_no_option_is_needed(install):
    found = inspected(
        install, "class Provider:\n    def __init__(self, n=1): 1 / 0\n    def get_data(self, keys): ...\n"
    )
    assert found.problem == (
        "plug 'looked' of dist-of-looked 1.2 raised in __init__: ZeroDivisionError: division by zero"
    )


def test_a_provider_with_a_required_option_is_not_built(install):
    source = "class Provider:\n    def __init__(self, n): 1 / 0\n    def get_data(self, keys): ...\n"
    assert inspected(install, source).problem == ""


def test_options_that_need_each_other_break_nothing(install):
    """A run says so, once it has none of them."""
    source = """
        from sdt_dask_core.errors import OptionError
        class Provider:
            def __init__(self, path="", url=""):
                raise OptionError("give path or url")
            def get_data(self, keys): ...
    """
    assert inspected(install, source).problem == ""


def test_a_slow_import_is_a_warning(install):
    found = inspected(install, "import time; time.sleep(2.1)\n" + GOOD)
    assert (found.problem, found.seconds > 2) == ("", True)
    assert found.warnings == [
        f"its import took {found.seconds:.1f} s; import heavy packages in the methods that use them"
    ]


def test_a_method_nearly_named_like_a_hook_is_a_warning(install):
    found = inspected(install, GOOD + "    def list_key(self): ...\n")
    assert found.warnings == ["its method 'list_key' is no hook; did you mean 'list_keys'?"]


def test_an_option_without_a_sentence_is_a_warning(install):
    source = """
        class Provider:
            '''Reads.

            Parameters
            ----------
            path : str
                Where.
            '''
            def __init__(self, path, unit="W", sep=","): ...
            def get_data(self, keys): ...
    """
    assert inspected(install, source).warnings == [
        "its docstring says nothing of 'unit', 'sep'; give each option a sentence under Parameters"
    ]


OURS = [(p.kind, p.name) for p in installed_providers() if p.distribution in ("sdt-dask-core", "sdt-dask-plug-csv")]


@pytest.mark.parametrize(("kind", "name"), OURS)
def test_a_provider_of_ours_has_nothing_to_mend(kind, name):
    found = inspect_provider(find_provider(kind, name))
    assert (found.problem, [text for text in found.warnings if "import took" not in text]) == ("", [])


def test_list_names_what_metadata_tell(invoke, install):
    """A name offered twice is told; nothing is imported."""
    install("csv", "1/0", distribution="rival")
    result = invoke("plugs")
    assert result.exit_code == 0
    assert "the name 'csv' is also offered by rival" in result.stdout
    assert "module_of_csv" not in sys.modules


def test_load_shows_hooks_and_reasons(invoke, install):
    install("shaky", "1/0")
    lines = invoke("plugs", "--load").stdout.splitlines()
    (ours,) = [line for line in lines if "plug-csv" in line]
    assert "get_data, list_keys, fingerprint, data_size, local_paths, check_access ok" in " ".join(ours.split())
    assert "cannot be imported: ZeroDivisionError" in next(line for line in lines if "shaky" in line)


def test_one_plug_with_its_options(invoke):
    text = invoke("plugs", "csv").stdout
    assert 'keys: ("name",) or ("name", sensor)' in text
    assert "options (-p name=value):" in text
    assert "  units: 'W' | 'kW' | 'MW', default 'kW'\n      Unit of the power in the files." in text
    assert "  path: Path, required" in text
    assert "environment: SDT_DASK_PLUG_CSV_UNITS" in text


def test_secret_says_how_to_give_it(invoke, install):
    install("db", "class Provider:\n    def __init__(self, api_key: str): ...\n    def get_data(self, keys): ...\n")
    assert "A secret: give a reference, env:NAME or file:/path." in invoke("plugs", "db").stdout


def test_plug_and_client_of_one_name_are_both_shown(invoke, install):
    install("local", GOOD)
    text = invoke("plugs", "local").stdout
    assert "plug local, dist-of-local 1.2" in text
    assert "client local, sdt-dask-core" in text


def test_json_has_it_all(invoke):
    csv, publisher = json.loads(invoke("plugs", "csv", "--json").stdout)
    assert (csv["kind"], publisher["kind"]) == ("plug", "publisher")
    assert (csv["kind"], csv["problems"], csv["options"][0]["name"]) == ("plug", [], "path")
    assert {fact["name"] for fact in json.loads(invoke("plugs", "--json").stdout)} >= {"csv", "local", "quality"}
