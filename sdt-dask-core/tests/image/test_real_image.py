"""The image of a real environment, from the index of this machine: built by the instructions of its Dockerfile."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys

import pytest

from sdt_dask_core.resolution import check
from sdt_dask_core.resolution.program import UnreachableError

from .docker import Engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux", reason="the image is for x86-64"),
]

DATAPLUG = """
import stations

class StationPlug:
    def __init__(self, station: str = "a"):
        self.station = station

    def get_data(self, keys):
        return stations.read(self.station)
"""


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    """The context of the CSV plug and of a user's folder, made by the command line."""
    place = tmp_path_factory.mktemp("image")
    try:
        check(["packaging"], path=[str(place)])
    except UnreachableError as error:
        pytest.skip(f"no index answers here: {error}")
    (place / "station").mkdir()
    (place / "station" / "dataplug.py").write_text(DATAPLUG)
    (place / "station" / "stations.py").write_text("def read(station): ...\n")
    (place / "station" / "requirements.txt").write_text("pandas>=2.2\n")
    command = [sys.executable, "-m", "sdt_dask_core.cli", "image", "csv", "--folder", "station", "-o", "context"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "context"


@pytest.fixture(scope="session")
def engine(context, tmp_path_factory):
    return Engine(context, tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="session")
def built(engine):
    return engine.build()


def test_the_dockerfile_builds(built):
    """The lock installs with nothing resolved, all fits together, and every plug is imported."""
    core = importlib.metadata.version("sdt-dask-core")
    assert "No broken requirements found." in built.said
    assert f"plug csv: sdt-dask-plug-csv {importlib.metadata.version('sdt-dask-plug-csv')}\n" in built.said
    assert f"client local: sdt-dask-core {core}\n" in built.said
    assert "folder StationPlug" in built.said


def test_it_does_not_run_as_root(built):
    assert built.user == "worker"


def test_it_has_the_python_of_the_driver_and_no_floating_tag(built):
    assert built.base == f"python:{'.'.join(platform.python_version_tuple()[:2])}-slim"


def test_its_labels_say_what_it_is(built, context):
    facts = json.loads((context / "sdt-dask-image.json").read_text())
    assert built.labels["org.sdt-dask.tag"] == facts["tag"]
    assert built.labels["org.sdt-dask.core"] == importlib.metadata.version("sdt-dask-core")
    assert built.labels["org.sdt-dask.plugs"] == "StationPlug csv"


@pytest.mark.parametrize("script", ["dask-scheduler", "dask-worker"])
def test_the_scripts_start_what_the_cluster_asks_for(built, engine, script):
    """With nothing but the system's own programs on the path, as a task has it."""
    environment = {"PATH": os.pathsep.join([str(engine.programs), "/usr/bin", "/bin"])}
    done = subprocess.run([script, "--help"], capture_output=True, text=True, env=environment, check=True)
    assert "--dashboard-address" in done.stdout


def test_without_a_command_it_explains_itself(built, engine):
    script, *arguments = built.command
    subprocess.run([engine.programs / script, *arguments], check=True, capture_output=True)


def test_it_has_the_versions_of_here(built, engine):
    """Those that driver and workers must share, and all else that is here too."""
    code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([engine.programs / "python", "-c", code], capture_output=True, text=True, check=True)
    there = json.loads(done.stdout)
    here = {name: importlib.metadata.version(name) for name in there if name != "jupyter"}
    assert {name: version for name, version in there.items() if name != "jupyter"} == here
    assert {"numpy", "pandas", "dask", "distributed", "cloudpickle", "solar-data-tools"} <= there.keys()


def test_the_same_code_is_in_it(built, engine):
    """Of the core too, which was installed here from its folder."""
    code = "import inspect, sdt_dask_core.task; print(inspect.getsource(sdt_dask_core.task))"
    pythons = (sys.executable, engine.programs / "python")
    here, there = (subprocess.run([one, "-c", code], capture_output=True, text=True, check=True) for one in pythons)
    assert here.stdout == there.stdout
