"""From the most specific: command line, manifest row, run file, environment."""

from pathlib import Path

import pytest


@pytest.fixture
def layers(plug_folder, monkeypatch, invoke):
    """Set the number of days in any of the layers; return what `check` then sees."""

    def days(*, environment=None, run_file=None, row=None, line=None):
        if environment:
            monkeypatch.setenv("SDT_DASK_PLUG_DAYPLUG_DAYS", environment)
        options = f"[plug_options]\ndays = {run_file}\n" if run_file else ""
        Path("sdt-dask.toml").write_text(f'plug = "mine"\nmanifest = "systems.csv"\n{options}')
        Path("systems.csv").write_text(f"key,days,units\nnorth,{row or ''},kW\n")
        result = invoke("check", *(["-p", f"days={line}"] if line else []))
        assert result.exit_code == 0, result.stderr
        return int(result.stdout.split("length: ")[1].split(".")[0])

    return days


def test_default_where_nobody_says_anything(layers):
    assert layers() == 5


def test_environment_over_default(layers):
    assert layers(environment="3") == 3


def test_run_file_over_environment(layers):
    assert layers(environment="3", run_file=4) == 4


def test_manifest_row_over_run_file(layers):
    assert layers(environment="3", run_file=4, row=6) == 6


def test_command_line_over_manifest_row(layers):
    assert layers(environment="3", run_file=4, row=6, line=7) == 7
