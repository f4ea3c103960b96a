"""Real uv and real pip over two folders: tiny wheels in the place of an index, and a small environment to ask about."""

import os
import shutil
import tempfile
import zipfile

import pytest

from sdt_dask_core.resolution import check
from sdt_dask_core.resolution.program import UnreachableError

WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"


def make_wheel(folder, name, version, *requires, extras=None, python="", tag="py3-none-any", files=None):
    """Make a wheel that holds metadata, and whatever files are given."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {python}"] if python else []
    lines += [f"Requires-Dist: {one}" for one in requires]
    for extra, more in (extras or {}).items():
        lines += [f"Provides-Extra: {extra}", *(f'Requires-Dist: {one} ; extra == "{extra}"' for one in more)]
    contents = {
        **(files or {}),
        f"{stem}.dist-info/METADATA": "\n".join(lines) + "\n",
        f"{stem}.dist-info/WHEEL": WHEEL.format(tag=tag),
    }
    contents[f"{stem}.dist-info/RECORD"] = "".join(f"{path},,\n" for path in contents) + f"{stem}.dist-info/RECORD,,\n"
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in contents.items():
            wheel.writestr(inside, text)
    return path


class Here:
    """What is installed, as far as metadata tell: a small environment that looks like an analyst's."""

    def __init__(self, site):
        self.site = site
        self.install("sdt-dask-core", "0.1.0", "click>=8.1", "pandas>=2.2", "dask", local=True)
        self.install("solar-data-tools", "2.1.5", "numpy", "pandas", "jupyter")  # which is not there
        self.install("pandas", "3.1.1", "numpy>=1.26")
        self.install("numpy", "2.4.6")
        self.install("click", "8.5.1")
        self.install("dask", "2026.8.0", "cloudpickle>=3")
        self.install("distributed", "2026.8.0", "dask<2026.8.1,>=2026.8.0")
        self.install("cloudpickle", "3.1.2")

    def install(self, name, version, *requires, local=False, **more):
        wheel = make_wheel(self.site / "wheels", name, version, *requires, **more)
        with zipfile.ZipFile(wheel) as content:
            content.extractall(self.site)
        if local:
            (info,) = self.site.glob(f"{name.replace('-', '_')}-{version}.dist-info")
            (info / "direct_url.json").write_text('{"url": "file:///somewhere", "dir_info": {"editable": true}}')

    def remove(self, name):
        for info in self.site.glob(f"{name.replace('-', '_')}-*.dist-info"):
            shutil.rmtree(info)

    def files(self):
        return {path: path.read_bytes() for path in self.site.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path):
    """The environment that is asked about; whatever is asked, it stays as it is."""
    return Here(tmp_path / "site")


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path, monkeypatch):
    """No temporary folder stays behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(temporary))
    yield
    assert list(temporary.iterdir()) == []


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Makes wheels in the folder that is the only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    # What the machine is configured with must not answer; uv takes the rest from pip.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.chdir(tmp_path)
    return lambda name, version, *requires, **more: make_wheel(folder, name, version, *requires, **more)


@pytest.fixture
def real_index(tmp_path, monkeypatch):
    """Makes wheels in a folder beside the index that this machine is configured with."""
    folder = tmp_path / "plugs"
    folder.mkdir()
    for name, separator in [("PIP_FIND_LINKS", " "), ("UV_FIND_LINKS", ",")]:
        if name.startswith("PIP") or name in os.environ:
            monkeypatch.setenv(name, separator.join(filter(None, [str(folder), os.environ.get(name)])))
    try:
        check(["packaging"], path=[str(folder)])
    except UnreachableError as error:
        pytest.skip(f"no index answers here: {error}")
    return lambda name, version, *requires: make_wheel(folder, name, version, *requires)


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def tool(request):
    """Each tool in turn; both must come to the same."""
    return request.param


@pytest.fixture
def ask(here, tool):
    """Ask about requirements, beside `here`."""

    def asked(*requirements, **more):
        before = here.files()
        answer = check(requirements, **{"tool": tool, "path": [str(here.site)], **more})
        assert here.files() == before
        return answer

    return asked


@pytest.fixture
def sides():
    """Return what each side of a conflict is and what it needs."""
    return _sides


def _sides(answer):
    both = [need for need in (answer.conflict.left, answer.conflict.right) if need is not None]
    return [(" → ".join(f"{name} {version}" for name, version in need.chain), need.range) for need in both]
