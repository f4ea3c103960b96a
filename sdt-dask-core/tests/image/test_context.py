"""The folder on disk: nothing of the user's gives way, and a context is there whole or not at all."""

import json
import os
import shutil

import pytest

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.image.context import MANIFEST, check_output, write_context

FACTS = {"tag": "sdt-dask-000000000000"}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "below" / "context"


@pytest.fixture
def written(output):
    """A context of ours."""
    write_context(output, {"requirements.lock": b"one\n", "wheels/a.whl": b"1"}, FACTS)
    return output


def beside(output):
    return [path.name for path in output.parent.iterdir()]


def test_a_context_stands_alone(written):
    assert beside(written) == ["context"]
    assert sorted(path.name for path in written.rglob("*")) == [
        "a.whl",
        "requirements.lock",
        MANIFEST,
        "wheels",
    ]


def test_an_older_one_gives_way_with_all_its_files(written):
    check_output(written)
    write_context(written, {"requirements.lock": b"two\n"}, FACTS)
    assert (written / "requirements.lock").read_bytes() == b"two\n"
    assert not (written / "wheels").exists()
    assert beside(written) == ["context"]


def test_an_empty_folder_is_taken(output):
    output.mkdir(parents=True)
    check_output(output)
    write_context(output, {"requirements.lock": b""}, FACTS)
    assert (output / MANIFEST).exists()


@pytest.mark.parametrize("name", ["notes.txt", "wheels/own.whl", ".env"])
def test_files_of_the_user_stay(written, name):
    (written / name).write_text("mine")
    with pytest.raises(ConfigurationError, match=f"its {name} is not of sdt-dask image; it stays as it is"):
        check_output(written)


def test_a_change_by_hand_stays(written):
    (written / "requirements.lock").write_text("one\nmine\n")
    with pytest.raises(ConfigurationError, match=r"its requirements\.lock was changed since it was made"):
        check_output(written)


def test_one_that_lost_a_file_is_ours_still(written):
    shutil.rmtree(written / "wheels")
    check_output(written)


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"files": null}'])
def test_a_folder_with_anything_else_stays(output, manifest):
    output.mkdir(parents=True)
    (output / "thesis.tex").write_text("mine")
    if manifest is not None:
        (output / MANIFEST).write_text(manifest)
    with pytest.raises(ConfigurationError, match="is not empty, and"):
        check_output(output)


def test_a_file_stays(output):
    output.parent.mkdir()
    output.write_text("mine")
    with pytest.raises(ConfigurationError, match="is a file"):
        check_output(output)


def test_the_current_folder_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="holds the current folder"):
        check_output(tmp_path)


def test_a_failing_write_leaves_the_older_one(written, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        write_context(written, {"requirements.lock": b"two\n", "wheels/b.whl": tmp_path / "gone.whl"}, FACTS)
    assert (written / "requirements.lock").read_bytes() == b"one\n"
    assert beside(written) == ["context"]


def test_a_failing_rename_brings_the_older_one_back(written, monkeypatch):
    real = os.rename
    renamed = []

    def rename(self, target):
        renamed.append(self.name)
        if self.name == "new":
            raise OSError(28, "No space left on device")
        real(self, target)

    monkeypatch.setattr("pathlib.Path.rename", rename)
    with pytest.raises(ConfigurationError, match="No space left on device"):
        write_context(written, {"requirements.lock": b"two\n"}, FACTS)
    assert renamed == ["context", "new", "old"]
    assert (written / "requirements.lock").read_bytes() == b"one\n"


def test_scripts_may_be_run(output):
    write_context(output, {"bin/dask-worker": b"#!/bin/sh\n"}, FACTS)
    assert os.access(output / "bin" / "dask-worker", os.X_OK)


def test_the_manifest_names_every_file(written):
    content = json.loads((written / MANIFEST).read_text())
    assert content["tag"] == FACTS["tag"]
    assert list(content["files"]) == ["requirements.lock", "wheels/a.whl"]
