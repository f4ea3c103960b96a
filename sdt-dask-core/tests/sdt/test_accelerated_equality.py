"""Accelerated and original results of whole systems, field by field; `benchmarks/equality.py` has many more of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.sdt, pytest.mark.slow]

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "equality.py"
CASES = {"real_zt": False, "short": True, "short_shifted": True}  # and whether the losses are analysed
MIB = 2**20


@pytest.fixture(scope="module")
def equality() -> ModuleType:
    spec = importlib.util.spec_from_file_location("equality", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=CASES)
def both(request: pytest.FixtureRequest, equality: ModuleType) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same system through the original, but for the sparse is_diagonal, and through all accelerations."""
    losses = CASES[request.param]
    sparse, accelerated = (equality.run(request.param, how, losses=losses) for how in ("sparse", "accelerated"))
    return sparse, accelerated


class TestEquality:
    def test_every_field_is_the_same(self, both: tuple[dict[str, Any], ...], equality: ModuleType) -> None:
        original, accelerated = both
        assert len(original["fields"]) > 100
        assert list(equality.differences(original["fields"], accelerated["fields"])) == []

    def test_there_are_as_many_rounds(self, both: tuple[dict[str, Any], ...]) -> None:
        assert both[1]["rounds"] == both[0]["rounds"]

    def test_the_system_was_analysed(self, both: tuple[dict[str, Any], ...]) -> None:
        assert both[0]["fields"]["error"] == ""

    def test_it_holds_less_memory(self, both: tuple[dict[str, Any], ...]) -> None:
        assert both[1]["peak_bytes"] < min(450 * MIB, both[0]["peak_bytes"] - 150 * MIB)


def test_a_difference_is_found(equality: ModuleType) -> None:
    theirs = {"a": 1.0, "b.degradation_rate_lb": 1.0, "only": None}
    ours = {"a": 1.0 + 1e-15, "b.degradation_rate_lb": 1.0005}
    assert list(equality.differences(theirs, ours)) == ["only: only in the original", "a: 1.0 and 1.000000000000001"]
