"""Projects of strange authors: distributions that are on the path of other processes, and their tests run there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sdt_dask_testing import synthetic_fleet

HERE = Path(__file__).parent


@dataclass
class Results:
    """What became of each test, by class and name, and what was said of it."""

    outcomes: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[tuple[str, str], str] = field(default_factory=dict)

    def __or__(self, other: Results) -> Results:
        return Results(self.outcomes | other.outcomes, self.words | other.words)

    def of(self, name: str, outcome: str) -> list[str]:
        return [test for test, became in self.outcomes[name].items() if became == outcome]


class Project:
    """A folder with modules, a distribution that offers plugs of them, and tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        shutil.copytree(HERE / "acme", self.site, ignore=shutil.ignore_patterns("__pycache__"))
        self.data = folder / "data"
        self.data.mkdir()
        for name, system in zip("ab", synthetic_fleet(2, seed=1, years=0.2), strict=True):
            system.power.to_csv(self.data / f"{name}.csv")
        database = sqlite3.connect(self.data / "data.sqlite")
        with database:
            database.execute("CREATE TABLE data (system TEXT, timestamp TEXT, power REAL)")
            for file in self.data.glob("*.csv"):
                rows = (line.split(",") for line in file.read_text().splitlines()[1:])
                database.executemany("INSERT INTO data VALUES (?, ?, ?)", ((file.stem, *row) for row in rows))
        database.close()

    def install(self, name: str, *, entry_points: Iterable[str] = (), top_level: str, requires: str = "") -> None:
        info = self.site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *requires.splitlines(), ""]
        (info / "METADATA").write_text("\n".join(lines))
        (info / "entry_points.txt").write_text("\n".join(["[sdt_dask.plugs]", *entry_points, ""]))
        (info / "top_level.txt").write_text(top_level)

    def run(self, source: str, name: str = "theirs") -> Results:
        """Run a file of tests in another process."""
        (self.folder / f"test_{name}.py").write_text(textwrap.dedent(source))
        arguments = ["-q", f"--junitxml={name}.xml", "-p", "no:cacheprovider", "--rootdir=.", f"--basetemp=tmp_{name}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments, f"test_{name}.py"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.site), "ACME_DATA": str(self.data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stdout
        return _results(self.folder / f"{name}.xml")


def _results(file: Path) -> Results:
    results = Results()
    for case in ElementTree.parse(file).iter("testcase"):
        name, test = case.attrib["classname"].rpartition(".")[2], case.attrib["name"]
        found = next(iter(case), None)
        results.outcomes.setdefault(name, {})[test] = "passed" if found is None else found.tag
        if found is not None:
            results.words[name, test] = f"{found.attrib.get('message', '')}\n{found.text}"
    return results


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("acme"))
