"""A small environment of wheels made here, and the folder of wheels that is its only index; see `resolution`."""

import importlib.util
import json
from pathlib import Path

import pytest

from sdt_dask_core.image import make_image

_file = Path(__file__).parents[1] / "resolution" / "conftest.py"
_spec = importlib.util.spec_from_file_location("resolution_conftest", _file)
_resolution = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_resolution)

make_wheel, Here = _resolution.make_wheel, _resolution.Here
index, tool, _nothing_stays = (vars(_resolution)[name] for name in ("index", "tool", "_nothing_stays"))
CODE = {"sdt_dask_core/__init__.py": "VERSION = 1\n"}


@pytest.fixture
def here(tmp_path, index):
    """The environment that the image is made from; an index has all of it but the core, and newer ones too."""
    found = Here(tmp_path / "site")
    found.remove("sdt-dask-core")
    needs = ("click>=8.1", "pandas>=2.2", "dask", "solar-data-tools")
    found.install("sdt-dask-core", "0.1.0", *needs, local=True, files=CODE)
    came_from(found, "sdt-dask-core", url="file:///gone/core.whl", archive_info={})
    index("solar-data-tools", "2.1.5", "numpy", "pandas", "jupyter")
    index("pandas", "3.1.1", "numpy>=1.26")
    index("pandas", "3.2.0", "numpy>=1.26")
    index("dask", "2026.8.0", "cloudpickle>=3")
    index("distributed", "2026.8.0", "dask<2026.8.1,>=2026.8.0")
    for name, version in [("numpy", "2.4.6"), ("click", "8.5.1"), ("click", "8.6"), ("cloudpickle", "3.1.2")]:
        index(name, version)
    return found


def came_from(here, name, **origin):
    """Let metadata say where a distribution was installed from."""
    (info,) = here.site.glob(f"{name.replace('-', '_')}-*.dist-info")
    (info / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")


@pytest.fixture
def image_of(here, tmp_path):
    """Make the context of an image from `here`, in the folder ``context``; uv is asked."""

    def made(*requirements, output=None, **more):
        more = {"tool": "uv", "requirements": requirements or ("sdt-dask-core",), **more}
        return make_image(output or tmp_path / "context", path=[str(here.site)], **more)

    return made


@pytest.fixture
def context(tmp_path):
    """The folder that `image_of` writes."""
    return tmp_path / "context"


def contents(folder):
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def locked(context):
    """Return what a lock holds: each distribution with its version or address."""
    lines = (context / "requirements.lock").read_text().splitlines()
    return dict(
        line.removesuffix(" \\").replace(" @ ", "==").split("==") for line in lines if not line.startswith((" ", "#"))
    )
