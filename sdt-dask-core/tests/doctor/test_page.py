"""The page: short where all is well, clear where it is not, and its exit code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import API
from sdt_dask_core.registry import installed_providers


@pytest.fixture(scope="module")
def broken_page(broken_environment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return broken_environment.sdt_dask("doctor", cwd=tmp_path_factory.mktemp("broken-page"))


def test_a_healthy_environment_has_no_finding(healthy: Any, doctor: Any) -> None:
    page = doctor(healthy)
    assert (page["findings"], page["exit"]) == ([], 0)
    assert {provider["state"] for provider in page["providers"]} == {"ok"}


def test_the_page_of_a_healthy_environment_is_short(healthy: Any, tmp_path: Path) -> None:
    done = healthy.sdt_dask("doctor", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) == 7 + len(installed_providers())
    assert re.fullmatch(
        r"nothing to mend \(\d+ providers, requirements of \d\d+ distributions examined\)", lines[-1]
    ), lines[-1]


def test_the_page_says_what_is_installed(healthy: Any, tmp_path: Path) -> None:
    lines = healthy.sdt_dask("doctor", cwd=tmp_path).stdout.splitlines()
    assert re.fullmatch(r"Python 3\.\d+\.\d+, .*/bin/python", lines[0])
    assert re.fullmatch(rf"sdt-dask-core \S+, contract API {API[0]}\.{API[1]}", lines[1])
    assert re.match(r"solar-data-tools 2\.\S+, dask \S+, distributed \S+, cloudpickle \S+, numpy \S+, pandas", lines[2])


def test_a_broken_environment_ends_with_exit_code_1(broken_page: Any) -> None:
    assert (broken_page.returncode, broken_page.stderr) == (1, "")


@pytest.mark.parametrize(
    ("name", "state"),
    [("healthy", "ok"), ("slow-import", "warning"), ("exit", "broken"), ("later-api", "broken"), ("csv", "broken")],
)
def test_each_provider_has_its_state(broken_page: Any, name: str, state: str) -> None:
    rows = [line.split() for line in broken_page.stdout.splitlines() if line.startswith("plug ")]
    assert {row[-1] for row in rows if row[1] == name} == {state}


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            "error: plug 'exit' of broken-exit 1.12 cannot be imported: SystemExit: usage: exit-plug FILE",
            "uninstall broken-exit",
        ),
        (
            "error: plug 'raising-init' of broken-raising-init 1.8 raised in __init__: ConnectionError: no route to",
            "uninstall broken-raising-init",
        ),
        (
            "error: addon 'broken-addon' of broken-addon 1.13 cannot be imported: RuntimeError: no message broker",
            "uninstall broken-addon",
        ),
        (
            "error: broken-missing-dependency 1.2 needs acme-vendor-sdk<4,>=3, which is not installed",
            "install 'acme-vendor-sdk<4,>=3'",
        ),
        (
            "error: plug 'csv' is offered by broken-duplicate-name 1.6 and sdt-dask-plug-csv ",
            "uninstall sdt-dask-plug-csv",
        ),
        (
            "warning: plug 'slow-import' of broken-slow-import 1.9: its import took ",
            "uninstall broken-slow-import",
        ),
    ],
)
def test_a_finding_has_its_command(broken_page: Any, message: str, command: str) -> None:
    findings = re.split(r"^(?=error|warning)", broken_page.stdout, flags=re.MULTILINE)
    (found,) = [text for text in findings if text.startswith(message)]
    assert re.search(rf"^  (mend|or): .* {re.escape(command)}$", found, re.MULTILINE)


def test_each_thing_is_told_once(broken_page: Any) -> None:
    """A requirement and a name offered twice have findings of their own, and none of their provider."""
    lines = [line for line in broken_page.stdout.splitlines() if line.startswith(("error", "warning"))]
    assert len([line for line in lines if "missing-dependency" in line and "needs" in line]) == 1
    assert len([line for line in lines if "'csv'" in line]) == 1


def test_errors_come_first(broken_page: Any) -> None:
    levels = re.findall(r"^(error|warning): ", broken_page.stdout, re.MULTILINE)
    assert levels == sorted(levels)
    assert {*levels} == {"error", "warning"}


def test_the_last_line_counts(broken_page: Any) -> None:
    levels = re.findall(r"^(error|warning): ", broken_page.stdout, re.MULTILINE)
    counts = f"{levels.count('error')} errors, {levels.count('warning')} warnings ("
    assert broken_page.stdout.splitlines()[-1].startswith(counts)


def test_without_a_package_that_core_needs_the_command_is_told(environment: Any, tmp_path: Path) -> None:
    environment.hide("pluggy")
    done = environment.sdt_dask("doctor", cwd=tmp_path)
    assert done.returncode == 2
    assert "not even the doctor can start: " in done.stderr
    assert done.stderr.endswith(f"{environment.python} -m pip install sdt-dask-core\n")
