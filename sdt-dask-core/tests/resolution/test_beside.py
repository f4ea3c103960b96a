"""Beside what is here: real resolutions by uv and by pip, over wheels made for each test."""

import pytest
from packaging.specifiers import SpecifierSet

pytestmark = pytest.mark.usefixtures("index")


def changes(answer):
    return [(one.name, one.before, one.after, one.is_shared) for one in answer.changed]


def test_what_fits_is_listed_with_what_it_brings(index, ask, tool):
    index("acme-plug", "1.2", "acme-sdk>=3", "pandas>=2.2", "sdt-dask-core")
    index("acme-sdk", "3.1")
    index("acme-sdk", "2.0")
    answer = ask("acme-plug")
    assert answer.installs
    assert answer.added == {"acme-plug": "1.2", "acme-sdk": "3.1"}
    assert (answer.changed, answer.conflict, answer.advice, answer.notes) == ([], None, [], [])
    assert answer.tool.startswith(f"{tool} ")


def test_what_is_installed_needs_nothing(ask):
    answer = ask("click", "sdt-dask-core>=0.1")
    assert (answer.installs, answer.added, answer.changed) == (True, {}, [])


def test_an_older_release_that_fits_is_taken_and_told(index, ask):
    index("acme-plug", "2.0", "pandas!=3.1.1")
    index("acme-plug", "1.0")
    answer = ask("acme-plug")
    assert answer.added == {"acme-plug": "1.0"}
    assert answer.notes == [
        "acme-plug 1.0 is not the newest that was asked for: acme-plug 2.0 does not fit; for the reason: "
        "sdt-dask plugs check acme-plug==2.0"
    ]


def test_what_would_have_to_change_is_told(index, ask):
    """And what the workers must have the same is marked."""
    index("acme-plug", "1.0", "click<8.5", "cloudpickle>=4")
    index("click", "8.4")
    index("cloudpickle", "4.0")
    answer = ask("acme-plug")
    assert answer.installs
    assert answer.added == {"acme-plug": "1.0"}
    assert changes(answer) == [("click", "8.5.1", "8.4", False), ("cloudpickle", "3.1.2", "4.0", True)]


def test_what_stands_in_the_way_moves_too(index, here, ask):
    """The SDK that is here pins its base, and another release of it pins another."""
    here.install("sdk", "1.44.5", "sdk-base>=1.44.5,<1.45")
    here.install("sdk-base", "1.44.5")
    index("sdk", "1.43.1", "sdk-base>=1.43.1,<1.44")
    index("sdk-base", "1.43.1")
    index("async-sdk", "3.1", "sdk-base<1.43.2,>=1.43")
    answer = ask("async-sdk")
    assert changes(answer) == [("sdk", "1.44.5", "1.43.1", False), ("sdk-base", "1.44.5", "1.43.1", False)]


def test_nothing_moves_that_would_break_what_is_here(index, ask, sides):
    index("acme-plug", "1.0", "click<8")
    index("click", "7.0")
    answer = ask("acme-plug")
    assert not answer.installs
    assert answer.conflict.package == "click"
    assert sides(answer) == [("acme-plug 1.0", "click<8"), ("sdt-dask-core 0.1.0", "click>=8.1")]
    assert answer.advice == [
        "ask the authors of acme-plug to allow click>=8.1",
        "or give acme-plug an environment and a worker image of its own",
    ]


def test_a_pin_below_what_the_core_needs_names_both(index, ask, sides):
    index("acme-plug", "1.0", "pandas==2.1.4")
    index("pandas", "2.1.4")
    assert sides(ask("acme-plug")) == [("acme-plug 1.0", "pandas==2.1.4"), ("sdt-dask-core 0.1.0", "pandas>=2.2")]


def test_two_plugs_that_pin_one_package_apart_name_each_other(index, ask, sides):
    index("north-plug", "1.0", "acme-sdk==1.0")
    index("south-plug", "2.0", "acme-sdk==2.0")
    index("acme-sdk", "1.0")
    index("acme-sdk", "2.0")
    answer = ask("north-plug", "south-plug")
    assert sides(answer) == [("north-plug 1.0", "acme-sdk==1.0"), ("south-plug 2.0", "acme-sdk==2.0")]
    assert answer.advice[:2] == [
        "ask the authors of north-plug to allow acme-sdk==2.0",
        "ask the authors of south-plug to allow acme-sdk==1.0",
    ]


