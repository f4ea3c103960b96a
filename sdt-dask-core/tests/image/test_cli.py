"""``sdt-dask image`` as a user meets it."""

import json

import pytest
from click.testing import CliRunner

from sdt_dask_core.cli.app import app
from sdt_dask_core.image import making
from sdt_dask_core.resolution import check

pytestmark = pytest.mark.usefixtures("index")


@pytest.fixture
def invoke(here, monkeypatch):
    """Run the command line over `here`."""
    real = making.read_installed
    monkeypatch.setattr(making, "read_installed", lambda _: real([str(here.site)]))
    metadata = making.importlib_metadata.distributions
    where = {"path": [str(here.site)]}
    monkeypatch.setattr(making.importlib_metadata, "distributions", lambda **asked: metadata(**{**where, **asked}))
    return lambda *arguments: CliRunner().invoke(app, ["image", "--with", "uv", *map(str, arguments)])


def test_what_to_do_next_is_told_in_whole_commands(invoke, context):
    result = invoke("sdt-dask-core>=0.1", "-o", context)
    tag = json.loads((context / "sdt-dask-image.json").read_text())["tag"]
    assert result.exit_code == 0, result.output
    assert f"wrote {context}, for the image {tag}:\n  9 distributions, for Python 3." in result.stdout
    image = f'"$REGISTRY/sdt-dask:{tag}"'
    for command in (
        f"docker build --platform linux/amd64 -t {image} {context}\n",
        f"docker push {image}\n",
        f"run FOLDER --client fargate -c image={image}\n",
    ):
        assert command in result.stdout
    assert "latest" not in result.stdout


def test_json_tells_all_of_it(invoke, context):
    told = json.loads(invoke("sdt-dask-core>=0.1", "-o", context, "--json").stdout)
    assert (told["installs"], told["output"], told["wheels"]) == (True, str(context), ["sdt-dask-core 0.1.0"])
    assert told["tag"] == json.loads((context / "sdt-dask-image.json").read_text())["tag"]
    assert len(told["distributions"]) == 9
    assert {len(one["sha256"]) for one in told["distributions"]} == {64}


def test_an_image_for_arm_is_built_and_run_as_one(invoke, context):
    told = json.loads(invoke("click>=8", "-o", context, "--json", "--platform", "aarch64-manylinux_2_28").stdout)
    assert any("docker build --platform linux/arm64 " in command for command in told["commands"])
    assert "-c cpu_architecture=ARM64" in told["commands"][-1]


def test_a_conflict_is_told_as_by_plugs_check(here, index, invoke, context):
    index("north-plug", "1.0", "acme-sdk==1.0")
    index("south-plug", "2.1", "acme-sdk==2.0")
    index("acme-sdk", "1.0")
    index("acme-sdk", "2.0")
    result = invoke("north-plug>=1", "south-plug>=2", "-o", context)
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "does not install in a new worker image: no release of acme-sdk serves both\n"
        "  north-plug 1.0 needs acme-sdk==1.0\n"
        "  south-plug 2.1 needs acme-sdk==2.0\n"
        "what to change:\n"
    )
    assert not context.exists()
    told = json.loads(invoke("north-plug>=1", "south-plug>=2", "-o", context, "--json").stdout)
    asked = check(["north-plug>=1", "south-plug>=2"], fresh=True, tool="uv", path=[str(here.site)])
    assert told == asked.as_json()


def test_a_conflict_leaves_an_older_context(index, invoke, context):
    invoke("click>=8", "-o", context)
    before = (context / "requirements.lock").read_text()
    assert invoke("pandas<3", "-o", context).exit_code == 1
    assert (context / "requirements.lock").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing is chosen for the image"),
        (["acne"], "unknown plug 'acne'"),
        (["click>=8", "--platform", "linux/amd64"], "'linux/amd64' is no platform of an image"),
        (["click>=8", "--python", "python3"], "'python3' is no minor version of Python"),
        (["click>>8"], "'click>>8' cannot be read"),
        (["--folder", "."], "has no dataplug.py"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(invoke, context, arguments, words):
    result = invoke(*arguments, "-o", context)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not context.exists()


def test_a_folder_of_the_user_is_refused(invoke, context):
    context.mkdir()
    (context / "thesis.tex").write_text("mine")
    result = invoke("click>=8", "-o", context)
    assert result.exit_code == 2
    assert "is not empty, and holds no context of sdt-dask image; it stays as it is" in result.stderr
