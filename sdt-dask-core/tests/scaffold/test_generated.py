"""What ``sdt-dask new`` writes, built, installed and tested as its author would, in an environment of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.slow

# What the kit leaves out because the provider does not claim it.
NOT_CLAIMED = {
    "plug": ("has no close()", "has no option that is a secret", "has no system_metadata()"),
    "client": (
        *("has no option that is a secret", "the cluster is the client's own", "gives no broken_options"),
        *("has no list_clusters()", "has no remove_cluster()", "has no cost_so_far()"),
    ),
}
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass
class Made:
    """A new distribution, installed: what it is, its folder and wheel, and what `sdt-dask new` said."""

    kind: Any
    name: str
    folder: Path
    wheel: Path
    said: str
    run: Any


@pytest.fixture(scope="module", params=[("plug", "acme"), ("plug", "my-store"), ("client", "acme-grid")], ids="-".join)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run: Any) -> Made:
    kind, name = request.param
    place = tmp_path_factory.mktemp("new")
    said = run("sdt-dask", "new", kind, name, "--author", "Ada Ace", cwd=place)
    folder = place / f"sdt-dask-{kind}-{name}"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place / "dist", cwd=folder)
    (wheel,) = (place / "dist").iterdir()
    run("python", "-m", "pip", "install", "--quiet", wheel, cwd=place)
    return Made(kind, name, folder, wheel, said, run)


def test_it_is_listed_without_a_problem(made: Made, tmp_path: Path):
    facts = json.loads(made.run("python", "-m", "sdt_dask_core.cli", "plugs", "--load", "--json", cwd=tmp_path))
    (own,) = (fact for fact in facts if (fact["kind"], fact["name"]) == (made.kind, made.name))
    assert own["distribution"] == made.folder.name
    assert own["problems"] == []
    assert all(option["help"] and option["type"] != "any" for option in own["options"])


def test_it_passes_its_own_tests(made: Made, tmp_path: Path):
    """Unedited: no failure, no error, and nothing left out but what it does not claim."""
    report = tmp_path / "report.xml"
    made.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", cwd=made.folder)
    cases = list(ElementTree.parse(report).iter("testcase"))
    skips = [skip.get("message", "") for case in cases for skip in case.iter("skipped")]
    assert [text for text in skips if not text.endswith(NOT_CLAIMED[made.kind])] == []
    assert sum("test_contract" in case.get("classname", "") for case in cases) - len(skips) > 20


def test_the_blocks_of_its_readme_run(made: Made, tmp_path: Path):
    blocks = BLOCK.findall((made.folder / "README.md").read_text(encoding="utf-8"))
    assert {language for language, _ in blocks} == {"python", "console"}
    for number, (language, text) in enumerate(blocks):
        if language == "console":
            for line in text.splitlines():
                made.run("bash", "-euc", line.removeprefix("$ "), cwd=tmp_path)
            continue
        # Saved with the guard that the README asks for.
        script = tmp_path / f"block{number}.py"
        script.write_text("if __name__ == '__main__':\n" + re.sub("^", "    ", text, flags=re.MULTILINE))
        made.run("python", script, cwd=tmp_path)
    assert (tmp_path / "example" / "results" / "results.csv").is_file()


def test_the_wheel_holds_the_licence_and_the_types(made: Made):
    names = zipfile.ZipFile(made.wheel).namelist()
    assert f"sdt_dask_{made.kind}_{made.name.replace('-', '_')}/py.typed" in names
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_ruff_finds_nothing(made: Made):
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run([ruff, *command], cwd=made.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_commands_that_it_told_work_as_printed(made: Made):
    """All in one shell, as somebody would paste them; the installation is now one that follows the edits."""
    commands = made.said.partition("next:\n")[2].replace("-m pytest", "-m pytest -q tests/test_contract.py -k options")
    done = made.run("bash", "-euc", commands, cwd=made.folder.parent)
    assert f"{made.kind} {made.name}, {made.folder.name} 0.1.0\n" in done
    place = made.run(
        "python",
        "-c",
        f"import sdt_dask_{made.kind}_{made.name.replace('-', '_')} as m; print(m.__file__)",
        cwd=made.folder.parent,
    )
    assert Path(place.strip()).is_relative_to(made.folder / "src")
