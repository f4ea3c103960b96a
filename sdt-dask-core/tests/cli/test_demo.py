import re
import shlex
import subprocess

import pytest


@pytest.mark.sdt
def test_demo_and_what_it_says_to_try_next(sdt_dask, tmp_path, monkeypatch):
    """Two real inverters; each printed command works as printed, and the current folder stays clean."""
    here = tmp_path / "here"
    here.mkdir()
    done = sdt_dask("demo", "--keep", tmp_path / "demo", cwd=here)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^TAEFC1044741 +withheld", done.stdout, re.MULTILINE)
    assert re.search(r"^ZT162185000441C1203 +withheld .* one year says nothing of a trend", done.stdout, re.MULTILINE)
    assert "TAEFC1044741:\n  caution: only 1.3 years of data" in done.stdout
    commands = [line.strip() for line in done.stdout.partition("To try next:\n")[2].splitlines()]
    assert len(commands) == 4
    for command in commands:
        assert subprocess.run(shlex.split(command), cwd=here, check=False, capture_output=True).returncode == 0, command
    assert list(here.iterdir()) == []


def test_without_the_csv_plug_it_says_what_to_install(invoke, monkeypatch):
    from sdt_dask_core.errors import UnknownProviderError

    def none(*_):
        raise UnknownProviderError("unknown")

    monkeypatch.setattr("sdt_dask_core.registry.find_provider", none)
    result = invoke("demo")
    assert (result.exit_code, result.stderr) == (2, "error: the demo reads CSV files; pip install sdt-dask-plug-csv\n")
