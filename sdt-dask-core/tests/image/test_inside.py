"""What the last step of the build finds: plugs that cannot be imported where a run would ask for them."""

import pytest

from sdt_dask_core.image import inside
from sdt_dask_testing import IsolatedRegistry


class NoPlug:
    """It has none of a plug's methods."""


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(inside.shutil, "which", lambda name: f"/usr/local/bin/{name}")
    monkeypatch.setattr(inside, "_MODULES", ("json",))  # the real ones take seconds; `test_real_image` imports them
    with IsolatedRegistry() as found:
        found.keep("sdt-dask-core")
        yield found


def test_an_image_in_order_says_what_it_holds(registry, capsys):
    assert inside.main([]) == 0
    said = capsys.readouterr()
    assert "client local: sdt-dask-core " in said.out
    assert said.err == ""


def test_a_plug_that_breaks_the_contract_ends_the_build(registry, capsys):
    registry.add("plug", "lame", NoPlug)
    assert inside.main([]) == 1
    assert "error: plug 'lame' of lame-plug 1.0 " in capsys.readouterr().err


def test_a_plug_that_lacks_a_requirement_ends_the_build(registry, capsys):
    registry.add("plug", "lame", NoPlug, requires=["no-such-sdk>=2"])
    assert inside.main([]) == 1
    assert "it needs no-such-sdk>=2, which is not installed" in capsys.readouterr().err


def test_missing_scripts_end_the_build(registry, monkeypatch, capsys):
    monkeypatch.setattr(inside.shutil, "which", lambda _: None)
    assert inside.main([]) == 1
    assert "error: there is no dask-scheduler on the path\nerror: there is no dask-worker" in capsys.readouterr().err


def test_a_module_that_is_missing_ends_the_build(registry, monkeypatch, capsys):
    monkeypatch.setattr(inside, "_MODULES", ("no_such_module",))
    assert inside.main([]) == 1
    assert "error: no_such_module cannot be imported: ModuleNotFoundError" in capsys.readouterr().err


def test_a_folder_that_lacks_a_module_ends_the_build(registry, tmp_path, capsys):
    (tmp_path / "dataplug.py").write_text("import no_such_module\n")
    assert inside.main([str(tmp_path)]) == 1
    assert "cannot be imported: ModuleNotFoundError" in capsys.readouterr().err
