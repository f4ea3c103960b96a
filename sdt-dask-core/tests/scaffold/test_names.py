"""Which names a new plug or client can have, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.scaffold import names_of


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, distribution: str, entry_points: str) -> None:
    """Install a distribution, as far as its metadata tell."""
    info = folder / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize("text", ["my-store2", "sdt-dask-plug-my-store2", "sdt_dask_plug_my-store2"])
def test_all_names_follow_from_one(text: str):
    """With or without what is before the name of every plug."""
    names = names_of("plug", text)
    assert names.name == "my-store2"
    assert names.distribution == "sdt-dask-plug-my-store2"
    assert names.module == "sdt_dask_plug_my_store2"
    assert names.class_name == "MyStore2Plug"


def test_a_client_is_named_after_its_kind():
    names = names_of("client", "acme")
    assert (names.distribution, names.class_name) == ("sdt-dask-client-acme", "AcmeClient")


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        ("Acme", "acme"),
        ("my_store", "my-store"),
        ("my--store", "my-store"),
        ("-acme", "acme"),
        ("acme-", "acme"),
        ("2store", "store"),
        ("my store", "my-store"),
        ("../acme", "acme"),
        ("acme\n", "acme"),
    ],
)
def test_a_bad_name_is_refused_with_the_nearest_good_one(text: str, proposal: str):
    with pytest.raises(ConfigurationError) as caught:
        names_of("plug", text)
    assert str(caught.value) == (
        f"a plug cannot be called {text!r}: a name is of lower-case letters and digits in parts joined by one hyphen, "
        f"and starts with a letter; did you mean {proposal!r}?"
    )


@pytest.mark.parametrize("text", ["", "42", "é", "sdt-dask-plug-"])
def test_where_no_name_is_near_none_is_proposed(text: str):
    with pytest.raises(ConfigurationError, match=r"and starts with a letter$"):
        names_of("plug", text)


def test_a_name_that_is_too_long_is_refused():
    assert names_of("plug", "a" * 30).name == "a" * 30
    with pytest.raises(ConfigurationError, match=r"has 31 characters; at most 30 make a name$"):
        names_of("plug", "a" * 31)


def test_the_name_of_a_client_makes_no_plug():
    with pytest.raises(ConfigurationError, match=r"^'sdt-dask-client-acme' names a client; sdt-dask new client makes"):
        names_of("plug", "sdt-dask-client-acme")


def test_the_name_of_another_installed_plug_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, monkeypatch, "somebodys-plugs", "[sdt_dask.plugs]\nacme = module:Plug\n")
    with pytest.raises(ConfigurationError) as caught:
        names_of("plug", "acme")
    assert str(caught.value) == (
        "somebodys-plugs 1.2 is installed and offers a plug 'acme'; two of one name cannot be told apart: "
        "choose another name"
    )


def test_the_name_of_an_installed_client_can_be_that_of_a_plug():
    assert names_of("plug", "local").class_name == "LocalPlug"


def test_ones_own_distribution_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The new one takes its place when it is installed."""
    install(tmp_path, monkeypatch, "sdt_dask.plug.acme", "[sdt_dask.plugs]\nacme = module:Plug\n")
    assert names_of("plug", "acme").name == "acme"
