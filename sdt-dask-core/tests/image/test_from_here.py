"""Distributions that no index has: their wheels are made of what runs here."""

import hashlib
import shutil
import zipfile

import pytest

from sdt_dask_core.errors import RequirementError

from .conftest import came_from, contents, locked, make_wheel

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# A backend of its own, so that nothing has to be fetched.
BACKEND = """
import pathlib, shutil
WHEEL = {wheel!r}
def build_wheel(folder, config=None, metadata=None):
    path = pathlib.Path(__file__).with_name(WHEEL)
    shutil.copy(path, pathlib.Path(folder) / WHEEL)
    return WHEEL
"""


def wheel_in(context, name):
    """Return the files in the wheel of a distribution."""
    (path,) = (context / "wheels").glob(f"{name}-*.whl")
    with zipfile.ZipFile(path) as wheel:
        return {entry: wheel.read(entry) for entry in wheel.namelist()}


@pytest.fixture
def own_plug(here):
    """Install a plug as from a wheel that is gone since."""

    def installed(*requires, name="own-plug", **more):
        more = {"files": {"own_plug/__init__.py": "ONE = 1\n"}, **more}
        here.install(name, "0.3", *requires, local=True, **more)
        came_from(here, name, url="https://example.org/own.git", vcs_info={"vcs": "git", "commit_id": "f00"})
        return here.site / "own_plug" / "__init__.py"

    return installed


@pytest.fixture
def project(here, tmp_path):
    """Install an editable project; return the function that sets what its next wheel holds."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)

    def next_wheel(version="0.3", *requires, text="ONE = 1\n", tag="py3-none-any"):
        made = make_wheel(folder, "own-plug", version, *requires, files={"own_plug/__init__.py": text}, tag=tag)
        (folder / "backend.py").write_text(BACKEND.format(wheel=made.name))

    next_wheel()
    here.install("own-plug", "0.3", local=True)
    came_from(here, "own-plug", url=folder.as_uri(), dir_info={"editable": True})
    return next_wheel


def test_what_was_installed_from_git_is_packed_again(own_plug, image_of, context):
    """Neither git nor the network is asked for."""
    own_plug()
    image = image_of("own-plug")
    assert wheel_in(context, "own_plug")["own_plug/__init__.py"] == b"ONE = 1\n"
    assert image.wheels == ["own-plug 0.3", "sdt-dask-core 0.1.0"]
    assert locked(context)["own-plug"] == "0.3"


def test_the_wheel_is_the_code_that_runs_here(own_plug, image_of, context):
    """Even where somebody changed it by hand; and the tag is another then."""
    file = own_plug()
    before = image_of("own-plug").tag
    file.write_text("ONE = 2\n")
    assert image_of("own-plug").tag != before
    assert wheel_in(context, "own_plug")["own_plug/__init__.py"] == b"ONE = 2\n"


def test_what_installers_wrote_stays_behind(own_plug, here, image_of, context):
    """Where it was installed from is nobody's business in the image."""
    own_plug()
    (info,) = here.site.glob("own_plug-*.dist-info")
    lines = ["direct_url.json", "INSTALLER", "REQUESTED"]
    for name in lines[1:]:
        (info / name).write_text("pip")
    cached = "own_plug/__pycache__/__init__.cpython-311.pyc,,\n"
    with (info / "RECORD").open("a") as record:
        record.write("".join(f"{info.name}/{name},,\n" for name in lines) + cached)
    image_of("own-plug")
    assert sorted(wheel_in(context, "own_plug")) == [
        f"{info.name}/METADATA",
        f"{info.name}/RECORD",
        f"{info.name}/WHEEL",
        "own_plug/__init__.py",
    ]


def test_scripts_of_entry_points_are_left_to_pip(own_plug, here, image_of, context):
    own_plug(files={"own_plug-0.3.dist-info/entry_points.txt": "[console_scripts]\nown = own_plug:main\n"})
    with next(here.site.glob("own_plug-*.dist-info")).joinpath("RECORD").open("a") as record:
        record.write("../../../bin/own,,\n")
    image_of("own-plug")
    assert "own_plug-0.3.dist-info/entry_points.txt" in wheel_in(context, "own_plug")


