"""What is locked: one resolution with hashes, by uv and by pip, of the versions and the code of here."""

import hashlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from sdt_dask_core.errors import ConfigurationError, RequirementError
from sdt_dask_core.resolution.target import Target, this_python
from sdt_dask_testing.image_environment import make_image_environment

from .conftest import contents, locked, make_wheel

pytestmark = pytest.mark.usefixtures("index")


def test_the_image_has_what_the_driver_has(image_of, context):
    """And not what happens to be newer."""
    image = image_of()
    assert locked(context) == {
        "click": "8.5.1",
        "cloudpickle": "3.1.2",
        "dask": "2026.8.0",
        "distributed": "2026.8.0",
        "jupyter": "0+left.out",
        "numpy": "2.4.6",
        "pandas": "3.1.1",
        "sdt-dask-core": "0.1.0",
        "solar-data-tools": "2.1.5",
    }
    assert image.changed == []


def test_both_tools_write_the_same_bytes(image_of, context, tool):
    image_of()
    by_uv = contents(context)
    image_of(tool=tool)
    assert contents(context) == by_uv


def test_the_same_environment_gives_the_same_bytes_and_tag(image_of, tmp_path):
    tags = {image_of(output=tmp_path / name).tag for name in ("one", "two")}
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(tags) == 1


def test_another_plug_gives_another_tag(index, image_of):
    index("acme-plug", "1.0")
    index("acme-plug", "1.1")
    tags = [image_of(one).tag for one in ("sdt-dask-core", "acme-plug==1.0", "acme-plug==1.1")]
    assert len(set(tags)) == 3
    assert all(tag.startswith("sdt-dask-") and len(tag) == len("sdt-dask-") + 12 for tag in tags)


def test_the_tag_is_the_hash_of_the_lock(image_of, context):
    digest = hashlib.sha256((context / "requirements.lock").read_bytes()).hexdigest() if image_of() else ""
    assert image_of().tag == f"sdt-dask-{digest[:12]}"
    assert f'org.sdt-dask.lock="sha256:{digest}"' in (context / "Dockerfile").read_text()


def test_every_line_has_the_hash_of_its_wheel(image_of, context):
    """Those of the folder that is the index go along, since a build elsewhere could not reach it."""
    image = image_of()
    digests = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (context / "wheels").iterdir()}
    assert {one.sha256 for one in image.locked} == digests
    assert (context / "requirements.lock").read_text().count("--hash=sha256:") == len(image.locked)


def test_a_clean_environment_installs_the_lock(index, image_of, context, tmp_path):
    """With nothing but the context; what is installed fits together."""
    index("acme-plug", "1.0", "click", "acme-sdk>=2", files={"acme_plug.py": "import acme_sdk\n"})
    index("acme-sdk", "2.1", files={"acme_sdk.py": ""})
    image_of("acme-plug")
    shutil.rmtree(tmp_path / "index")
    python = make_image_environment(context, tmp_path / "venv")
    subprocess.run([python, "-c", "import acme_plug, sdt_dask_core"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "check"], check=True)


def test_a_wheel_with_another_content_is_refused(image_of, context, tmp_path):
    """That is what the hashes are for."""
    image_of()
    (wheel,) = (context / "wheels").glob("sdt_dask_core-*")
    with zipfile.ZipFile(wheel, "a") as content:
        content.writestr("sdt_dask_core/more.py", "")
    with pytest.raises(RuntimeError, match=r"[Hh]ash"):
        make_image_environment(context, tmp_path / "venv")


def test_what_cannot_stay_is_told(index, image_of):
    """A plug needs a newer one of what need not be the same on both sides."""
    index("acme-plug", "1.0", "click>=8.6")
    assert image_of("acme-plug").changed == [("click", "8.5.1", "8.6")]


def test_what_both_sides_must_share_stays(index, image_of, context):
    index("acme-plug", "1.0", "pandas>=3.2")
    answer = image_of("acme-plug").answer
    assert not answer.installs
    assert (answer.conflict.left.range, answer.conflict.right.range) == ("pandas>=3.2", "pandas==3.1.1")
    assert not context.exists()


def test_two_plugs_that_pin_one_package_apart(index, image_of, context):
    """What two pip lines in a Dockerfile would let pass."""
    index("north-plug", "1.0", "acme-sdk==1.0")
    index("south-plug", "2.1", "acme-sdk==2.0")
    for version in ("1.0", "2.0"):
        index("acme-sdk", version)
    conflict = image_of("north-plug", "south-plug").answer.conflict
    assert conflict.package == "acme-sdk"
    assert (conflict.left.chain, conflict.right.chain) == ((("north-plug", "1.0"),), (("south-plug", "2.1"),))
    assert not context.exists()


