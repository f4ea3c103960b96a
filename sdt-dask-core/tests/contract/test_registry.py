"""The registry: listed from metadata alone, loaded one at a time, each fault with whom to blame."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.errors import BrokenProviderError, UnknownProviderError
from sdt_dask_core.registry import Provider, find_provider, installed_providers, load_class, unmet_requirement

PLUG = """
from sdt_dask_core.plug import Plug

class AcmePlug(Plug):
    def get_data(self, key):
        return key
"""


def listed(name: str = "acme", kind: str = "plug") -> Provider:
    (provider,) = [provider for provider in installed_providers(kind) if provider.name == name]
    return provider


def broken(name: str = "acme") -> str:
    with pytest.raises(BrokenProviderError) as caught:
        load_class(find_provider("plug", name))
    return str(caught.value)


def test_a_provider_is_listed_with_what_to_blame(make_distribution: Any) -> None:
    make_distribution(source=PLUG)
    assert listed() == Provider("plug", "acme", "acme_plug:AcmePlug", "acme-plug", "1.2.0")


def test_listing_imports_nothing(make_distribution: Any, tmp_path: Path) -> None:
    make_distribution(source=f"open({str(tmp_path / 'trace')!r}, 'w').close()")
    assert listed().problems == ()
    assert "acme_plug" not in sys.modules
    assert not (tmp_path / "trace").exists()


def test_listing_imports_no_parent_package(make_distribution: Any, tmp_path: Path) -> None:
    info = make_distribution(module="", entry_points="[sdt_dask.plugs]\nacme = acme_pkg.deep.plug:AcmePlug\n")
    deep = info.parent / "acme_pkg" / "deep"
    deep.mkdir(parents=True)
    for folder in (deep.parent, deep):
        (folder / "__init__.py").write_text("raise AssertionError", encoding="utf-8")
    (deep / "plug.py").write_text("", encoding="utf-8")
    assert listed().problems == ()


@pytest.mark.parametrize("kind", ["plug", "client", "analysis", "publisher", "addon"])
def test_each_kind_has_its_group(make_distribution: Any, kind: str) -> None:
    group = {"analysis": "analyses"}.get(kind, f"{kind}s")
    make_distribution(entry_points=f"[sdt_dask.{group}]\nacme = acme_plug:Acme\n")
    assert listed(kind=kind).kind == kind


def test_only_the_kinds_asked_for_are_listed(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\na = acme_plug:A\n[sdt_dask.addons]\nb = acme_plug:B\n")
    assert [(p.kind, p.name) for p in installed_providers("addon", "plug") if p.distribution == "acme-plug"] == [
        ("addon", "b"),
        ("plug", "a"),
    ]


def test_providers_are_listed_by_name(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\nz = acme_plug:Z\na = acme_plug:A\nm = acme_plug:M\n")
    assert [p.name for p in installed_providers("plug") if p.distribution == "acme-plug"] == ["a", "m", "z"]


def test_core_brings_a_local_client_and_two_analyses() -> None:
    names = {(p.kind, p.name) for p in installed_providers() if p.distribution == "sdt-dask-core"}
    assert {("client", "local"), ("analysis", "quality"), ("analysis", "losses")} <= names


def test_a_duplicate_name_is_told_on_both(make_distribution: Any) -> None:
    make_distribution(source=PLUG)
    make_distribution("zeta-plug", module="zeta", entry_points="[sdt_dask.plugs]\nacme = zeta:Plug\n")
    assert {p.distribution: p.problems for p in installed_providers("plug") if p.name == "acme"} == {
        "acme-plug": ("the name 'acme' is also offered by zeta-plug; uninstall all but one",),
        "zeta-plug": ("the name 'acme' is also offered by acme-plug; uninstall all but one",),
    }


def test_one_name_for_a_plug_and_a_client_is_no_duplicate(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\na = acme_plug:A\n[sdt_dask.clients]\na = acme_plug:B\n")
    assert (listed("a").problems, listed("a", "client").problems) == ((), ())


def test_the_first_of_two_versions_on_the_path_counts(make_distribution: Any) -> None:
    info = make_distribution(source=PLUG)
    shutil.copytree(info, info.with_name("acme_plug-1.3.0.dist-info"))
    assert listed().problems == ()


def test_a_missing_module_is_told(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\nacme = no_such_module.plug:Plug\n")
    assert listed().problems == ("its module 'no_such_module.plug' is not there; reinstall the distribution",)


def test_an_entry_point_without_a_class_is_told(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\nacme = acme_plug\n")
    assert listed().problems == ("its entry point 'acme_plug' names no class; write 'module:Class'",)


def test_an_unmet_requirement_is_told(make_distribution: Any) -> None:
    make_distribution(requires=("pluggy<1", "pluggy>=1", "nothing-of-the-kind>=2", "absent; extra == 'more'"))
    pluggy = unmet_requirement("pluggy<1")
    assert pluggy is not None
    assert listed().problems == (
        pluggy,
        "it needs nothing-of-the-kind>=2, which is not installed; pip install 'nothing-of-the-kind>=2'",
    )


def test_metadata_that_cannot_be_read_are_told(make_distribution: Any) -> None:
    (make_distribution() / "METADATA").unlink()
    assert (listed().distribution, listed().version) == ("acme_plug-1.2.0.dist-info", "unknown")
    assert listed().problems[0].startswith("its metadata cannot be read")


def test_entry_points_that_cannot_be_read_stop_nobody_else(make_distribution: Any, caplog: Any) -> None:
    make_distribution(source=PLUG)
    make_distribution("torn", module="torn", entry_points="[sdt_dask.plugs]\ntorn\n")
    with caplog.at_level(logging.WARNING):
        assert listed().problems == ()
    assert "torn 1.2.0 is left out: its entry points cannot be read" in caplog.text


def test_an_unknown_provider_names_the_installed_the_nearest_and_pip(make_distribution: Any) -> None:
    make_distribution(source=PLUG)
    names = ", ".join(sorted(p.name for p in installed_providers("plug")))
    with pytest.raises(UnknownProviderError) as caught:
        find_provider("plug", "acne")
    assert str(caught.value) == (
        f"unknown plug 'acne'; installed: {names}; did you mean 'acme'?; if it exists: pip install sdt-dask-plug-acne"
    )


def test_an_unknown_provider_unlike_any_names_pip_alone() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        find_provider("publisher", "zenodo")
    assert str(caught.value).endswith("; if it exists: pip install sdt-dask-publisher-zenodo")
    assert "did you mean" not in str(caught.value)


def test_a_provider_with_problems_is_refused_with_all_of_them(make_distribution: Any) -> None:
    make_distribution(entry_points="[sdt_dask.plugs]\nacme = nowhere\n")
    with pytest.raises(BrokenProviderError) as caught:
        find_provider("plug", "acme")
    assert str(caught.value) == (
        "plug 'acme' of acme-plug 1.2.0 cannot be used: its entry point 'nowhere' names no class; "
        "write 'module:Class'; its module 'nowhere' is not there; reinstall the distribution"
    )


def test_a_broken_provider_does_not_stop_another(make_distribution: Any) -> None:
    make_distribution(source=PLUG)
    make_distribution("bad", module="bad", source="raise RuntimeError", entry_points="[sdt_dask.plugs]\nbad = bad:B\n")
    assert load_class(find_provider("plug", "acme")).__name__ == "AcmePlug"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_sdk", "ModuleNotFoundError: No module named 'no_such_sdk'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('usage: acme')", "SystemExit: usage: acme"),
        ("", "AttributeError: module 'acme_plug' has no attribute 'AcmePlug'"),
    ],
)
def test_an_import_that_fails_blames_the_distribution(make_distribution: Any, source: str, reason: str) -> None:
    make_distribution(source=source)
    assert broken() == (f"plug 'acme' of acme-plug 1.2.0 cannot be imported: {reason}; reinstall or upgrade acme-plug")


def test_a_loaded_class_is_held_against_the_contract(make_distribution: Any) -> None:
    make_distribution(source="class AcmePlug: pass")
    assert broken() == (
        "plug 'acme' of acme-plug 1.2.0 breaks the contract: it has no method 'get_data', which a plug needs"
    )


def test_a_class_is_held_against_the_name_of_its_entry_point(make_distribution: Any) -> None:
    make_distribution(source="class AcmePlug:\n    name = 'apex'\n    def get_data(self, keys): ...\n")
    assert broken() == (
        "plug 'acme' of acme-plug 1.2.0 breaks the contract: "
        "it calls itself 'apex' but its entry point is 'acme'; give both one name"
    )


def test_a_nested_class_is_loaded(make_distribution: Any) -> None:
    source = "class Outer:\n    class Inner:\n        def get_data(self, keys): ...\n"
    make_distribution(source=source, entry_points="[sdt_dask.plugs]\nacme = acme_plug:Outer.Inner\n")
    assert load_class(find_provider("plug", "acme")).__name__ == "Inner"


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("acme-plug", None),
        ("acme_plug>=1.0", None),
        ("acme-plug[extra]~=1.2", None),
        ("acme-plug>=2; python_version < '3'", None),
        ("acme-plug @ https://example.org/acme.zip", None),
        (
            "acme-plug>=2,<3",
            "it needs acme-plug<3,>=2, but acme-plug 1.2.0 is installed; pip install 'acme-plug<3,>=2'",
        ),
        ("acme-plug==1.1", "it needs acme-plug==1.1, but acme-plug 1.2.0 is installed; pip install 'acme-plug==1.1'"),
        ("not-there>1", "it needs not-there>1, which is not installed; pip install 'not-there>1'"),
    ],
)
def test_unmet_requirement(make_distribution: Any, requirement: str, problem: str | None) -> None:
    make_distribution()
    assert unmet_requirement(requirement) == problem


def test_a_prerelease_meets_a_range(make_distribution: Any) -> None:
    make_distribution(version="2.0rc1")
    assert unmet_requirement("acme-plug>=1.5") is None


def test_a_requirement_that_cannot_be_read_is_told() -> None:
    problem = unmet_requirement("???")
    assert problem is not None
    assert problem.startswith("the requirement '???' cannot be read: ")
