"""What an image is for: names of plugs, requirements, a user's folder, and what a plug requires of workers."""

import re

import pytest

from sdt_dask_core.errors import BrokenProviderError, ConfigurationError, RequirementError, UnknownProviderError
from sdt_dask_core.image.chosen import choose
from sdt_dask_core.image.user_files import read_user_files
from sdt_dask_core.plug import Plug
from sdt_dask_testing import IsolatedRegistry

from .conftest import contents, locked

DATAPLUG = """
import helper

class StationPlug:
    worker_requires = ("acme-sdk>=2",)

    def __init__(self, station: str = "a"):
        self.station = station

    def get_data(self, keys):
        return helper.read(self.station)
"""


class AcmePlug(Plug):
    worker_requires = ("acme-sdk>=2", "acme-fast")

    def get_data(self, key): ...


@pytest.fixture
def registry():
    with IsolatedRegistry() as found:
        found.add("plug", "acme", AcmePlug, distribution="acme-plug", version="1.2")
        yield found


@pytest.fixture
def folder(tmp_path):
    """A user's folder, with some things in it that belong into no image."""
    found = tmp_path / "station"
    (found / "__pycache__").mkdir(parents=True)
    (found / ".git").mkdir()
    (found / "venv").mkdir()
    for name, text in {
        "dataplug.py": DATAPLUG,
        "helper.py": "def read(station): ...\n",
        "stations.csv": "a,b\n",
        "secret_names.py": "",
        "requirements.txt": "# why\nacme-sdk<3\n",
        "__pycache__/helper.cpython-311.pyc": "",
        ".git/config": "",
        ".env": "PASSWORD=hunter2",
        "venv/pyvenv.cfg": "",
        "server.pem": "hunter2",
        "aws_credentials.txt": "hunter2",
    }.items():
        (found / name).write_text(text)
    return found


@pytest.fixture
def station(folder, here, index):
    """The same folder, with what it requires installed here."""
    (folder / "requirements.txt").write_text("click<9\n")
    index("acme-sdk", "2.5")
    return folder


def chosen(*plugs, folder=None, requirements=()):
    return choose(plugs, folder=folder, requirements=requirements)


def test_a_plug_is_wanted_at_its_version_here_with_what_it_requires_of_workers(registry):
    found = chosen("acme")
    assert found.requirements == ["acme-plug==1.2", "acme-sdk>=2", "acme-fast"]
    assert found.plugs == ["acme"]


def test_a_distribution_may_be_named_too(registry, monkeypatch):
    registry.keep("click")
    (requirement,) = chosen("click").requirements
    assert re.fullmatch(r"click==[\d.]+", requirement)


def test_a_name_that_is_not_installed_is_no_requirement(registry):
    """On an index it may be that of a stranger."""
    with pytest.raises(UnknownProviderError, match=r"unknown plug 'acne'.* did you mean 'acme'.*--requirement acne"):
        chosen("acne")


@pytest.mark.parametrize(
    "text", ["acme-sdk>=2", "acme-sdk[fast]", "./own", "own-1.0-py3-none-any.whl", "a @ file:///a.whl"]
)
def test_more_than_a_name_is_a_requirement(registry, text):
    assert chosen(text).requirements == [text]


def test_a_name_may_be_required(registry):
    assert chosen(requirements=["acme-fast"]).requirements == ["acme-fast"]


def test_nothing_chosen_is_refused(registry):
    with pytest.raises(ConfigurationError, match="nothing is chosen for the image; name a PLUG, a --folder or a --req"):
        chosen()


def test_a_broken_plug_is_refused(registry):
    registry.add("plug", "lame", AcmePlug, distribution="lame-plug", requires=["no-such-sdk"])
    with pytest.raises(BrokenProviderError, match=r"lame-plug 1\.0 cannot be used: it needs no-such-sdk"):
        chosen("lame")


@pytest.mark.parametrize("wanted", ["fastparquet>=2024", [1]])
def test_what_a_plug_requires_must_be_texts(registry, wanted):
    registry.add("plug", "odd", type("OddPlug", (AcmePlug,), {"worker_requires": wanted}))
    with pytest.raises(ConfigurationError, match=r"worker_requires of plug 'odd' is .* must be a sequence of"):
        chosen("odd")


def test_a_folder_brings_its_requirements(station):
    found = chosen(folder=station)
    assert found.requirements == ["acme-sdk>=2"]
    assert found.files == [station / "requirements.txt"]
    assert found.plugs == ["StationPlug"]


def test_a_folder_whose_requirements_are_not_met_here_is_refused(folder):
    """The driver needs them as well."""
    with pytest.raises(RequirementError, match="it needs acme-sdk<3, which is not installed"):
        chosen(folder=folder)


def test_the_files_of_a_folder_without_secrets_and_what_python_made(folder, tmp_path):
    files, left_out = read_user_files(folder, without=tmp_path / "context")
    assert sorted(files) == ["dataplug.py", "helper.py", "requirements.txt", "secret_names.py", "stations.csv"]
    assert left_out == ["aws_credentials.txt", "server.pem"]


def test_a_folder_of_data_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("sdt_dask_core.image.user_files._MOST", 100)
    with pytest.raises(ConfigurationError, match="an image is no place for data"):
        read_user_files(folder, without=tmp_path / "context")


def test_links_to_folders_are_told(folder, tmp_path):
    (tmp_path / "data").mkdir()
    (folder / "data").symlink_to(tmp_path / "data")
    assert "data" in read_user_files(folder, without=tmp_path / "context")[1]


def test_the_image_of_a_folder_holds_it(station, image_of, context):
    image = image_of("click", folder=station)
    files = {name for name in contents(context) if name.startswith("folder/")}
    assert files == {f"folder/{name}" for name in read_user_files(station, without=context)[0]}
    assert locked(context)["acme-sdk"] == "2.5"
    assert image.notes[-2:] == [
        f"{name} in {station} is not put into the image" for name in ("aws_credentials.txt", "server.pem")
    ]
    text = (context / "Dockerfile").read_text()
    assert "COPY --chmod=755 folder/ /opt/sdt-dask/folder/\n" in text
    assert "RUN python -m sdt_dask_core.image.inside /opt/sdt-dask/folder\n" in text


def test_nothing_secret_stands_in_the_context(station, image_of, context):
    image_of("click", folder=station)
    assert not [name for name, content in contents(context).items() if b"hunter2" in content]


def test_another_file_in_the_folder_gives_another_tag(station, image_of):
    before = image_of("click", folder=station).tag
    assert image_of("click", folder=station).tag == before
    (station / "stations.csv").write_text("a,c\n")
    assert image_of("click", folder=station).tag != before


def test_the_context_may_be_written_into_the_folder(station, image_of):
    """And is no part of itself the next time."""
    tags = {image_of("click", folder=station, output=station / "image").tag for _ in range(2)}
    assert len(tags) == 1
