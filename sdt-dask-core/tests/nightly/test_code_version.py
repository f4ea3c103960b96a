"""What counts as another version of the code that decides the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import Plug, SDTDask
from sdt_dask_core.code_version import code_version, code_versions

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    """A process keeps its answers; each test asks as a new one."""
    code_version.cache_clear()
    yield
    code_version.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install the package ``sunny``, as far as Python can tell, from an index or from an address; return its folder."""

    def make(version: str = "1.2", address: dict[str, Any] | None = None) -> Path:
        info = tmp_path / f"sunny_plug-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: sunny-plug\nVersion: {version}\n")
        if address is not None:
            (info / "direct_url.json").write_text(json.dumps(address), encoding="utf-8")
        package = tmp_path / "sunny"
        package.mkdir()
        (package / "__init__.py").write_text("factor = 1\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return package

    return make


def asked_again() -> str:
    code_version.cache_clear()
    return code_version("sunny-plug", "sunny")


def test_from_an_index_the_version_is_all(install: Install) -> None:
    package = install()
    assert code_version("sunny-plug", "sunny") == "1.2"
    (package / "__init__.py").write_text("factor = 2\n", encoding="utf-8")
    assert asked_again() == "1.2"


@pytest.mark.parametrize(
    "address",
    [
        {"url": "file:///checkout/sunny", "dir_info": {"editable": True}},
        {"url": "file:///checkout/sunny", "dir_info": {}},
        {"url": "https://example.com/sunny.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
    ],
)
def test_from_an_address_the_source_counts_too(install: Install, address: dict[str, Any]) -> None:
    package = install(address=address)
    before = code_version("sunny-plug", "sunny")
    (package / "model.py").write_text("factor = 2\n", encoding="utf-8")
    after = asked_again()
    assert before.startswith("1.2+")
    assert after.startswith("1.2+")
    assert before != after


def test_the_same_source_is_the_same_version_wherever_it_lies(install: Install) -> None:
    package = install(address={"url": "file:///checkout/sunny", "dir_info": {"editable": True}})
    before = code_version("sunny-plug", "sunny")
    (package / "notes.txt").write_text("no code", encoding="utf-8")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert asked_again() == before


def test_what_is_edited_while_a_process_runs_is_not_its_code(install: Install) -> None:
    package = install(address={"url": "file:///checkout/sunny", "dir_info": {"editable": True}})
    before = code_version("sunny-plug", "sunny")
    (package / "__init__.py").write_text("factor = 2\n", encoding="utf-8")
    assert code_version("sunny-plug", "sunny") == before


def test_what_is_not_installed_has_no_version() -> None:
    assert code_version("no-such-distribution", "no_such_module") == ""


def test_ours_and_sdts_always_count_and_a_class_of_the_users_own_by_its_source(tmp_path: Path) -> None:
    class Mine(Plug):
        def get_data(self, key: Any) -> None:
            return None

    job = SDTDask(Mine, analyses=["quality"], output=tmp_path).settings.job
    found = code_versions(job)
    assert found["sdt-dask-core"].startswith("0.")
    assert found["solar-data-tools"] != ""
    assert found["plug Mine"] == job.plug.version
