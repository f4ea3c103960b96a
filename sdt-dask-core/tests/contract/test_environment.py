"""What is installed: versions kept with a run, requirements checked before it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core.environment import check_requirements_file, versions
from sdt_dask_core.errors import RequirementError


@pytest.mark.parametrize("name", ["python", "sqlite", "sdt-dask-core", "solar-data-tools", "numpy", "pandas", "dask"])
def test_a_version_that_decides_numbers_is_kept(name: str) -> None:
    assert versions()[name]


def test_the_version_of_python_is_kept() -> None:
    assert versions()["python"] == platform.python_version()


def test_more_versions_are_kept_on_demand(make_distribution: Any) -> None:
    make_distribution()
    assert versions(["acme-plug"])["acme-plug"] == "1.2.0"


def test_what_is_not_installed_is_left_out() -> None:
    assert "no-such-distribution" not in versions(["no-such-distribution"])


def requirements(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a comment\n\n   \n",
        "acme-plug>=1  # why\n",
        "acme-plug>=1 ; python_version >= '3'\n",
        "absent ; python_version < '3'\n",
        "--index-url https://example.org\n-r more.txt\n-e .\nacme-plug\n",
        "acme-plug==1.2.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\npluggy\n",
        "\ufeffacme-plug\r\npluggy\r\n",
        "acme-plug==1.2.0 \\\r\n    --hash=sha256:00\r\n",
    ],
)
def test_a_file_that_is_met_passes(tmp_path: Path, make_distribution: Any, text: str) -> None:
    make_distribution()
    check_requirements_file(requirements(tmp_path, text))


def test_every_requirement_that_is_not_met_is_told(tmp_path: Path, make_distribution: Any) -> None:
    make_distribution()
    path = requirements(tmp_path, "acme-plug<1\npluggy\nabsent-one\n")
    with pytest.raises(RequirementError) as caught:
        check_requirements_file(path)
    assert str(caught.value) == (
        f"{path} is not met: it needs acme-plug<1, but acme-plug 1.2.0 is installed; pip install 'acme-plug<1'; "
        "it needs absent-one, which is not installed; pip install 'absent-one'"
    )


def test_a_line_that_is_no_requirement_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequirementError) as caught:
        check_requirements_file(requirements(tmp_path, "./my_wheel.whl\n"))
    assert "the requirement './my_wheel.whl' cannot be read" in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("pluggy\n".encode("utf-16"))
    with pytest.raises(RequirementError) as caught:
        check_requirements_file(path)
    assert str(caught.value) == f"{path} is not UTF-8 text; save it as UTF-8"
