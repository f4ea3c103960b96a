import subprocess
import sys

import pytest

COMMANDS = [
    "demo",
    "init",
    "new",
    "plugs",
    "image",
    "doctor",
    "check",
    "keys",
    "plan",
    "run",
    "resume",
    "retry",
    "status",
    "errors",
    "compare",
    "report",
    "export",
    "publish",
    "clusters",
]
HEAVY = (
    *("pandas", "numpy", "dask", "distributed", "rich", "pluggy", "pydantic", "solardatatools", "importlib_metadata"),
    *("jinja2", "matplotlib"),
)


def modules_after(*arguments):
    code = (
        "import sys\nfrom sdt_dask_core.cli import main\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.split()


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("status", "--help"), ("report", "--help")])
def test_help_imports_nothing_heavy(arguments):
    """Help is there at once, whatever is installed."""
    assert not set(HEAVY) & set(modules_after(*arguments))


def test_list_of_commands_needs_no_command():
    """The list's texts come from the group itself."""
    assert not [name for name in modules_after("--help") if name in ("sdt_dask_core.cli.run", "sdt_dask_core.options")]


def test_listing_plugs_imports_no_provider():
    """Metadata alone are read."""
    assert not {"pandas", "distributed", "sdt_dask_plug_csv"} & set(modules_after("plugs"))


def test_help_lists_every_command(invoke):
    result = invoke("--help")
    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    assert "Exit codes: 0 all done" in result.stdout


def test_no_command_shows_the_help(invoke):
    assert invoke().stdout == invoke("--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(invoke, command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: sdt-dask {command} " in result.stdout
    assert "--debug" in result.stdout


def test_version_names_what_numbers_depend_on(invoke):
    assert invoke("--version").stdout.startswith("sdt-dask-core ")
    assert "solar-data-tools 2." in invoke("--version").stdout


def test_misspelt_command_names_the_nearest(invoke):
    result = invoke("rnu")
    assert result.exit_code == 2
    assert result.stderr == "error: there is no command 'rnu'; did you mean 'run'?\nsee sdt-dask --help\n"
