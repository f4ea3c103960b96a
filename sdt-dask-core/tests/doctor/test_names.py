"""Two distributions that offer one name, and the command that leaves one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BROKEN = Path(__file__).parents[1] / "broken" / "distributions"


def test_uninstalling_one_of_two_mends_the_name(environment: Any, doctor: Any, type_command: Any) -> None:
    environment.install(BROKEN / "broken-duplicate-name")
    commands = doctor.finding("name", environment)["commands"]
    assert [command.rpartition(" ")[2] for command in commands] == ["broken-duplicate-name", "sdt-dask-plug-csv"]
    type_command(commands[0], answer="y\n")
    page = doctor(environment)
    assert (page["findings"], page["exit"]) == ([], 0)


def test_uninstalling_a_broken_one_mends_the_environment(environment: Any, doctor: Any, type_command: Any) -> None:
    environment.install(BROKEN / "broken-exit")
    again, uninstall = doctor.finding("provider", environment)["commands"]
    assert again.endswith(f" install {BROKEN / 'broken-exit'}")
    type_command(uninstall, answer="y\n")
    assert doctor(environment)["exit"] == 0


def test_installing_a_mended_one_again_mends_the_environment(
    environment: Any, source: Any, doctor: Any, type_command: Any
) -> None:
    folder = source()
    module = folder / "acme_plug.py"
    right = module.read_text(encoding="utf-8")
    module.write_text("1 / 0\n", encoding="utf-8")
    environment.install(folder)
    again, _ = doctor.finding("provider", environment)["commands"]
    module.write_text(right, encoding="utf-8")
    type_command(f"{again} --no-deps")
    assert doctor.findings("provider", environment) == []
