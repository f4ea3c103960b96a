"""The conflicts that users meet, on the index of this machine; versions are chosen as they are now."""

import importlib.metadata

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from sdt_dask_core.resolution import check

pytestmark = pytest.mark.slow


@pytest.fixture
def beside_what_is_here(tool):
    """Ask beside what really is installed, which stays as it is."""

    def asked(*requirements, **more):
        before = all_installed()
        answer = check(requirements, tool=tool, **more)
        assert all_installed() == before
        return answer

    return asked


def all_installed():
    # Of what matters here; something else may be installing at the same time.
    names = ("sdt-dask-core", "solar-data-tools", "numpy", "pandas", "dask", "distributed", "cloudpickle", "click")
    return {name: importlib.metadata.version(name) for name in names}


@pytest.fixture
def newest(real_index, tmp_path):
    """Return the version that an empty environment would get."""
    (tmp_path / "empty").mkdir()

    def found(requirement):
        name = requirement.partition("<")[0]
        return check([requirement], path=[str(tmp_path / "empty")]).added[name]

    return found


def test_an_old_numpy(real_index, beside_what_is_here, sides):
    """It has no wheel for any Python that we support, and what is here needs a newer one."""
    real_index("sdt-dask-plug-test-vendor", "0.3.0", "numpy<1.20")
    answer = beside_what_is_here("sdt-dask-plug-test-vendor")
    assert answer.conflict.package == "numpy"
    (left, wanted), (right, needed) = sides(answer)
    assert (left, wanted) == ("sdt-dask-plug-test-vendor 0.3.0", "numpy<1.20")
    assert right
    assert not SpecifierSet(needed.removeprefix("numpy")).contains("1.19.5")
    oldest, latest = map(Version, answer.conflict.versions)
    assert Version("1.20") < oldest < latest


def test_an_old_numpy_in_a_new_image(real_index, beside_what_is_here):
    real_index("sdt-dask-plug-test-vendor", "0.3.0", "numpy<1.20")
    conflict = beside_what_is_here("sdt-dask-plug-test-vendor", fresh=True).conflict
    assert (conflict.package, conflict.left.range, conflict.is_left_served) == ("numpy", "numpy<1.20", False)
    assert conflict.right.origin in ("installed", "workers")


def test_pandas_pinned_below_what_the_core_needs(real_index, beside_what_is_here, sides):
    real_index("sdt-dask-plug-of-a-test", "1.0", "pandas==2.1.4")
    core = f"sdt-dask-core {importlib.metadata.version('sdt-dask-core')}"
    assert sides(beside_what_is_here("sdt-dask-plug-of-a-test")) == [
        ("sdt-dask-plug-of-a-test 1.0", "pandas==2.1.4"),
        (core, "pandas>=2.2"),
    ]


def test_two_plugs_that_pin_one_package_apart(real_index, beside_what_is_here, sides):
    real_index("sdt-dask-plug-test-north", "1.0", "tomli-w==1.0.0")
    real_index("sdt-dask-plug-test-south", "1.0", "tomli-w==1.1.0")
    assert sides(beside_what_is_here("sdt-dask-plug-test-north", "sdt-dask-plug-test-south")) == [
        ("sdt-dask-plug-test-north 1.0", "tomli-w==1.0.0"),
        ("sdt-dask-plug-test-south 1.0", "tomli-w==1.1.0"),
    ]


# pip tries one release after another here: seconds on one day, more than its time limit on another.
@pytest.mark.parametrize("tool", ["uv"], indirect=True)
def test_boto3_against_aiobotocore(real_index, newest, ask, sides):
    """Through their dependencies, botocore is what they cannot agree on."""
    boto3, aiobotocore = newest("boto3"), newest("aiobotocore<3")
    real_index("sdt-dask-plug-test-s3", "0.1", f"boto3=={boto3}")
    real_index("sdt-dask-test-cloud", "2026.1", f"aiobotocore=={aiobotocore}")
    answer = ask("sdt-dask-plug-test-s3", "sdt-dask-test-cloud")
    assert answer.conflict.package == "botocore"
    (left, left_range), (right, right_range) = sides(answer)
    assert left == f"sdt-dask-plug-test-s3 0.1 → boto3 {boto3}"
    assert right == f"sdt-dask-test-cloud 2026.1 → aiobotocore {aiobotocore}"
    assert left_range.startswith("botocore<")
    assert right_range.startswith("botocore<")
    assert answer.advice[0] == (
        "ask the authors of sdt-dask-plug-test-s3 to allow another release of boto3; "
        f"or ask the authors of boto3 to allow {right_range}"
    )


def test_a_plug_that_needs_a_newer_core(real_index, beside_what_is_here, sides):
    real_index("sdt-dask-plug-of-a-test", "2.0", "sdt-dask-core>=9999")
    core = importlib.metadata.version("sdt-dask-core")
    answer = beside_what_is_here("sdt-dask-plug-of-a-test")
    assert sides(answer) == [
        ("sdt-dask-plug-of-a-test 2.0", "sdt-dask-core>=9999"),
        (f"sdt-dask-core {core}", f"sdt-dask-core=={core}"),
    ]
    assert answer.advice[0].endswith("pip install -U 'sdt-dask-core>=9999'")


def test_a_plug_with_no_needs_of_its_own_makes_an_image(real_index, beside_what_is_here):
    """The whole of it can be resolved, with the versions of here."""
    real_index("sdt-dask-plug-of-a-test", "1.0", "pandas>=2")
    answer = beside_what_is_here("sdt-dask-plug-of-a-test", fresh=True)
    assert answer.installs
    shared = ("dask", "distributed", "numpy", "pandas", "cloudpickle", "solar-data-tools")
    assert {name: answer.added[name] for name in shared} == {name: importlib.metadata.version(name) for name in shared}
