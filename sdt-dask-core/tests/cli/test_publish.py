"""``publish``, on a finished run."""

import pandas as pd
import pytest

FAILING = '''
    from sdt_dask_core import Publisher


    class Provider(Publisher):
        """Fails."""

        def publish_rows(self, publication, chunk, rows):
            raise RuntimeError("no room")
'''


def test_publish_and_again(finished, invoke, tmp_path):
    _, place = finished
    result = invoke("publish", place / "results", "csv", "-P", f"path={tmp_path / 'there'}")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("published 3 rows of run ")
    assert "unchanged" not in result.stdout
    (file,) = (tmp_path / "there").glob("*/results-*.csv")
    assert pd.read_csv(file).columns[:3].tolist() == ["run_id", "key", "status"]
    again = invoke("publish", place / "results", "csv", "-P", f"path={tmp_path / 'there'}")
    assert again.stdout.endswith("by csv; 1 chunk of 1 unchanged since last time\n")


def test_publish_finds_the_default_output(finished, invoke, monkeypatch, tmp_path):
    _, place = finished
    monkeypatch.chdir(place)
    assert invoke("publish", "csv", "-P", f"path={tmp_path / 'there'}").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("csv",), "publisher 'csv' needs the option 'path'"),
        (("cvs",), "unknown publisher 'cvs'; installed: csv"),  # and what else this environment has
        (("cvs",), "did you mean 'csv'?"),
        (("csv", "-P", "path"), "-P 'path' is no option; write it as name=value"),
        (("csv", "-P", "pth=x"), "publisher 'csv' has no option 'pth'; did you mean 'path'?"),
        (("a", "b", "c"), "publish takes OUTPUT and PUBLISHER, 3 names were given"),
    ],
)
def test_wrong_usage_is_told(finished, invoke, monkeypatch, arguments, answer):
    _, place = finished
    monkeypatch.chdir(place)
    result = invoke("publish", *arguments)
    assert (result.exit_code, answer in result.stderr) == (2, True), result.stderr


def test_a_publish_that_fails_ends_with_1(finished, invoke, install):
    _, place = finished
    install("failing", FAILING, kind="publishers")
    result = invoke("publish", place / "results", "failing")
    assert result.exit_code == 1
    assert "error: publisher 'failing' failed at chunk 1 of 1, run " in result.stderr
    assert "RuntimeError: no room; what was published before stands" in result.stderr


def test_plugs_lists_publishers(invoke):
    assert "publisher" in invoke("plugs").stdout
    shown = invoke("plugs", "csv").stdout
    assert "publisher csv, sdt-dask-core" in shown
    assert "options (-P name=value):" in shown
