"""What the kit finds out with: the watch, the costs, the canaries, and what instances hold."""

from __future__ import annotations

import base64
import functools
import json
import logging
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_core import Secret
from sdt_dask_testing.canary import Canary
from sdt_dask_testing.fresh import FreshProcessError, ask, run_python
from sdt_dask_testing.metadata import metadata_problems
from sdt_dask_testing.series import difference, documented_problems, shares_memory
from sdt_dask_testing.state import changes, class_state, digests, shared

FRAME = pd.DataFrame({"power": [0.0, 1.0]}, index=pd.date_range("2020-01-01", periods=2, freq="h"))


def in_a_watch(tmp_path: Path, work: str) -> list[str]:
    """Return what a module of an author's touches, seen from a fresh process."""
    (tmp_path / "acme.py").write_text(f"def work():\n{textwrap.indent(textwrap.dedent(work), '    ')}")
    code = (
        "import json; from sdt_dask_testing.watching import Watch; import acme\n"
        "with Watch(['acme']).on() as touched: acme.work()\nprint(json.dumps(touched))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


# --- the watch


@pytest.mark.parametrize(
    "work",
    [
        "import decimal, sqlite3, xml.dom.minidom",
        "import zoneinfo\nzoneinfo.ZoneInfo('Europe/Rome')",
        "import pathlib\npathlib.Path('~/data').expanduser() / 'x'",
        "import warnings\nwarnings.warn('old', DeprecationWarning)",
        "import os\nos.environ.get('HOME')",
    ],
    ids=["imports", "time zones", "paths", "warnings", "environment"],
)
def test_what_building_may_do_is_not_touching(tmp_path: Path, work: str) -> None:
    assert in_a_watch(tmp_path, work) == []


@pytest.mark.parametrize(
    ("work", "told"),
    [
        ("open('acme.py').close()", "open 'acme.py' at acme.py:2: open('acme.py').close()"),
        ("import pathlib\npathlib.Path('x').exists()", "os.stat at acme.py:3: pathlib.Path('x').exists()"),
        ("import os\nos.access('x', os.R_OK)", "os.access at acme.py:3: os.access('x', os.R_OK)"),
        ("import os\nos.listdir('.')", "os.listdir '.' at acme.py:3: os.listdir('.')"),
        ("import socket\nsocket.getaddrinfo('127.0.0.1', 80)", "socket.getaddrinfo '127.0.0.1' at acme.py:3"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", "subprocess.Popen"),
        ("import tempfile\ntempfile.mkdtemp(dir='.')", "os.mkdir"),
        ("import importlib.metadata\nimportlib.metadata.version('pytest')", "at acme.py:3"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_touched_is_told_with_its_line(tmp_path: Path, work: str, told: str) -> None:
    assert told in "\n".join(in_a_watch(tmp_path, work))


def test_what_a_library_opens_in_c_and_leaves_open_is_told(tmp_path: Path) -> None:
    work = "import ctypes\nctypes.CDLL(None).open(b'acme.py', 0)"
    found = in_a_watch(tmp_path, work)
    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not tell what is open")
    assert [text for text in found if text.startswith("left open: ") and text.endswith("acme.py")]


# --- fresh processes


def test_a_fresh_process_answers_as_json_would() -> None:
    answer = ask("json:dumps", {"a": [1, 2]})
    assert answer.value == '{"a": [1, 2]}'


def test_what_a_fresh_process_raises_is_its_last_words() -> None:
    with pytest.raises(FreshProcessError, match=r"ended with exit code 1 and without an answer(.|\n)*JSONDecodeError"):
        ask("json:loads", "no json")


def test_a_fresh_process_that_ends_itself_is_told() -> None:
    with pytest.raises(FreshProcessError, match="ended with exit code 3"):
        ask("os:_exit", 3)


def test_a_fresh_process_that_does_not_end_is_ended() -> None:
    assert run_python(["-c", "import time; print('begun', flush=True); time.sleep(600)"], timeout=2)[0] is None


# --- canaries


def test_a_canary_takes_the_value_that_the_author_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "swordfish")
    canary = Canary(["token"], {"token": "env:ACME_TOKEN"})
    assert canary.options == {"token": "env:ACME_TOKEN"}
    assert canary.environment == {}
    (line,) = canary.shown_in([("log", "with swordfish")])
    assert line == "'token' in log: …with ***…"


@pytest.mark.parametrize("before", ["", "u", "us", "use"])
def test_a_canary_is_seen_in_base64_wherever_it_begins(before: str) -> None:
    canary = Canary(["token"], {})
    (value,) = canary.environment.values()
    text = base64.b64encode(f"{before}{value}:more".encode()).decode()
    assert canary.shown_in([("log", text)])
    assert canary.shown_in([("log", base64.b64encode(b"something else altogether").decode())]) == []


# --- what instances and classes hold


class Holder:
    many: dict[str, int] = {}  # noqa: RUF012
    log = logging.getLogger("holder")

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    @functools.lru_cache  # noqa: B019 - the mistake that is meant
    def cached(self) -> int:
        return 1


def test_a_cache_on_a_method_is_state_of_the_class() -> None:
    before = class_state(Holder)
    Holder.log.isEnabledFor(10)
    assert changes(before, class_state(Holder)) == []
    Holder().cached()
    Holder.many["a"] = 1
    assert changes(before, class_state(Holder)) == ["Holder.many", "Holder.cached"]


def test_instances_are_told_apart_by_what_they_hold_and_show_no_value() -> None:
    one = digests(Holder(path=Path("a"), token=Secret("env:A"), many={"a": {1, 2}}, thing=object()))
    other = digests(Holder(path=Path("a"), token=Secret("env:B"), many={"a": {2, 1}}, thing=object()))
    assert changes(one, other) == ["token"]
    assert "env" not in str(one)


def test_what_two_instances_share_is_found_in_containers_too() -> None:
    rows, session, name, pattern = [1], Holder(open=True), "name", (1, "a")
    one = Holder(a={"rows": rows}, b=session, c=name, d=pattern, e=Path)
    other = Holder(a={"rows": rows}, b=session, c=name, d=pattern, e=Path)
    assert shared(one, other) == ["a", "b"]


# --- frames and metadata


def test_frames_differ_in_values_types_and_attrs() -> None:
    noted = FRAME.copy()
    noted.attrs["units"] = "W"
    assert difference(FRAME, FRAME.copy()) == ""
    assert "attrs" in difference(FRAME, noted)
    assert difference(FRAME, FRAME.astype("float32"))
    assert difference(FRAME, None)


def test_a_copy_shares_no_memory_and_a_view_does() -> None:
    view = pd.DataFrame(FRAME.to_numpy(), index=FRAME.index, copy=False)
    assert shares_memory(FRAME, view)
    assert not shares_memory(FRAME, FRAME.copy())


@pytest.mark.parametrize(
    ("frame", "piece"),
    [
        (FRAME["power"], "it is a Series; return a pandas.DataFrame"),
        (FRAME.reset_index(drop=True), "its index is a RangeIndex"),
        (FRAME.assign(more=1.0), "it has 2 columns (power, more)"),
        (FRAME > 0, "its column 'power' is of type bool"),
    ],
)
def test_what_is_not_documented_is_told(frame: Any, piece: str) -> None:
    assert piece in "\n".join(documented_problems(frame))


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"latitude": -33.9, "longitude": 151.2, "time_zone": "Australia/Sydney", "capacity_kw": 5, "name": "x"}],
)
def test_plausible_metadata_are_believed(metadata: Any) -> None:
    assert list(metadata_problems(metadata)) == []


@pytest.mark.parametrize(
    ("metadata", "piece"),
    [
        ([("latitude", 1)], "it is a list"),
        ({"latitude": 91}, "latitude is 91, which is not between -90 and 90"),
        ({"tilt": "steep"}, "tilt is 'steep'; give a number"),
        ({"time_zone": "Pacific"}, "time_zone is 'Pacific'"),
        ({"lat": 5.0}, "did you mean 'latitude'?"),
        ({"capacity": 5.0}, "did you mean 'capacity_kw'?"),
        ({1: 5.0}, "the name 1 is no text"),
    ],
)
def test_metadata_that_cannot_be_right_are_told(metadata: Any, piece: str) -> None:
    assert piece in "\n".join(metadata_problems(metadata))
