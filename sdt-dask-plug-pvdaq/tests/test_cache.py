"""The cache: asked first, never torn, never above its size, shared by processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pvdaq_filler import fill

from sdt_dask_core.errors import OptionError
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_plug_pvdaq.cache import Cache

KEY = (1208, 2011)


def asked_for_data(server: Any) -> list[str]:
    paths = [request.path for request in server.asked]
    return [path for path in paths if "__date_" in path or "_corrected" in path or "_data" in path]


@pytest.mark.parametrize("key", [KEY, (4, 2012), (10500, 2016), (9068, 2024)], ids=str)
def test_what_was_read_is_not_asked_for_again(proxy: Any, new_plug: Any, tmp_path: Path, key: Any):
    server = proxy()
    first = new_plug(endpoint_url=server.url, cache=tmp_path).get_data(key)
    server.asked.clear()
    again = new_plug(endpoint_url=server.url, cache=tmp_path).get_data(key)
    assert again.equals(first)
    assert again.attrs == first.attrs
    assert [path for path in asked_for_data(server) if "list-type" not in path] == []


def test_a_changed_file_is_read_anew(url: str, new_plug: Any, tmp_path: Path, tree: Any):
    import pandas as pd

    before = new_plug(endpoint_url=url, cache=tmp_path).get_data(KEY)
    path = tree.root / tree.day_key(1208, pd.Timestamp("2011-05-02"))
    content = path.read_text()
    path.write_text(content.replace(",0.0,", ",1.0,"))
    after = new_plug(endpoint_url=url, cache=tmp_path).get_data(KEY)
    path.write_text(content)
    assert not after.equals(before)


def test_a_torn_file_is_dropped(tmp_path: Path):
    cache = Cache(tmp_path, 10_000_000)
    cache.put("a", b"content")
    (path,) = tmp_path.glob("*/*.object")
    path.write_bytes(path.read_bytes()[:-2])
    assert cache.get("a") is None
    assert not path.exists()


def test_what_was_used_longest_ago_goes_first_and_the_size_is_kept(tmp_path: Path):
    size = 1_000_000
    cache = Cache(tmp_path, size)
    for number in range(100):
        cache.put(f"{number}", os.urandom(20_000))
        for path in tmp_path.glob("*/*.object"):  # an hour passes, but for what is used
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
        assert cache.get("0") is not None
        assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= size
    kept = [number for number in range(100) if cache.get(f"{number}") is not None]
    assert kept == [0, *range(101 - len(kept), 100)]
    assert len(kept) > 30


def test_what_is_too_large_for_the_cache_is_not_kept(tmp_path: Path):
    cache = Cache(tmp_path, 1_000_000)
    cache.put("a", bytes(100_000))
    assert cache.get("a") is None


def test_half_written_files_of_dead_processes_go(tmp_path: Path):
    cache = Cache(tmp_path, 1_000_000)
    (tmp_path / "ab").mkdir()
    old, new = tmp_path / "ab" / "old.part", tmp_path / "ab" / "new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, time.time() - 7200))
    cache.put("a", b"content")
    assert (old.exists(), new.exists()) == (False, True)


def test_processes_share_it_and_never_see_a_torn_file(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    torn = context.Value("i", 0)
    processes = [context.Process(target=fill, args=(str(tmp_path), seed, torn)) for seed in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert torn.value == 0
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 1_000_000


def test_a_cache_that_cannot_be_written_is_told_once_and_stops_nothing(
    url: str, new_plug: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, plug: PvdaqPlug
):
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        frame = new_plug(endpoint_url=url, cache=tmp_path / "file").get_data(KEY)
    assert frame.equals(plug.get_data(KEY))
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        f"the cache '{tmp_path / 'file'}' cannot be written"
    ]


def test_a_cache_too_small_to_be_one_is_refused():
    with pytest.raises(OptionError, match=r"cache_gib=0\.001 is too small for a cache; give 0\.01 or more"):
        PvdaqPlug(cache_gib=0.001)
