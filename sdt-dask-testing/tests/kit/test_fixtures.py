"""The fixtures that every author's tests have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import Plug
from sdt_dask_core.errors import BrokenProviderError, KeyNotFoundError, UnknownProviderError
from sdt_dask_core.frames import check_frame
from sdt_dask_core.reference import refer_to
from sdt_dask_core.registry import find_provider, installed_providers
from sdt_dask_testing import FaultyPlug, IsolatedRegistry, SyntheticSystem


class AcmePlug(Plug):
    def get_data(self, key: Any) -> pd.DataFrame:
        raise KeyNotFoundError(f"there is no {key!r}")


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import sdt_dask_testing.pytest_plugin; "
        "print(sorted({'numpy', 'pandas', 'pvlib', 'dask', 'psutil', 'sdt_dask_core'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the fleet


def test_the_fleet_has_three_systems_that_a_run_accepts(sdt_fleet: list[SyntheticSystem]) -> None:
    assert [system.spec.system_id for system in sdt_fleet] == ["system_00000", "system_00001", "system_00002"]
    assert all(check_frame(system.frame()).power.max() > 1 for system in sdt_fleet)


def test_the_folder_holds_the_fleet_and_its_truth(sdt_fleet: list[SyntheticSystem], sdt_fleet_folder: Path) -> None:
    assert sorted(file.stem for file in (sdt_fleet_folder / "data").iterdir()) == [s.spec.system_id for s in sdt_fleet]
    truth = pd.read_csv(sdt_fleet_folder / "truth.csv")
    assert list(truth["true_energy_kwh"]) == pytest.approx([system.truth.energy_kwh for system in sdt_fleet])


# --- the registry


def test_nothing_installed_is_found(sdt_registry: IsolatedRegistry) -> None:
    assert installed_providers() == []


def test_what_a_test_adds_is_found_and_loaded(sdt_registry: IsolatedRegistry) -> None:
    provider = sdt_registry.add("plug", "acme", AcmePlug, distribution="acme", version="2.1")
    assert (provider.distribution, provider.version, provider.problems) == ("acme", "2.1", ())
    assert sdt_registry.load("plug", "acme") is AcmePlug
    assert isinstance(refer_to("plug", "acme").build(), AcmePlug)


def test_a_class_of_a_function_can_be_added(sdt_registry: IsolatedRegistry) -> None:
    class LocalPlug(AcmePlug):
        pass

    sdt_registry.add("plug", "local-plug", LocalPlug)
    assert sdt_registry.load("plug", "local-plug") is LocalPlug


def test_the_nearest_name_is_one_of_those_added(sdt_registry: IsolatedRegistry) -> None:
    sdt_registry.add("plug", "acme", AcmePlug)
    with pytest.raises(UnknownProviderError, match="installed: acme; did you mean 'acme'"):
        find_provider("plug", "acne")


def test_two_distributions_of_one_name_are_a_problem(sdt_registry: IsolatedRegistry) -> None:
    sdt_registry.add("plug", "acme", AcmePlug, distribution="acme")
    sdt_registry.add("plug", "acme", AcmePlug, distribution="acme-too")
    with pytest.raises(BrokenProviderError, match="also offered by acme-too"):
        find_provider("plug", "acme")


def test_requirements_are_held_against_what_is_installed(sdt_registry: IsolatedRegistry) -> None:
    provider = sdt_registry.add("plug", "acme", AcmePlug, requires=["pandas>=1", "no-such-thing>=2"])
    assert provider.problems == ("it needs no-such-thing>=2, which is not installed; pip install 'no-such-thing>=2'",)


def test_an_installed_distribution_can_be_kept(sdt_registry: IsolatedRegistry) -> None:
    sdt_registry.keep("sdt-dask-core")
    assert "local" in {provider.name for provider in installed_providers("client")}
    assert {provider.distribution for provider in installed_providers()} == {"sdt-dask-core"}


def test_what_is_installed_is_back_afterwards() -> None:
    before = installed_providers()
    with IsolatedRegistry() as registry:
        registry.add("plug", "acme", AcmePlug)
    assert installed_providers() == before
    assert not [name for name in sys.modules if name.startswith("sdt_dask_isolated_")]


# --- faults


def test_any_other_key_of_the_faulty_plug_is_good(sdt_faulty_plug: type[FaultyPlug]) -> None:
    plug = sdt_faulty_plug(units="W", days=4)
    assert check_frame(plug.get_data(("good",)), units=plug.units).statistics["n_timestamps"] == 4 * 96


def test_every_fault_is_documented(sdt_faulty_plug: type[FaultyPlug]) -> None:
    text = str(sdt_faulty_plug.__doc__)
    assert [fault for fault in sdt_faulty_plug.faults() if f"``{fault}``" not in text] == []


def test_the_faulty_plug_lists_a_key_for_each_fault(sdt_faulty_plug: type[FaultyPlug]) -> None:
    assert [key for (key,) in sdt_faulty_plug().list_keys()] == list(sdt_faulty_plug.faults())
    assert len(sdt_faulty_plug.faults()) > 30


@pytest.mark.parametrize(
    ("fault", "error"),
    [("exception", ValueError), ("own_error", KeyNotFoundError), ("sys_exit", SystemExit), ("panic", BaseException)],
)
def test_a_fault_is_raised_where_it_is_read(sdt_faulty_plug: type[FaultyPlug], fault: str, error: type) -> None:
    with pytest.raises(error):
        sdt_faulty_plug().get_data((fault,))


def test_a_fault_ends_the_process_that_reads_it() -> None:
    code = "from sdt_dask_testing import FaultyPlug; FaultyPlug().get_data(('os_exit',))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 3
