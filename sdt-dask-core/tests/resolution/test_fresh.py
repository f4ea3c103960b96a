"""A new worker image: the versions of the driver hold where both sides must have the same."""

import sys

import pytest


@pytest.fixture
def image(index):
    """What a new image takes from the index; the core is nowhere but here."""
    index("solar-data-tools", "2.1.5", "numpy", "pandas", "jupyter")
    for name, version in [("jupyter", "1.1"), ("click", "8.6"), ("dask", "2026.8.0"), ("distributed", "2026.8.0")]:
        index(name, version)
    for name, version in [("pandas", "3.1.1"), ("pandas", "2.3.3"), ("numpy", "2.4.6"), ("cloudpickle", "3.1.2")]:
        index(name, version)


@pytest.fixture
def ask_fresh(here, image, ask):
    here.remove("sdt-dask-core")
    here.install("sdt-dask-core", "0.1.0", "click>=8.1", "pandas>=2.2", "dask", "solar-data-tools", local=True)
    return lambda *requirements, **more: ask(*requirements, fresh=True, **more)


def test_the_image_has_what_the_driver_has(index, ask_fresh):
    """And where no index has what is here, what need not be the same is the newest."""
    index("acme-plug", "1.0", "pandas")
    answer = ask_fresh("acme-plug")
    assert answer.installs
    assert answer.fresh
    needed = [
        "acme-plug",
        "click",
        "dask",
        "distributed",
        "jupyter",
        "numpy",
        "pandas",
        "sdt-dask-core",
        "solar-data-tools",
    ]
    assert list(answer.added) == needed
    assert answer.added["pandas"] == "3.1.1"
    assert answer.added["click"] == "8.6"


def test_what_is_asked_for_must_be_what_the_driver_has(ask_fresh, sides):
    """An image with another pandas would not work with this driver."""
    answer = ask_fresh("pandas<3")
    assert sides(answer) == [("", "pandas<3"), ("pandas 3.1.1", "pandas==3.1.1")]
    assert answer.advice[0] == "ask for pandas==3.1.1 instead"


def test_what_no_index_has_is_told(index, ask_fresh):
    index("acme-plug", "1.0")
    assert ask_fresh("acme-plug").notes == [
        "sdt-dask-core 0.1.0 was installed from a folder or an address; the image needs its wheel"
    ]


def test_a_version_that_comes_from_here_is_blamed_on_here(index, ask_fresh, sides):
    """Not on Solar Data Tools, which asks for any pandas."""
    index("acme-plug", "1.0", "pandas<3")
    answer = ask_fresh("acme-plug")
    assert sides(answer) == [("acme-plug 1.0", "pandas<3"), ("pandas 3.1.1", "pandas==3.1.1")]
    assert answer.conflict.right.origin == "workers"
    assert "sdt-dask plugs check 'pandas<3'" in answer.advice[1]


def test_a_range_is_blamed_before_a_version(index, ask_fresh, sides):
    """The core would not take it either."""
    index("acme-plug", "1.0", "pandas<2.2")
    index("pandas", "2.1.4")
    assert sides(ask_fresh("acme-plug")) == [("acme-plug 1.0", "pandas<2.2"), ("sdt-dask-core 0.1.0", "pandas>=2.2")]


def test_what_is_here_beside_the_image_does_not_count(index, here, ask_fresh):
    here.install("bystander", "1.0", "acme-sdk<2")
    here.install("acme-sdk", "1.0")
    index("acme-plug", "1.0", "acme-sdk>=2")
    index("acme-sdk", "2.0")
    assert ask_fresh("acme-plug").added["acme-sdk"] == "2.0"


def test_a_plug_that_is_here_alone_can_be_asked_for(here, ask_fresh):
    here.install("own-plug", "0.3", "click", local=True)
    answer = ask_fresh("own-plug")
    assert answer.installs
    assert "own-plug 0.3 was installed from a folder or an address; the image needs its wheel" in answer.notes


def test_the_image_is_for_linux_on_any_machine(index, ask_fresh, monkeypatch):
    index("acme-plug", "1.0", "acme-sdk")
    index("acme-sdk", "1.0", tag="cp310-abi3-manylinux_2_28_x86_64")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert ask_fresh("acme-plug").installs
