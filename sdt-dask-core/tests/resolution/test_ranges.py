import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from sdt_dask_core.resolution.ranges import ranges_meet

APART = [
    ("<1.20", ">=1.26"),
    ("<1.43.118,>=1.43.115", "<1.45,>=1.44.5"),
    ("==2.4.6", "<2"),
    ("==1.0", "!=1.0"),
    ("~=1.4.2", ">=1.5"),
    ("<2.0", ">=2.0rc1"),
    ("==1.*", "==2.*"),
    (">2,<1", ""),
]
TOGETHER = [
    ("", ""),
    ("", ">=3"),
    ("<1.20", ">=1.19.5"),
    ("~=1.4", ">=1.5,<1.6"),
    ("==1.2.*", ">1.2.3"),
    (">1.2.3,<1.2.4", "!=1.2.3.1"),
    ("==2.1.0+cpu", "==2.1.0"),
    (">=2024.12", "<2025"),
    ("<1", ">=0.9.9"),
    ("==1!2.0", ">2"),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_ranges_without_a_common_version_do_not_meet(one, other):
    assert not ranges_meet(SpecifierSet(one), SpecifierSet(other))
    assert not ranges_meet(SpecifierSet(other), SpecifierSet(one))


@pytest.mark.parametrize(("one", "other"), TOGETHER)
def test_ranges_with_a_common_version_meet(one, other):
    assert ranges_meet(SpecifierSet(one), SpecifierSet(other))
    assert ranges_meet(SpecifierSet(other), SpecifierSet(one))


numbers = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
ranges = st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers), max_size=3).map(
    lambda parts: SpecifierSet(",".join(operator + version for operator, version in parts))
)


@given(ranges, ranges, numbers)
def test_a_version_in_both_means_that_they_meet(one, other, version):
    """So nothing is ever called a conflict that is none."""
    if one.contains(Version(version)) and other.contains(Version(version)):
        assert ranges_meet(one, other)
