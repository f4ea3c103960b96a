"""Distributions that are broken on purpose, in a real environment: each is told, blamed, and stops nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sdt_dask_core import API

# Kind and name, the distribution to blame with its version, and why.
BROKEN = {
    ("plug", "import-error"): (
        "broken-import-error 1.1",
        "cannot be imported: RuntimeError: no licence file in the home folder; "
        "reinstall or upgrade broken-import-error",
    ),
    ("plug", "missing-dependency"): (
        "broken-missing-dependency 1.2",
        "it needs acme-vendor-sdk<4,>=3, which is not installed; pip install 'acme-vendor-sdk<4,>=3'",
    ),
    ("plug", "misspelt-hook"): (
        "broken-misspelt-hook 1.3",
        "'finger_print' is decorated with hookimpl but no hook has that name; did you mean 'fingerprint'?",
    ),
    ("plug", "wrong-argument"): (
        "broken-wrong-argument 1.4",
        "'get_data' takes an argument 'system' that the hook does not pass; it passes: key",
    ),
    ("plug", "argument-default"): (
        "broken-argument-default 1.5",
        "'get_data' gives its argument 'key' a default, so pluggy would never pass it; drop it",
    ),
    ("plug", "csv"): (
        "broken-duplicate-name 1.6",
        "the name 'csv' is also offered by sdt-dask-plug-csv; uninstall all but one",
    ),
    ("plug", "other-name"): (
        "broken-other-name 1.7",
        "it calls itself 'another-name' but its entry point is 'other-name'; give both one name",
    ),
    ("plug", "raising-init"): (
        "broken-raising-init 1.8",
        "raised in __init__: ConnectionError: no route to db.invalid",
    ),
    ("plug", "later-api"): (
        "broken-later-api 1.10",
        f"it was written for API 2, this core has API {API[0]}.{API[1]}; install a release made for it",
    ),
    ("plug", "no-class"): (
        "broken-no-class 1.11",
        "cannot be imported: AttributeError: module 'broken_no_class' has no attribute 'ForgottenPlug'; "
        "reinstall or upgrade broken-no-class",
    ),
    ("plug", "exit"): (
        "broken-exit 1.12",
        "cannot be imported: SystemExit: usage: exit-plug FILE; reinstall or upgrade broken-exit",
    ),
    ("addon", "broken-addon"): (
        "broken-addon 1.13",
        "cannot be imported: RuntimeError: no message broker; reinstall or upgrade broken-addon",
    ),
}
# The slow one works.
HEALTHY = {"healthy-plug 2.0", "healthy-addon 2.1", "broken-slow-import 1.9"}


def blamed(fact: dict[str, Any]) -> str:
    return f"{fact['distribution']} {fact['version']}"


@pytest.fixture(scope="module")
def listed(broken_environment: Any, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `plugs --load --json` says of each provider."""
    done = broken_environment.sdt_dask("plugs", "--load", "--json", cwd=tmp_path_factory.mktemp("listed"))
    assert done.returncode == 0, done.stderr
    facts: list[dict[str, Any]] = json.loads(done.stdout)
    return facts


@pytest.fixture
def sdt_dask(broken_environment: Any, tmp_path: Any) -> Callable[..., Any]:
    """Run a command line in the environment of the broken ones."""
    return lambda *arguments: broken_environment.sdt_dask(*arguments, cwd=tmp_path)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("plugs",), ("plugs", "--json"), ("init",)])
def test_core_starts(sdt_dask: Any, arguments: tuple[str, ...]) -> None:
    done = sdt_dask(*arguments)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("wanted", BROKEN)
def test_a_broken_one_is_listed_with_its_reason_and_version(listed: Any, wanted: tuple[str, str]) -> None:
    distribution, reason = BROKEN[wanted]
    (fact,) = [f for f in listed if (f["kind"], f["name"]) == wanted and f["distribution"] != "sdt-dask-plug-csv"]
    assert blamed(fact) == distribution
    assert len(fact["problems"]) == 1
    assert fact["problems"][0].endswith(reason)


def test_nobody_else_is_blamed(listed: Any) -> None:
    guilty = {blamed(fact) for fact in listed if fact["problems"] and fact["distribution"] != "sdt-dask-plug-csv"}
    assert guilty == {distribution for distribution, _ in BROKEN.values()}


def test_the_healthy_ones_are_listed(listed: Any) -> None:
    assert {blamed(fact) for fact in listed if not fact["problems"]} >= HEALTHY


def test_only_the_slow_import_is_warned_of(listed: Any) -> None:
    (fact,) = [fact for fact in listed if "its import took" in str(fact["warnings"])]
    assert fact["name"] == "slow-import"
    assert fact["seconds"] > 4


@pytest.mark.parametrize("arguments", [("plugs",), ("plugs", "healthy")])
def test_listing_imports_no_broken_one(broken_environment: Any, tmp_path: Any, arguments: tuple[str, ...]) -> None:
    """So none can slow it; Python itself says what it imports."""
    done = broken_environment.run_python("-X", "importtime", "-m", "sdt_dask_core.cli", *arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert "sdt_dask_core.registry" in done.stderr
    assert "broken_" not in done.stderr


def test_a_run_of_a_healthy_plug_works(sdt_dask: Any) -> None:
    done = sdt_dask("run", "--plug", "healthy", "--analyses", "none", "-c", "n_workers=1", "--output", "out")
    assert (done.returncode, "1 done" in done.stdout) == (0, True), done.stderr


def test_a_run_with_a_healthy_addon_works(sdt_dask: Any) -> None:
    arguments = ("--analyses", "none", "--addon", "healthy-addon", "-c", "n_workers=1")
    done = sdt_dask("run", "--plug", "healthy", *arguments)
    assert (done.returncode, "1 done" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("wanted", [key for key in BROKEN if key[0] == "plug"])
def test_a_run_that_asks_for_a_broken_plug_fails_with_its_reason(sdt_dask: Any, wanted: tuple[str, str]) -> None:
    distribution, reason = BROKEN[wanted]
    kind, name = wanted
    done = sdt_dask("run", "--plug", name, "--analyses", "none", "--key", "a")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {kind} {name!r} of {distribution} ")
    assert done.stderr.endswith(f"{reason}\n")


def test_a_run_that_enables_a_broken_addon_fails_with_its_reason(sdt_dask: Any) -> None:
    distribution, reason = BROKEN["addon", "broken-addon"]
    done = sdt_dask("run", "--plug", "healthy", "--addon", "broken-addon", "--analyses", "none")
    assert (done.returncode, done.stderr) == (2, f"error: addon 'broken-addon' of {distribution} {reason}\n")


def test_a_run_of_a_name_offered_twice_names_both(sdt_dask: Any) -> None:
    done = sdt_dask("check", "--plug", "csv", "-p", "path=.")
    assert done.returncode == 2
    assert "broken-duplicate-name 1.6" in done.stderr
    assert "sdt-dask-plug-csv" in done.stderr
