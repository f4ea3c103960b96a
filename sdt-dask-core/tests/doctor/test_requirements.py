"""Requirements of everything below the distributions of SDT Dask, and the commands that meet them."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_requirement_two_levels_down_is_told(environment: Any, source: Any, doctor: Any) -> None:
    environment.install(source("acme-plug", "middle-one"))
    environment.pretend("middle-one", "4.0", "bottom-one>=2")
    environment.pretend("bottom-one", "1.0")
    found = doctor.finding("requirement", environment)
    assert found["message"] == "middle-one 4.0 needs bottom-one>=2, but bottom-one 1.0 is installed"
    assert found["level"] == "error"


@pytest.mark.slow
def test_its_command_meets_it_and_what_others_ask_for(
    environment: Any, source: Any, wheel: Any, doctor: Any, type_command: Any
) -> None:
    environment.install(source("acme-plug", "middle-one", "bottom-one<3"))
    environment.pretend("middle-one", "4.0", "bottom-one>=2")
    environment.pretend("bottom-one", "1.0")
    for version in ("1.0", "2.5", "3.0"):
        links = wheel("bottom-one", version)
    (command,) = doctor.finding("requirement", environment)["commands"]
    type_command(command, PIP_FIND_LINKS=str(links))
    assert doctor.findings("requirement", environment) == []


def test_what_only_an_extra_needs_is_looked_at_where_the_extra_is_asked_for(
    environment: Any, source: Any, doctor: Any
) -> None:
    environment.install(source("acme-plug", "middle-one[more]"))
    environment.pretend("middle-one", "4.0", "bottom-one; extra == 'more'", "no-such-one; extra == 'other'")
    found = doctor.finding("requirement", environment)
    assert found["message"] == "middle-one 4.0 needs bottom-one, which is not installed"


def test_a_requirement_of_another_python_is_passed_over(environment: Any, source: Any, doctor: Any) -> None:
    environment.install(source("acme-plug", "no-such-one; python_version < '3'"))
    assert [found["about"] for found in doctor(environment)["findings"]] == ["source"]


def test_requirements_that_go_round_in_a_circle_come_to_an_end(environment: Any, source: Any, doctor: Any) -> None:
    environment.install(source("acme-plug", "middle-one"))
    environment.pretend("middle-one", "4.0", "bottom-one[x]")
    environment.pretend("bottom-one", "4.0", "middle-one; extra == 'x'")
    assert [found["about"] for found in doctor(environment)["findings"]] == ["source"]


def test_a_requirement_at_an_address_is_installed_from_there(environment: Any, source: Any, doctor: Any) -> None:
    environment.install(source("acme-plug", "middle-one"))
    environment.pretend("middle-one", "4.0", "far-one @ https://example.org/far_one-1.0.zip")
    (command,) = doctor.finding("requirement", environment)["commands"]
    assert command.endswith(" install 'far-one @ https://example.org/far_one-1.0.zip'")


@pytest.mark.slow
def test_the_requirement_that_the_listing_names_is_met_by_the_same_command(
    environment: Any, source: Any, wheel: Any, type_command: Any, doctor: Any
) -> None:
    """What `plugs` and a run say when they refuse, typed as it stands."""
    environment.install(source("acme-plug", "bottom-one>=2,<3"))
    refused = environment.sdt_dask("check", "--plug", "acme", cwd=doctor.cwd)
    assert refused.returncode == 2
    command = refused.stderr.rpartition("; ")[2].strip()
    assert command == "pip install 'bottom-one<3,>=2'"
    links = wheel("bottom-one", "2.5")
    type_command(f"{environment.python} -m {command}", PIP_FIND_LINKS=str(links))
    assert doctor.findings("requirement", environment) == []


@pytest.mark.parametrize("text", ["pluggy<1", "no-such-one"])
def test_an_unmet_requirement_of_a_provider_is_told_once(environment: Any, source: Any, doctor: Any, text: str) -> None:
    environment.install(source("acme-plug", text))
    page = doctor(environment)
    assert {provider["state"] for provider in page["providers"] if provider["name"] == "acme"} == {"broken"}
    assert [found["about"] for found in page["findings"]] == ["requirement", "source"]
