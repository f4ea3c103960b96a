"""One real run on a real cluster, and every command that reads what it left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

HOSTILE = "bad \\x1b[2J[red]"


def test_some_failed_keys_end_with_1(finished):
    done, _ = finished
    assert done.returncode == 1, done.stderr


def test_results_are_printed_and_nothing_steers_the_terminal(finished):
    done, _ = finished
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["key", "grade", "from", "to", "missing", "why"]
    assert lines[1].split() == ["north", "ok", "2020-06-01", "2020-06-05", "0"]
    assert lines[3].startswith(f"{HOSTILE}  failed")
    assert lines[3].endswith("exception: ValueError: broken [bold]\\x1b[31m")
    assert "\x1b" not in done.stdout + done.stderr


def test_last_words_say_where_results_are_and_what_next(finished):
    done, _ = finished
    assert "results: results/results.csv (2 done, 1 failed; graded 2 ok, 0 caution, 0 withheld)" in done.stdout
    assert "1 system failed: " in done.stdout
    assert done.stdout.rstrip().endswith(" errors results")


def test_progress_without_a_terminal_is_a_few_lines(finished):
    done, _ = finished
    lines = done.stderr.splitlines()
    assert lines[0] == "running 3 systems on 2 threads"
    assert lines[-1].startswith("3/3: 2 ok, 0 caution, 0 withheld, 1 failed; took ")
    assert len(lines) <= 5


def test_printed_command_works_as_printed(finished):
    done, place = finished
    command = next(line for line in done.stdout.splitlines() if "failed: " in line).partition("failed: ")[2]
    shown = subprocess.run(command, shell=True, cwd=place, capture_output=True, text=True, check=True)
    assert "exception: 1 system" in shown.stdout


def test_status_of_the_newest_run(finished, invoke):
    _, place = finished
    result = invoke("status", place / "results")
    assert result.exit_code == 0
    assert "systems:  3: 2 done, 1 failed\n" in result.stdout
    assert "analyses: none: data read and checked only\n" in result.stdout
    assert f"errors {place / 'results'}" in result.stdout


def test_status_as_json_and_the_list_of_runs(finished, invoke):
    _, place = finished
    status = json.loads(invoke("status", place / "results", "--json").stdout)
    assert (status["state"], status["done"], status["failed"]) == ("complete", 2, 1)
    listed = invoke("status", place / "results", "--all").stdout
    assert listed.splitlines()[1].startswith(f"{status['run']}  complete")
    assert invoke("status", place / "results", "--run", status["run"]).exit_code == 0
    assert "has no run 'x'" in invoke("status", place / "results", "--run", "x").stderr


def test_run_whose_process_is_gone_is_not_called_running(finished, invoke, tmp_path):
    """Killed with no time to write how it ended."""
    import sqlite3

    _, place = finished
    shutil.copytree(place / "results", tmp_path / "copy")
    connection = sqlite3.connect(tmp_path / "copy" / "ledger.sqlite")
    connection.execute("UPDATE run SET state = 'running', ended_at = NULL")
    connection.commit()
    connection.close()
    assert "state:    cut off, started" in invoke("status", tmp_path / "copy").stdout


def test_errors_by_cause(finished, invoke):
    _, place = finished
    text = invoke("errors", place / "results").stdout
    assert "exception: 1 system\n" in text
    assert f"  such as {HOSTILE} (read): ValueError: broken [bold]\\x1b[31m\n" in text
    assert "  to do: an unexpected error" in text
    assert f"to try them again: {sys.executable} -m sdt_dask_core.cli retry {place / 'results'}" in text
    assert "Traceback" not in text


def test_errors_with_traceback_and_last_prints(finished, invoke):
    _, place = finished
    text = invoke("errors", place / "results", "--traceback").stdout
    assert "    Traceback (most recent call last):\n" in text
    assert "  prints:\n    my last words\n" in text
    assert "\x1b" not in text


def test_errors_as_json(finished, invoke):
    _, place = finished
    (cause,) = json.loads(invoke("errors", place / "results", "--json").stdout)["causes"]
    assert (cause["cause"], cause["count"]) == ("exception", 1)
    assert cause["keys"] == [["bad \x1b[2J[red]"]]


@pytest.mark.parametrize(("what", "rows"), [("results", 3), ("errors", 1), ("withheld", 0), ("summary", 4)])
def test_export_of_each_table(finished, invoke, what, rows):
    _, place = finished
    for name in ("out.csv", "out.parquet", "out.xlsx"):
        result = invoke("export", place / "results", name, "--what", what)
        assert (result.exit_code, result.stdout.split()[:2]) == (0, ["wrote", str(rows)])
    assert len(pd.read_parquet("out.parquet")) == rows


def test_export_finds_the_default_output(finished, invoke, monkeypatch):
    _, place = finished
    monkeypatch.chdir(place)
    assert invoke("export", "results/again.csv").exit_code == 0
    assert "the extension decides, write .csv or .parquet" in invoke("export", "again.ods").stderr


def test_plan_says_why(finished, invoke, monkeypatch):
    _, place = finished
    monkeypatch.chdir(place)
    text = invoke("plan", "mine", "--analyses", "none").stdout
    assert text.startswith("1 of 3 systems would run\n  skip, unchanged: 2 (north, south)\n  run, failed before: 1 (")
    assert "on one core (" in text
    assert "s a system: 1 by the mean; measured on 2 done here before)\nmemory: up to " in text
    assert "run, forced: 2" in invoke("plan", "mine", "--analyses", "none", "--force").stdout


def test_plan_as_json(finished, invoke, monkeypatch):
    _, place = finished
    monkeypatch.chdir(place)
    plan = json.loads(invoke("plan", "mine", "--analyses", "none", "--json", "-k", "north", "-k", "[7,2]").stdout)
    assert 0 < plan.pop("seconds_per_key") < 60
    assert 10 < plan.pop("peak_memory_mb") < 4000
    assert plan == {
        "run": 1,
        "total": 2,
        "reasons": {"new": 1, "unchanged": 1},
        "seconds_per_key_measured_on": 2,
        "expected_by": {"mean": 1},
        "estimated_cost_usd": None,
        "max_cost_usd": None,
        "keys": {"unchanged": [["north"]], "new": [[7, 2]]},
    }


def test_plan_with_other_analyses_does_not_take_the_time_of_reading_alone(finished, invoke, monkeypatch):
    _, place = finished
    monkeypatch.chdir(place)
    assert invoke("plan", "mine").stdout.endswith(
        "\ncomputing: not known, as no system was done here with these analyses\n"
    )


PRICED = """
    from sdt_dask_core.clients.local import LocalClient

    class Provider(LocalClient):
        def estimate_cost(self, n_keys, seconds_per_key):
            return 0.5 * n_keys + 0.01 * seconds_per_key

        def cost_so_far(self):
            return 0.0