def test_only_wheels_count(here, index, image_of, tmp_path):
    """A source archive would be built in the image, or not."""
    (tmp_path / "index" / "acme_plug-1.0.tar.gz").write_bytes(b"")
    assert not image_of("acme-plug").answer.installs


def test_jupyter_is_left_out(image_of, context):
    """Solar Data Tools asks for it, and a worker opens no notebook."""
    notes = image_of().notes
    assert "jupyter is left out, because workers do without it; for the real one: --requirement jupyter" in notes
    assert zipfile.ZipFile(next((context / "wheels").glob("jupyter-*"))).namelist() == [
        "jupyter-0+left.out.dist-info/METADATA",
        "jupyter-0+left.out.dist-info/WHEEL",
        "jupyter-0+left.out.dist-info/RECORD",
    ]


def test_jupyter_is_there_for_who_wants_it(index, image_of, context):
    index("jupyter", "1.1")
    assert image_of("jupyter").notes == []
    assert locked(context)["jupyter"] == "1.1"


def test_a_plug_that_needs_a_real_jupyter_gets_it(index, image_of, context):
    index("jupyter", "1.1")
    index("notebook-plug", "1.0", "jupyter>=1")
    image_of("notebook-plug")
    assert locked(context)["jupyter"] == "1.1"


def test_a_driver_with_jupyter_gives_the_same_image(here, index, image_of):
    without = image_of().tag
    here.install("jupyter", "1.1")
    index("jupyter", "1.1")
    assert image_of().tag == without


def test_a_wheel_is_named_by_its_file(image_of, context, tmp_path):
    wheel = make_wheel(tmp_path / "elsewhere", "acme-plug", "1.0")
    image_of(str(wheel))
    assert locked(context)["acme-plug"] == "1.0"
    assert (context / "wheels" / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("address", ["https://me:hunter2@example.org/{}", "https://example.org/{}?token=hunter2"])
def test_an_address_with_a_secret_is_refused(image_of, address):
    with pytest.raises(RequirementError, match=r"acme-plug holds .* which would stand in the image") as refused:
        image_of(f"acme-plug @ {address.format('acme_plug-1.0-py3-none-any.whl')}")
    assert "hunter2" not in refused.value.message


def test_what_is_needed_far_down_and_is_on_no_index_is_found(here, index, image_of, context):
    """Through a plug that is not installed here, and by an extra."""
    here.install("own-sdk", "0.3", local=True, files={"own_sdk.py": ""})
    (info,) = here.site.glob("own_sdk-*.dist-info")
    (info / "direct_url.json").write_text('{"url": "file:///gone/own.whl", "archive_info": {}}')
    index("acme-plug", "1.0", "acme-base[fast]")
    index("acme-base", "2.0", extras={"fast": ["own-sdk"]})
    image_of("acme-plug")
    assert locked(context)["own-sdk"] == "0.3"


def test_the_image_is_for_the_platform_that_was_asked(index, image_of, context):
    for tag in (
        "cp310-abi3-manylinux_2_28_aarch64",
        "cp310-abi3-manylinux_2_17_x86_64",
        "cp310-abi3-macosx_11_0_arm64",
    ):
        index("acme-sdk", "1.0", tag=tag)
    image_of("acme-sdk", target=Target(this_python(), "aarch64-manylinux_2_28"))
    assert [wheel.name for wheel in (context / "wheels").glob("acme*")] == [
        "acme_sdk-1.0-cp310-abi3-manylinux_2_28_aarch64.whl"
    ]


def test_a_newer_c_library_than_the_image_has_does_not_count(index, image_of):
    index("acme-sdk", "1.0", tag="cp310-abi3-manylinux_2_35_x86_64")
    assert not image_of("acme-sdk").answer.installs


def test_another_python_is_for_another_driver(index, image_of, context):
    other = "3.13" if this_python() != "3.13" else "3.12"
    index("acme-plug", "1.0", f'acme-sdk; python_version == "{other}"')
    index("acme-sdk", "1.0")
    image = image_of("acme-plug", target=Target(other))
    assert "acme-sdk" in locked(context)
    assert f"ARG BASE=python:{other}-slim" in (context / "Dockerfile").read_text()
    assert any(f"would refuse these workers with Python {other}" in note for note in image.notes)


def test_pip_is_not_asked_about_another_python(image_of):
    """It would read the markers of this one."""
    with pytest.raises(ConfigurationError, match="install uv"):
        image_of(tool="pip", target=Target("3.13" if this_python() != "3.13" else "3.12"))


@pytest.mark.parametrize("wrong", [("3", "x86_64-manylinux_2_28"), ("3.11", "linux/amd64"), ("3.11.7", "")])
def test_a_target_that_cannot_be_read_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="write it as"):
        Target(*wrong)