def test_files_beside_the_packages_are_refused(own_plug, here, image_of, context):
    """A wheel made without them would not be what is installed."""
    own_plug()
    with next(here.site.glob("own_plug-*.dist-info")).joinpath("RECORD").open("a") as record:
        record.write("../../../share/own/data.bin,,\n")
    with pytest.raises(RequirementError, match=r"own-plug 0\.3 put \S*share/own/data\.bin beside its packages"):
        image_of("own-plug")
    assert not context.exists()


def test_a_lost_file_is_told(own_plug, image_of):
    own_plug().unlink()
    with pytest.raises(
        RequirementError, match=r"own-plug 0\.3 lacks its file own_plug/__init__\.py .*install it again"
    ):
        image_of("own-plug")


def test_what_has_no_list_of_files_is_told(own_plug, here, image_of):
    own_plug()
    next(here.site.glob("own_plug-*.dist-info")).joinpath("RECORD").unlink()
    with pytest.raises(RequirementError, match=r"own-plug 0\.3 has no list of its files"):
        image_of("own-plug")


def test_what_was_compiled_for_another_machine_is_told(own_plug, image_of, context):
    own_plug(tag="cp311-cp311-macosx_11_0_arm64")
    with pytest.raises(RequirementError, match=r"own-plug 0\.3 is installed here for another machine"):
        image_of("own-plug")


def test_what_was_compiled_on_this_machine_is_taken(own_plug, image_of, context):
    own_plug(tag="py3-none-linux_x86_64")
    assert image_of("own-plug").answer.installs


def test_an_editable_project_is_built(project, image_of, context):
    image_of("own-plug")
    assert wheel_in(context, "own_plug")["own_plug/__init__.py"] == b"ONE = 1\n"


def test_a_change_of_an_editable_project_gives_another_tag(project, image_of, context):
    before = image_of("own-plug").tag
    project(text="ONE = 2\n")
    assert image_of("own-plug").tag != before


def test_pip_builds_it_as_uv_does(project, image_of, context, tool):
    image_of("own-plug")
    by_uv = contents(context)
    image_of("own-plug", tool=tool)
    assert contents(context) == by_uv


def test_a_wheel_of_a_backend_is_written_anew(project, image_of, context):
    """Times and order in it are those of the moment, and would make a tag of it."""
    image_of("own-plug")
    (wheel,) = (context / "wheels").glob("own_plug-*.whl")
    with zipfile.ZipFile(wheel) as content:
        assert {entry.date_time for entry in content.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert content.testzip() is None


@pytest.mark.parametrize("now", [("0.4",), ("0.3", "click>=9")])
def test_a_project_that_says_something_else_now_is_refused(project, image_of, context, now):
    """What was resolved is what the installed metadata say."""
    project(*now)
    with pytest.raises(RequirementError, match="another version or other requirements since own-plug"):
        image_of("own-plug")
    assert not context.exists()


def test_a_project_that_is_gone_is_told(project, image_of, tmp_path):
    shutil.rmtree(tmp_path / "project")
    with pytest.raises(RequirementError, match=r"own-plug 0\.3 runs from .*project, which is not there any more"):
        image_of("own-plug")


def test_a_project_that_does_not_build_is_told(project, image_of, tmp_path):
    (tmp_path / "project" / "backend.py").write_text("def build_wheel(*_): raise SystemExit('no compiler')\n")
    with pytest.raises(RequirementError, match="which does not build a wheel"):
        image_of("own-plug")


def test_a_plug_from_an_index_is_left_to_the_index(here, index, image_of, context):
    """Its own wheel, not one made of it, so that its hash is the one that its authors published."""
    points = {"acme_plug-1.0.dist-info/entry_points.txt": "[sdt_dask.plugs]\nacme = acme:Plug\n"}
    here.install("acme-plug", "1.0", files=points)
    published = index("acme-plug", "1.0", files=points)
    image = image_of("acme-plug")
    assert image.wheels == ["sdt-dask-core 0.1.0"]
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert digest in {one.sha256 for one in image.locked}


def test_a_plug_whose_index_is_gone_is_packed_again(here, image_of):
    here.install(
        "acme-plug", "1.0", files={"acme_plug-1.0.dist-info/entry_points.txt": "[sdt_dask.plugs]\nacme = a:P\n"}
    )
    assert image_of("acme-plug").wheels == ["acme-plug 1.0", "sdt-dask-core 0.1.0"]
