"""`plugs check`, over a folder of wheels in the place of an index and beside what really is installed."""

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile

import pytest

CORE = importlib.metadata.version("sdt-dask-core")
PYTHON = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Makes wheels in the folder that is the only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def make(name, version, *requires):
        stem = f"{name.replace('-', '_')}-{version}"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            text = "\n".join([*lines, *(f"Requires-Dist: {one}" for one in requires)])
            wheel.writestr(f"{stem}.dist-info/METADATA", text + "\n")
            wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{stem}.dist-info/RECORD", "")

    return make


def test_what_installs_is_listed(invoke, index):
    index("acme-plug", "1.0", "acme-sdk")
    index("acme-sdk", "3.1")
    result = invoke("plugs", "check", "acme-plug")
    assert result.exit_code == 0, result.stderr
    first, head, *rest = result.stdout.splitlines()
    assert first == "installs beside what is here; nothing changes, and 2 distributions would be added:"
    assert head.split() == ["name", "version"]
    assert [line.split() for line in rest[:2]] == [["acme-plug", "1.0"], ["acme-sdk", "3.1"]]
    assert rest[2].startswith("(asked of uv ")


def test_what_is_there_already_is_told(invoke, index):
    result = invoke("plugs", "check", "sdt-dask-core")
    assert result.exit_code == 0
    assert result.stdout.startswith("installed already; nothing would change\n")


def test_what_would_change_is_told_with_what_it_means_for_workers(invoke, index):
    index("acme-plug", "1.0", "cloudpickle>=99")
    index("cloudpickle", "99.0")
    result = invoke("plugs", "check", "acme-plug")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["cloudpickle", importlib.metadata.version("cloudpickle"), "99.0", "yes"] in lines
    assert "Workers must have the same versions: make the worker image anew afterwards.\n" in result.stdout


def test_a_conflict_names_both_and_what_to_change(invoke, index):
    index("acme-plug", "1.0", "click<8")
    index("click", "7.0")
    before = {found.metadata["Name"]: found.version for found in importlib.metadata.distributions()}
    result = invoke("plugs", "check", "acme-plug")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:-1] == [
        "does not install beside what is here: no release of click serves both",
        "  acme-plug 1.0 needs click<8",
        f"  sdt-dask-core {CORE} needs click>=8.1 (installed here)",
        "what to change:",
        "  - ask the authors of acme-plug to allow click>=8.1",
        "  - or give acme-plug an environment and a worker image of its own",
    ]
    assert before.items() <= {f.metadata["Name"]: f.version for f in importlib.metadata.distributions()}.items()


def test_a_newer_core_is_told(invoke, index):
    index("acme-plug", "2.0", "sdt-dask-core>=9")
    result = invoke("plugs", "check", "acme-plug")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:4] == [
        "  acme-plug 2.0 needs sdt-dask-core>=9",
        f"  here is sdt-dask-core {CORE}",
        f"  no index that was asked has a wheel of sdt-dask-core for Python {PYTHON}",
    ]


def test_a_requirements_file_is_taken(invoke, index, tmp_path):
    index("acme-plug", "1.0")
    (tmp_path / "requirements.txt").write_text("# pinned\nacme-plug==1.0  # ours\n")
    result = invoke("plugs", "check", "--requirements", "requirements.txt", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["added"] == [{"name": "acme-plug", "version": "1.0"}]


def test_a_line_that_cannot_be_read_is_told(invoke, tmp_path):
    (tmp_path / "requirements.txt").write_text("pandas\nacme plug\n")
    result = invoke("plugs", "check", "-r", "requirements.txt")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: requirements.txt, line 2: 'acme plug' cannot be read: ")


def test_nothing_to_check_is_told(invoke):
    result = invoke("plugs", "check")
    assert result.exit_code == 2
    assert "name at least one REQUIREMENT, or a file with --requirements" in result.stderr


def test_json_has_the_conflict(invoke, index):
    index("acme-plug", "1.0", "click<8")
    index("click", "7.0")
    result = invoke("plugs", "check", "acme-plug", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["installs"], found["conflict"]["package"]) == (False, "click")
    assert [side["distribution"] for side in found["conflict"]["sides"]] == ["acme-plug", "sdt-dask-core"]


def test_an_index_that_does_not_answer_is_no_conflict(invoke, index, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")  # the port of nothing
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    result = invoke("plugs", "check", "acme-plug")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: no answer, because an index cannot be reached; this is no conflict.")


def test_help_names_the_check_and_its_exit_codes(invoke):
    assert "check REQUIREMENT..." in invoke("plugs", "--help").stdout
    assert (
        "Exit codes: 0 it installs, 1 it does not, 2 there is no answer." in invoke("plugs", "check", "--help").stdout
    )


@pytest.mark.parametrize("arguments", [["plugs"], ["plugs", "--help"], ["plugs", "check", "--help"]])
def test_only_a_check_imports_what_checks(arguments):
    """The listing is as fast as it was."""
    code = (
        "import sys\nfrom sdt_dask_core.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sdt_dask_core.cli.plugs" in done.stderr.split()
    assert not {"sdt_dask_core.resolution", "venv", "pandas", "numpy", "dask"} & set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--json", "csv"), ("csv", "--json")])
def test_options_stand_before_a_name_or_behind_it(invoke, arguments):
    assert json.loads(invoke("plugs", *arguments).stdout)[0]["name"] == "csv"


def test_a_warning_stands_in_the_state(invoke, install):
    install("near", "class Provider:\n    def get_data(self, keys): ...\n    def list_key(self): ...\n")
    warning = "its method 'list_key' is no hook; did you mean 'list_keys'?"
    (line,) = [line for line in invoke("plugs", "--load").stdout.splitlines() if "dist-of-near" in line]
    assert f"ok, but {warning}" in line
    assert f"warning: {warning}" in invoke("plugs", "near").stdout.splitlines()


def test_a_name_that_no_index_has_is_told(invoke, index):
    result = invoke("plugs", "check", "acme-plugg")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:3] == [
        "does not install beside what is here: no release of acme-plugg will do",
        "  you ask for acme-plugg",
        f"  no index that was asked has a wheel of acme-plugg for Python {PYTHON}",
    ]


def test_what_is_not_understood_is_told_in_the_words_of_the_tool(invoke, index):
    """Here the index lacks what every image needs, whatever is asked for."""
    result = invoke("plugs", "check", "--fresh", "sdt-dask-core")
    assert result.exit_code == 1
    assert result.stdout.startswith("does not install in a new worker image; uv ")
    assert "error: No solution found when resolving dependencies" in result.stdout
