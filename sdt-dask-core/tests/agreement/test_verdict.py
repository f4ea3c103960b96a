"""What is held against the terms, and how it is told; no cluster is needed for it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdt_dask_core import SDTDask
from sdt_dask_core.agreement.gate import TURNED_AWAY, run_key_if_agreed
from sdt_dask_core.agreement.needs import needs_of
from sdt_dask_core.agreement.question import answer_of_this_process, call
from sdt_dask_core.agreement.table import commands, mismatch, table
from sdt_dask_core.agreement.terms import Terms, common_terms, terms_of
from sdt_dask_core.agreement.verdict import disagreements
from sdt_dask_core.environment import SCHEDULER
from sdt_dask_core.errors import RequirementError
from sdt_dask_core.job import Job
from sdt_dask_core.settings import RunSettings

from .plugs import MistypedPlug, NeedyPlug, NumbersPlug

VERSIONS: dict[str, str | None] = {"python": "3.11.7", "dask": "2026.8.0", "numpy": "2.4.6", "acme": "1.0"}
TERMS = Terms({name: name for name in VERSIONS if name != "python"}, VERSIONS)


def problems(where: str = "tcp://a", terms: Terms = TERMS, **there: Any) -> list[tuple[str, str, str]]:
    answer = {"versions": {**VERSIONS, **there}, "distributions": {}, "imports": {}, "files": {}}
    return [(one.name, one.wanted, one.found) for one in disagreements(terms, where, answer)]


def test_the_same_versions_agree() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("name", "version"),
    [("python", "3.12.7"), ("dask", "2026.8.1"), ("numpy", "2.3.6"), ("acme", "1.0.1"), ("acme", None)],
)
def test_what_makes_a_difference_is_told(name: str, version: str | None) -> None:
    assert problems(**{name: version}) == [(name, VERSIONS[name], version or "missing")]


@pytest.mark.parametrize(("name", "version"), [("python", "3.11.12"), ("numpy", "2.4.1")])
def test_a_bugfix_release_makes_none(name: str, version: str) -> None:
    assert problems(**{name: version}) == []


def test_the_scheduler_needs_no_plug() -> None:
    assert problems(SCHEDULER, acme=None, numpy="1.0") == []


def job(plug: Any) -> Job:
    return SDTDask(plug, analyses=[]).settings.job


def terms(plug: Any) -> Terms:
    made = job(plug)
    return terms_of(made, needs_of(made), shares_files=False)


def test_a_requirement_of_the_plug_that_is_not_met_is_told() -> None:
    needed = terms(NeedyPlug)
    found = disagreements(needed, "tcp://a", answer_of_this_process(needed.question))
    assert [(one.name, one.wanted, one.found) for one in found] == [("sdt-dask-no-such-thing", ">=2", "missing")]


def test_a_requirement_that_cannot_be_read_is_refused_before_a_cluster_is_made(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match=r"plug 'MistypedPlug' requires 'fastparquet=>2024' of the workers"):
        SDTDask(MistypedPlug, analyses=[], output=tmp_path / "out").execute()
    assert not (tmp_path / "out").exists()


def test_the_requirements_of_a_users_folder_are_asked_of_the_workers(tmp_path: Path) -> None:
    (tmp_path / "dataplug.py").write_text("class DayPlug:\n    def get_data(self, keys): ...\n", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("pluggy>=1  # hooks\n", encoding="utf-8")
    assert terms(tmp_path).requires == ("pluggy>=1",)


def test_terms_survive_their_text() -> None:
    made = Terms({"acme": "acme"}, VERSIONS, ("pluggy>=1",), ("helper",), ("/plug",), (("/data", 0, "folder"),))
    assert Terms.from_text(made.as_text()) == made


def test_a_job_of_an_older_release_has_no_requirements() -> None:
    fields = json.loads(job(NumbersPlug).as_text())
    del fields["worker_requires"]
    assert Job.from_text(json.dumps(fields)).worker_requires == ()


def test_settings_of_an_older_release_allow_no_mismatch(tmp_path: Path) -> None:
    fields = SDTDask(NumbersPlug, analyses=[], allow_mismatch=True).settings.as_dict()
    assert RunSettings.from_dict(fields).allow_mismatch
    del fields["allow_mismatch"]
    assert not RunSettings.from_dict(fields).allow_mismatch


def found(*where: str, **there: Any) -> dict[str, Any]:
    answer = {"versions": {**VERSIONS, **there}, "distributions": {}, "imports": {}, "files": {}}
    return {one: disagreements(TERMS, one, answer) for one in where}


def test_workers_with_the_same_are_one_block_and_the_scheduler_is_another() -> None:
    assert table(
        found(SCHEDULER, "tcp://a", "tcp://b", dask="2024.5.2") | found("tcp://c", acme="0.9")
    ).splitlines() == [
        "  where      what  wanted    found",
        "  scheduler  dask  2026.8.0  2024.5.2",
        "  2 workers  dask  2026.8.0  2024.5.2",
        "  tcp://c    acme  1.0       0.9",
    ]


def test_one_command_installs_all_that_is_missing() -> None:
    ways = commands(found("tcp://a", numpy="2.3.1", acme=None) | found("tcp://b", numpy=None), TERMS)
    assert ways == ["install there, and start it again: uv pip install numpy==2.4.6 acme==1.0"]


def test_workers_of_an_image_get_a_new_image() -> None:
    (way,) = commands(found("tcp://a", numpy="2.3.1"), TERMS, "sdt-dask image csv --output image")
    assert way == "make an image of this environment and give the client its tag: sdt-dask image csv --output image"


def test_the_error_survives_pickling_with_what_was_found() -> None:
    error = pickle.loads(pickle.dumps(mismatch(found("tcp://a", acme="0.9"), TERMS)))
    assert (error.found, error.exit_code) == ({"tcp://a": [("acme", "1.0", "0.9")]}, 2)


def test_a_key_is_turned_away_where_the_terms_are_not_met() -> None:
    said = json.loads(run_key_if_agreed("tcp://a", TERMS.as_text(), {}))
    assert (said["status"], said["where"], said["answer"]["versions"]["acme"]) == (TURNED_AWAY, "tcp://a", None)


def test_the_question_needs_nothing_of_ours(tmp_path: Path) -> None:
    text, space = call(common_terms().question)
    code = f"import sys\nsys.modules['sdt_dask_core'] = None\nprint(eval({text!r}, {space!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["versions"]["sdt-dask-core"], answer["versions"]["python"]) == (None, sys.version.split()[0])
