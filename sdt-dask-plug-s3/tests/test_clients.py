"""One client for all who reach a store in the same way, given back by the last of them."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sdt_dask_plug_s3 import clients

N_THREADS = 16


@pytest.fixture(autouse=True)
def _objects(store: Any) -> None:
    store.put_as("shared", "a.csv", store.table)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The clients that are made."""
    found: list[Any] = []
    make = clients._make_client  # noqa: SLF001 - what is counted
    monkeypatch.setattr(clients, "_make_client", lambda access: found.append(make(access)) or found[-1])
    return found


def test_threads_with_instances_of_their_own_share_one_client(store: Any, made: list[Any]):
    def read(_: int) -> list[float]:
        plug = store.plug("shared")
        power: list[float] = plug.get_data(("a.csv",))["power"].tolist()
        return power

    holder = store.plug("shared")
    holder.fingerprint(("a.csv",))
    with ThreadPoolExecutor(N_THREADS) as pool:
        assert list(pool.map(read, range(4 * N_THREADS))) == [[1.5, 2.5]] * (4 * N_THREADS)
    assert len(made) == 1


def test_threads_that_come_at_once_make_one_client(store: Any, made: list[Any]):
    plugs = [store.plug("shared") for _ in range(N_THREADS)]
    with ThreadPoolExecutor(N_THREADS) as pool:
        assert len(set(pool.map(lambda plug: plug.fingerprint(("a.csv",)), plugs))) == 1
    assert len(made) == 1


def test_calls_of_one_instance_share_the_client(store: Any, made: list[Any]):
    plug = store.plug("shared")
    plug.get_data(("a.csv",))
    list(plug.list_keys())
    plug.fingerprint(("a.csv",))
    assert len(made) == 1


def test_another_way_to_the_store_has_a_client_of_its_own(store: Any, made: list[Any]):
    for more in ({}, {"max_attempts": 3}, {"prefix": "other folder, same way"}):
        store.plug("shared", **more).fingerprint(("a.csv",))
    assert len(made) == 2


def test_the_last_user_closes_it(store: Any, made: list[Any], monkeypatch: pytest.MonkeyPatch):
    one, other = store.plug("shared"), store.plug("shared")
    for plug in (one, other):
        plug.fingerprint(("a.csv",))
    closed: list[str] = []
    monkeypatch.setattr(made[0], "close", lambda: closed.append("closed"))
    one.close()
    one.close()
    assert closed == []
    other.close()
    assert closed == ["closed"]
    assert len(one.get_data(("a.csv",))) == 2
    assert len(made) == 2


def test_closing_what_was_never_opened_does_nothing(store: Any, made: list[Any]):
    store.plug("shared").close()
    assert made == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_makes_its_own(store: Any):
    code = f"""
import os, sys, warnings
from sdt_dask_core.secret import Secret
from sdt_dask_plug_s3 import S3Plug, clients
warnings.simplefilter("ignore")
plug = S3Plug("shared", endpoint_url={store.url!r}, access_key_id="AKIATESTSDTDASK00001",
              secret_access_key=Secret("env:S3_TEST_SECRET"))
before = plug.fingerprint(("a.csv",))
with clients._lock:
    child = os.fork()
if child == 0:
    os._exit(0 if not clients._open and plug.fingerprint(("a.csv",)) == before and before else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