def test_a_conflict_further_down_names_the_way_there(index, here, ask, sides):
    """What is asked for, through an extra, against what is here."""
    here.install("s3-plug", "0.1", "sdk==1.43.5")
    here.install("sdk", "1.43.5", "sdk-base>=1.43.5,<1.44")
    here.install("sdk-base", "1.43.9")
    index("cloud", "2026.1", extras={"aws": ["async-sdk>=3"]})
    index("async-sdk", "3.1", "sdk-base>=1.42,<1.43")
    index("sdk-base", "1.42.0")
    answer = ask("cloud[aws]")
    assert answer.conflict.package == "sdk-base"
    assert sides(answer) == [
        ("cloud 2026.1 → async-sdk 3.1", "sdk-base<1.43,>=1.42"),
        ("s3-plug 0.1 → sdk 1.43.5", "sdk-base<1.44,>=1.43.5"),
    ]


def test_ranges_that_meet_where_there_is_no_release_are_a_conflict(index, ask, sides):
    index("north-plug", "1.0", "acme-sdk<2")
    index("south-plug", "1.0", "acme-sdk>1")
    index("acme-sdk", "1.0")
    index("acme-sdk", "2.0")
    assert sides(ask("north-plug", "south-plug")) == [
        ("north-plug 1.0", "acme-sdk<2"),
        ("south-plug 1.0", "acme-sdk>1"),
    ]


def test_a_release_that_installs_is_named(index, ask):
    index("acme-plug", "2.0", "click<8")
    index("acme-plug", "1.4", "click>=8")
    index("click", "7.0")
    assert ask("acme-plug>=2").advice[0] == "take another release, which installs: acme-plug==1.4"


def test_a_newer_core_that_no_index_has_is_told(index, here, ask, sides):
    here.install("kit", "1.0", "sdt-dask-core<1")
    index("acme-plug", "2.0", "sdt-dask-core>=9")
    answer = ask("acme-plug")
    assert sides(answer) == [("acme-plug 2.0", "sdt-dask-core>=9"), ("sdt-dask-core 0.1.0", "sdt-dask-core==0.1.0")]
    assert answer.advice == [
        "upgrade the core as soon as there is such a release: pip install -U 'sdt-dask-core>=9'",
        "or take an older release of acme-plug",
    ]


def test_a_newer_core_that_an_index_has_is_a_change(index, ask):
    index("acme-plug", "2.0", "sdt-dask-core>=0.2")
    index("sdt-dask-core", "0.2.0", "pandas")
    assert changes(ask("acme-plug")) == [("sdt-dask-core", "0.1.0", "0.2.0", True)]


def test_a_range_without_a_wheel_for_this_python_is_told(index, ask, sides):
    index("acme-plug", "1.0", "ancient<1.20")
    index("ancient", "1.19", tag="cp27-none-any")
    index("ancient", "1.23")
    index("ancient", "2.4")
    answer = ask("acme-plug")
    assert sides(answer) == [("acme-plug 1.0", "ancient<1.20")]
    assert answer.conflict.versions == ("1.23", "2.4")
    assert answer.advice[0] == "ask the authors of acme-plug to allow ancient>=1.23"


def test_a_name_that_no_index_has_is_told(index, ask, sides):
    answer = ask("no-such-plug")
    assert not answer.installs
    assert sides(answer) == [("", "no-such-plug")]
    assert answer.advice == ["check the name; if it is right, it may come as source alone: make a wheel and check that"]


def test_sources_are_not_built(index, ask, tmp_path):
    """A source archive would be code that is run, and would fail later, when the image is made."""
    (tmp_path / "index" / "acme-plug-1.0.tar.gz").write_bytes(b"")
    assert not ask("acme-plug").installs


def test_a_release_for_another_python_is_none(index, ask):
    index("acme-plug", "1.0", python=">=3.99")
    answer = ask("acme-plug")
    assert (answer.installs, answer.conflict.versions) == (False, None)


def test_what_is_missing_here_already_is_not_the_question(index, ask):
    """Solar Data Tools' jupyter is not here, and no index has it."""
    index("acme-plug", "1.0", "click<8.5")
    index("click", "8.4")
    answer = ask("acme-plug")
    assert answer.added == {"acme-plug": "1.0"}
    assert changes(answer) == [("click", "8.5.1", "8.4", False)]


