"""Whole runs of the command line on the fake account."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sdt_dask_testing import SyntheticSystem, write_fleet
from sdt_dask_testing.image_environment import make_image_environment
from sdt_dask_testing.s3_server import serve_folder

from .fake_aws import IMAGE, FakeAws

# When and where a key was worked off, and what the run was called.
_NOT_OF_THE_DATA = re.compile("run_id|host|.*seconds|.*started.*|.*finished.*|peak_rss_mb|attempt.*")
_PATIENCE = 300.0  # s


@pytest.fixture
def bucket(sdt_fleet: list[SyntheticSystem], tmp_path: Path) -> Iterator[list[str]]:
    """A bucket with two systems; give the words that name it."""
    write_fleet(tmp_path / "store" / "fleet", sdt_fleet[:2])
    with serve_folder(tmp_path / "store") as url:
        options = {"bucket": "fleet", "prefix": "data", "endpoint_url": url, "unsigned": "true", "units": "kW"}
        yield ["--plug=s3", *(f"-p{name}={value}" for name, value in options.items())]


@pytest.fixture
def image(fake_aws: FakeAws, tmp_path: Path) -> Iterator[str]:
    """The tag of an image that `sdt-dask image` locked; in the fake account it is the environment of that lock."""
    words = ["image", "s3", "--output", str(tmp_path / "context"), "--json"]
    said = subprocess.run([sys.executable, "-m", "sdt_dask_core.cli", *words], capture_output=True, check=True)
    tag: str = json.loads(said.stdout)["tag"]
    make_image_environment(tmp_path / "context", tmp_path / "environment")
    fake_aws.ask("images", **{IMAGE: sys.prefix, tag: str(tmp_path / "environment")})
    yield tag
    fake_aws.ask("images", **{IMAGE: sys.prefix})


def _fargate(aws: FakeAws, **more: Any) -> list[str]:
    return ["--client=fargate", *(f"-c{name}={value}" for name, value in aws.options(**more).items())]


def _started(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sdt_dask_core.cli", "run", f"--output={folder}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a run; return its exit code and what it said."""
    with run:
        said, _ = run.communicate(timeout=_PATIENCE)
    return run.returncode, said


def _rows(folder: Path, *words: str) -> pd.DataFrame:
    code, said = _ended(_started(folder, *words))
    assert code == 0, said
    return pd.read_csv(folder / "results.csv").sort_values("key", ignore_index=True)


@pytest.mark.slow
@pytest.mark.sdt
def test_a_run_on_fargate_over_a_bucket_gives_the_rows_of_a_local_one(
    aws: FakeAws, bucket: list[str], image: str, tmp_path: Path
) -> None:
    here = _rows(tmp_path / "here", *bucket, "--client=local", "-cn_workers=2", "--analyses=quality")
    there = _rows(tmp_path / "there", *bucket, *_fargate(aws, n_workers=2, image=image), "--analyses=quality")
    same = [name for name in here.columns if not _NOT_OF_THE_DATA.fullmatch(name)]
    assert len(same) > 20
    assert there["status"].tolist() == ["done", "done"]
    pd.testing.assert_frame_equal(there[same], here[same])


def test_files_of_this_machine_are_refused_before_anything_is_made(
    aws: FakeAws, sdt_fleet_folder: Path, tmp_path: Path
) -> None:
    words = ["--plug=csv", f"-ppath={sdt_fleet_folder / 'data'}", "-punits=kW", *_fargate(aws)]
    code, said = _ended(_started(tmp_path / "out", *words))
    assert code == 2
    assert "s3" in said
    assert not [call for call in aws.ask("calls") if "Create" in call or "Run" in call]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_tasks_are_provisioned_ends_the_run_at_once(
    aws: FakeAws, bucket: list[str], tmp_path: Path, number: signal.Signals
) -> None:
    aws.ask("fault", provisioning=3600.0)
    run = _started(tmp_path / "out", *bucket, *_fargate(aws, timeout=3600.0), "--analyses=none")
    aws.until(lambda: aws.running("scheduler"))
    run.send_signal(number)
    code, said = _ended(run)
    assert code == 130, said
    assert aws.held() == []


@pytest.mark.slow
def test_a_run_that_loses_its_scheduler_says_how_to_go_on(aws: FakeAws, bucket: list[str], tmp_path: Path) -> None:
    run = _started(tmp_path / "out", *bucket, *_fargate(aws), "--analyses=quality")
    aws.until(lambda: aws.running("worker"))
    (scheduler,) = aws.running("scheduler")
    aws.ask("crash", id=scheduler["id"])
    code, said = _ended(run)
    assert code == 3, said
    assert aws.held() == []
