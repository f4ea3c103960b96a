"""The command: it says its seed, shows a table, and fails where anything was harmed."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_testing.chaos import Faults, Kills, Tally, faults
from sdt_dask_testing.chaos.__main__ import main
from sdt_dask_testing.chaos.tally import HARMS
from sdt_dask_testing.faulty import FAULTS, Expected


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tally:
    """What both experiments come to, without running them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what is left behind is kept
    tally = Tally("played", 7)
    for experiment in (Kills, Faults):
        monkeypatch.setattr(experiment, "run", lambda _: tally)
    return tally


def test_nothing_harmed_is_exit_code_0(played: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7"]) == 0
    assert capsys.readouterr().out.startswith("chaos: seed 7 (the same faults again: --seed 7)\n")


def test_another_seed_is_taken_each_time(played: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        main([])
    seeds = re.findall(r"--seed (\d+)", capsys.readouterr().out)
    assert len(set(seeds)) == 2


@pytest.mark.parametrize("kind", HARMS)
def test_any_harm_is_exit_code_1(played: Tally, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    played.harm(kind, "the row of system 7")
    assert main(["kills"]) == 1
    printed = capsys.readouterr().out
    assert f"{kind}: the row of system 7" in printed
    assert re.search(rf"^{kind} +1$", printed, re.MULTILINE)


def test_the_table_shows_faults_by_kind_and_every_harm(played: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    played.faults.update({"segfault": 3, "hang": 1})
    main(["faults"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["segfault", "3"] in lines
    assert ["all", "4"] in lines
    assert all([kind, "0"] in lines for kind in HARMS)


def test_what_was_counted_is_written_as_json(played: Tally, tmp_path: Path) -> None:
    played.faults["hang"] = 2
    main(["--json", str(tmp_path / "chaos.json")])
    first, second = json.loads((tmp_path / "chaos.json").read_text(encoding="utf-8"))
    assert first == second
    assert (first["faults"], first["harms"]) == ({"hang": 2}, dict.fromkeys(HARMS, 0))


def test_an_unknown_experiment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["floods"])
    assert caught.value.code == 2
    assert "unknown experiment 'floods'; there are kills and faults" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_that_says_another_cause_than_it_should_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[str, Any] = {"os_exit": Expected("failed", "timeout", "worker"), "empty": FAULTS["empty"]}
    monkeypatch.setattr(faults, "kinds_of_faults", lambda: kinds)
    tally = Faults(tmp_path, seed=1, runs=1, n_kinds=2).run()
    assert dict(tally.harms) == {"wrong": 1}
    assert "instead of ('timeout', 'worker')" in tally.sentences[0]
    assert tally.facts["keys"] == 6