"""


def test_plan_says_what_the_client_would_cost(finished, invoke, monkeypatch, install):
    _, place = finished
    monkeypatch.chdir(place)
    install("priced", PRICED, kind="clients")
    text = invoke("plan", "mine", "--client", "priced", "--output", "elsewhere").stdout
    assumed = (
        "assumed is 15 s a system, a guess for two to three years at 15 min; it is measured once some are done here"
    )
    assert text.endswith(f"\ncost: about 1.65 US dollars, says client 'priced'; {assumed}\n")
    limited = invoke("plan", "mine", "--client", "priced", "--output", "elsewhere", "--max-cost", "1").stdout
    assert limited.endswith(f"says client 'priced', more than the 1.00 of --max-cost; {assumed}\n")


def test_nothing_to_resume_says_so(finished, invoke, tmp_path):
    """No cluster is started; the failed key still ends it with 1, and what to do is said."""
    _, place = finished
    shutil.copytree(place / "results", tmp_path / "copy")
    result = invoke("resume", tmp_path / "copy")
    assert result.exit_code == 1
    assert f"nothing is to do in {tmp_path / 'copy'}\nto try what failed again: " in result.stderr


def test_unchanged_keys_are_skipped_and_end_with_0(finished, sdt_dask):
    """A run of what is done needs no cluster and prints its results all the same."""
    _, place = finished
    done = sdt_dask("run", "mine", "--analyses", "none", "-k", "north", "-o", "results", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "results: results/results.csv (1 skipped; graded 1 ok" in done.stdout
    quiet = sdt_dask("run", "mine", "--analyses", "none", "-k", "north", "-q", cwd=place)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_resume_goes_on(plug_folder, tmp_path, sdt_dask):
    """What was interrupted can be resumed with the command that the message names."""
    file = plug_folder / "dataplug.py"
    wait = "import os, time\n\n\nwhile os.path.exists({!r}):\n    time.sleep(0.05)\n".format(str(tmp_path / "wait"))
    marked = "def get_data(self, keys):"
    body = "\n".join(f"        {line}" for line in wait.splitlines())
    file.write_text(file.read_text().replace(marked, f"{marked}\n{body}"))
    (tmp_path / "wait").touch()
    command = [sys.executable, "-m", "sdt_dask_core.cli", "run", "mine", "--analyses", "none", "-c", "n_workers=1"]
    process = subprocess.Popen([*command, "-k", "north"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "running 1 system on 1 thread\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "error: interrupted with 1 of 1 keys to do" in said
    assert "sdt-dask resume results does the rest" in said
    assert list(pd.read_csv(tmp_path / "results" / "results.csv")["status"]) == ["todo"]
    (tmp_path / "wait").unlink()
    resumed = sdt_dask("resume", "results", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "(1 done; graded 1 ok" in resumed.stdout


def test_a_cluster_that_cannot_be_joined_ends_with_3_and_the_run_can_be_resumed(plug_folder, tmp_path, sdt_dask):
    nowhere = ("--client", "address", "-c", "address=tcp://127.0.0.1:1", "-c", "timeout=0.5")
    done = sdt_dask("run", "mine", "--analyses", "none", *nowhere, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("error: no Dask scheduler answers at 'tcp://127.0.0.1:1' within 0.5 s")
    assert "3: 3 todo" in sdt_dask("status", "results", cwd=tmp_path).stdout


@pytest.mark.parametrize("stream", ["help", "plugs"])
def test_reader_that_stops_reading(stream, tmp_path):
    """As with head: no traceback."""
    command = f"{sys.executable} -m sdt_dask_core.cli {'--help' if stream == 'help' else 'plugs --json'} | true"
    # Unbuffered, nothing is left to be flushed when Python ends.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, shell=True, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""


LIMITED = """
    from sdt_dask_core.clients.local import LocalClient

    class Provider(LocalClient):
        def cost_so_far(self):
            return 0.0 if self._open is None else 12.5
"""


def test_a_limit_ends_a_run_with_4_and_says_how_to_go_on(plug_folder, tmp_path, sdt_dask, install):
    install("limited", LIMITED, kind="clients")
    run = ("run", "mine", "--analyses", "none", "--client", "limited", "-c", "n_workers=1")
    done = sdt_dask(*run, "--max-cost", "10", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "error: stopped with 3 of 3 keys to do: the cluster has cost 12.50 US dollars and max_cost is" in done.stderr
    assert "sdt-dask resume results does the rest" in done.stderr
    resumed = sdt_dask("resume", "results", "--max-cost", "20", cwd=tmp_path)
    assert resumed.returncode == 1, resumed.stderr  # one of the keys fails
    assert "(2 done, 1 failed; " in resumed.stdout


def test_watch_says_where_the_fleet_is_seen(sdt_dask, plug_folder):
    arguments = ("run", plug_folder, "--analyses", "none", "--output", "results", "--watch", "--no-report")
    done = sdt_dask(*arguments, cwd=plug_folder.parent)
    assert done.returncode == 1, done.stderr
    assert "live view: http://127.0.0.1:" in done.stderr
