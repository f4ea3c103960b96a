import os
import subprocess
import sys
import textwrap

import pytest
from click.testing import CliRunner

PLUG = '''
    import numpy as np
    import pandas as pd


    class DayPlug:
        """Makes a few sunny days.

        Parameters
        ----------
        days : int
            Number of days.
        """

        def __init__(self, days: int = 5, units: str = "kW"):
            self.days = days
            self.units = units

        def list_keys(self):
            return [("north",), ("south",), ("bad \\x1b[2J[red]",)]

        def fingerprint(self, key):
            return "always the same"

        def get_data(self, keys):
            if keys[0].startswith("bad"):
                print("my last words")
                raise ValueError("broken [bold]\\x1b[31m")
            index = pd.date_range("2020-06-01", periods=96 * self.days, freq="15min")
            hours = index.hour + index.minute / 60
            return pd.DataFrame({"power": np.clip(np.sin((hours - 6) / 12 * np.pi), 0, None) * 5}, index=index)
'''


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Every test starts in an empty folder, without options in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SDT_DASK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def invoke():
    """Run a command line in this process."""
    from sdt_dask_core.cli.app import app

    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def sdt_dask():
    """Run a command line in a process of its own."""

    def run(*arguments, cwd, **more):
        command = [sys.executable, "-m", "sdt_dask_core.cli", *(str(argument) for argument in arguments)]
        return subprocess.run(command, check=False, cwd=cwd, capture_output=True, encoding="utf-8", timeout=120, **more)

    return run


def write_plug_folder(folder):
    """Make a user's folder with a data plug of three keys, one of which fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataplug.py").write_text(textwrap.dedent(PLUG), encoding="utf-8")
    return folder


@pytest.fixture
def plug_folder(tmp_path):
    return write_plug_folder(tmp_path / "mine")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, sdt_dask):
    """A finished run of the three keys, on a real cluster: the completed process and its folder."""
    place = tmp_path_factory.mktemp("finished")
    write_plug_folder(place / "mine")
    done = sdt_dask("run", "mine", "--analyses", "none", "-c", "n_workers=2", cwd=place)
    return done, place


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution with one provider, as far as Python can tell."""

    def make(name, source, *, kind="plugs", distribution=None):
        distribution = distribution or f"dist-of-{name}"
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[sdt_dask.{kind}]\n{name} = module_of_{name}:Provider\n")
        (site / f"module_of_{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(site)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(":"))

    return make
