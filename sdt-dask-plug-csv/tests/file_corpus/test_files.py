"""Every file of the corpus through the CSV plug and the frame checks, as a run does it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import AmbiguousColumnError, DataFormatError, FrameError, KeyNotFoundError, SdtDaskError
from sdt_dask_core.frames import CheckedFrame, check_frame
from sdt_dask_plug_csv import CsvPlug

from .bad_files import BAD_FILES
from .good_files import GOOD_FILES, WORDS_FOR_MISSING, known_missing, with_missing
from .writing import POWER, File, text

#: What the plug tells of files that it reads all the same.
DOUBTS = ("dst_nonexistent", "thousands_suspected")
NOW = pd.Timestamp("2024-01-01")


def checked(folder: Path, file: File) -> CheckedFrame:
    (folder / file.name).write_bytes(file.make())
    frame = CsvPlug(folder, **{"units": "kW", **file.options}).get_data(("site",))
    return check_frame(frame, now=NOW)


def codes(result: CheckedFrame) -> list[str]:
    return [finding.code for finding in result.findings]


@pytest.mark.parametrize("name", GOOD_FILES)
def test_what_can_be_read_is_read_right(tmp_path: Path, name: str) -> None:
    file = GOOD_FILES[name]
    result = checked(tmp_path, file)
    assert codes(result) == [file.says] * bool(file.says)
    assert result.power.index.equals(POWER.index)
    np.testing.assert_allclose(result.power.to_numpy(), POWER.to_numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("word", WORDS_FOR_MISSING)
def test_whatever_stands_for_missing_leaves_the_rest(tmp_path: Path, word: str) -> None:
    result = checked(tmp_path, File(with_missing(word).encode))
    np.testing.assert_allclose(result.power.to_numpy(), known_missing().to_numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name, file in BAD_FILES.items() if file.says in DOUBTS])
def test_a_doubtful_file_tells_its_doubt(tmp_path: Path, name: str) -> None:
    assert BAD_FILES[name].says in codes(checked(tmp_path, BAD_FILES[name]))


@pytest.mark.parametrize("name", [name for name, file in BAD_FILES.items() if file.says not in DOUBTS])
def test_a_bad_file_is_refused_with_its_cause_in_few_words(tmp_path: Path, name: str) -> None:
    file = BAD_FILES[name]
    with pytest.raises((DataFormatError, AmbiguousColumnError, FrameError)) as caught:
        checked(tmp_path, file)
    message = str(caught.value)
    assert file.says in (getattr(caught.value, "finding", None) or message)
    assert len(message) < 500
    assert isinstance(caught.value, FrameError) or message.startswith(file.name)


def test_a_folder_with_the_name_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.csv").mkdir()
    with pytest.raises(KeyNotFoundError, match=r"'site.csv' is a folder; name a file in it"):
        CsvPlug(tmp_path).get_data(("site",))


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(KeyNotFoundError, match=r"'site.csv' is a link to a file that is not there; mend the link"):
        CsvPlug(tmp_path).get_data(("site",))


def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.csv").symlink_to(tmp_path / "site.csv")
    with pytest.raises(KeyNotFoundError, match=r"is a link to a file that is not there"):
        CsvPlug(tmp_path).get_data(("site.csv",))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "site.csv")
    with pytest.raises(KeyNotFoundError, match=r"'site.csv' is a pipe or a device, not a file"):
        CsvPlug(tmp_path).get_data(("site",))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.csv").write_text(text(), encoding="utf-8")
    (tmp_path / "site.csv").chmod(0)
    with pytest.raises(SdtDaskError, match=r"no permission to open"):
        CsvPlug(tmp_path).get_data(("site",))


def test_the_corpus_holds_forty_bad_files_and_more() -> None:
    assert len(BAD_FILES) >= 40