def test_what_is_missing_here_still_bounds_what_comes(index, here, ask, sides):
    here.install("holey", "1.0", "late<2")
    index("acme-plug", "1.0", "late")
    index("late", "1.5")
    index("late", "2.0")
    assert ask("acme-plug").added == {"acme-plug": "1.0", "late": "1.5"}
    index("acme-plug", "2.0", "late>=2")
    assert sides(ask("acme-plug>=2")) == [("acme-plug 2.0", "late>=2"), ("holey 1.0", "late<2")]


def test_what_is_broken_here_already_is_no_reason(index, here, ask):
    here.install("stale", "1.0", "click<3")
    index("acme-plug", "1.0", "click>=8")
    assert ask("acme-plug").installs


def test_another_release_of_what_is_here_may_be_asked_for(index, ask):
    index("click", "99.0")
    assert changes(ask("click>=99")) == [("click", "8.5.1", "99.0", False)]


def test_what_was_asked_for_directly_is_one_side(index, ask, sides):
    index("pandas", "2.1.4")
    answer = ask("pandas<2.2")
    assert sides(answer) == [("", "pandas<2.2"), ("sdt-dask-core 0.1.0", "pandas>=2.2")]
    assert answer.advice == ["ask for pandas>=2.2 instead"]


def test_json_has_it_all(index, ask, tool):
    index("acme-plug", "1.0", "click<8")
    index("click", "7.0")
    found = ask("acme-plug").as_json()
    left, right = found["conflict"]["sides"]
    assert SpecifierSet(left["range"]) == SpecifierSet("<8")
    assert left["chain"] == [{"name": "acme-plug", "version": "1.0"}]
    assert (left["origin"], right["origin"], right["distribution"]) == ("asked", "installed", "sdt-dask-core")
    assert (found["installs"], found["requirements"], found["added"]) == (False, ["acme-plug"], [])
    assert ("No solution" if tool == "uv" else "ResolutionImpossible") in found["tool_output"]


def test_an_override_for_development_does_not_change_the_answer(index, ask, monkeypatch, tmp_path):
    """Users get what the metadata say."""
    (tmp_path / "overrides.txt").write_text("acme-sdk ; python_version < '3'\n")
    monkeypatch.setenv("UV_OVERRIDE", str(tmp_path / "overrides.txt"))
    index("acme-plug", "1.0", "acme-sdk")
    assert not ask("acme-plug").installs


def test_what_might_move_is_not_blamed(index, here, ask, sides):
    """The SDK that is here could be another release, were it not for the other plug that is asked for."""
    here.install("here-plug", "0.1", "sdk")
    here.install("sdk", "1.44.5", "sdk-base>=1.44.5,<1.45")
    here.install("sdk-base", "1.44.5")
    index("sdk", "1.43.1", "sdk-base>=1.43.1,<1.44")
    index("sdk-base", "1.43.1")
    index("north-plug", "1.0", "sdk==1.44.5")
    index("south-plug", "1.0", "sdk-base<1.44")
    assert ask("south-plug").installs
    assert sides(ask("south-plug", "north-plug")) == [
        ("south-plug 1.0", "sdk-base<1.44"),
        ("north-plug 1.0 → sdk 1.44.5", "sdk-base<1.45,>=1.44.5"),
    ]


def test_what_the_old_release_needs_does_not_count(index, here, ask):
    here.install("acme-plug", "1.0", "sdk<2")
    here.install("sdk", "1.0")
    index("acme-plug", "2.0", "sdk>=2")
    index("sdk", "2.0")
    assert changes(ask("acme-plug>=2")) == [("acme-plug", "1.0", "2.0", False), ("sdk", "1.0", "2.0", False)]


def test_what_stands_in_the_way_of_an_old_numpy_is_named_though_it_might_move(index, ask, sides):
    """No release of it could help, as there is no such numpy."""
    index("legacy-vendor-plug", "0.3.0", "numpy<1.20")
    index("numpy", "2.4.6")
    assert sides(ask("legacy-vendor-plug")) == [
        ("legacy-vendor-plug 0.3.0", "numpy<1.20"),
        ("sdt-dask-core 0.1.0 → pandas 3.1.1", "numpy>=1.26"),
    ]
