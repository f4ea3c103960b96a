"""Clusters of a client whose cloud is a folder: one folder a cluster, one file a piece of it."""

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from sdt_dask_core import Client, ClusterRecord
from sdt_dask_core.cli.app import app
from sdt_dask_core.errors import ClientError


class FolderClient(Client):
    """Keeps clusters in a folder.

    Parameters
    ----------
    cloud : pathlib.Path
        The folder.
    """

    def __init__(self, cloud: Path) -> None:
        self.cloud = cloud

    def make_client(self):
        raise NotImplementedError("no test of these starts a cluster")

    def list_clusters(self):
        if not self.cloud.is_dir():
            raise ConnectionError("no credentials; log in")
        for folder in sorted(self.cloud.iterdir()):
            pieces = sorted(file.name for file in folder.iterdir())
            started = datetime.fromtimestamp(folder.stat().st_mtime, timezone.utc)
            yield ClusterRecord(folder.name, self.cloud.name, "task" in pieces, started, "ada@host", tuple(pieces))

    def remove_cluster(self, name):
        for file in sorted((self.cloud / name).iterdir()):
            if file.name == "locked":
                raise ClientError(f"{file.name} of {name} could not be removed: it is in use; try again later")
            file.unlink()
            yield file.name
        (self.cloud / name).rmdir()


class SilentClient(Client):
    """Makes nothing that could be left over."""

    def __init__(self, needed: str) -> None:
        self.needed = needed

    def make_client(self):
        raise NotImplementedError


class WrongClient(FolderClient):
    """Lists something else."""

    def list_clusters(self):
        return ["beta"]


# What is made by each client, all of it three hours ago; a cluster with a task is running.
CLUSTERS = {
    "east": {"alpha": ["role", "task"], "beta": ["disk", "role", "address\x1b[2J"]},
    "west": {"gamma": ["disk"], "beta": ["disk"]},
}


@pytest.fixture
def clouds(sdt_registry, tmp_path, monkeypatch):
    """Two clients with clusters, and one that makes none; the folder of each cloud."""
    for name, clusters in CLUSTERS.items():
        sdt_registry.add("client", name, FolderClient, distribution=f"dist-of-{name}", version="1.2")
        for cluster, pieces in clusters.items():
            folder = tmp_path / f"{name}-1" / cluster
            folder.mkdir(parents=True)
            for piece in pieces:
                (folder / piece).touch()
            then = time.time() - 3 * 3600
            os.utime(folder, (then, then))
        monkeypatch.setenv(f"SDT_DASK_CLIENT_{name.upper()}_CLOUD", str(tmp_path / f"{name}-1"))
    sdt_registry.add("client", "without", SilentClient)
    return tmp_path


def held(clouds):
    return {f"{path.parent.name}/{path.name}" for path in clouds.glob("*-1/*")}


def test_every_cluster_of_every_client_is_listed(clouds, invoke):
    result = invoke("clusters")
    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        "client name place state age owner holds",
        "east alpha east-1 running 3 h ada@host 2 pieces",
        "east beta east-1 left over 3 h ada@host 3 pieces",
        "west beta west-1 left over 3 h ada@host 1 piece",
        "west gamma west-1 left over 3 h ada@host 1 piece",
        "3 clusters left over; to remove what is left over: sdt-dask clusters clean",
    ]


def test_one_client_can_be_asked_with_options(clouds, invoke):
    result = invoke("clusters", "--client", "east", "-c", f"cloud={clouds / 'west-1'}", "--json")
    assert [cluster["name"] for cluster in json.loads(result.stdout)["clusters"]] == ["beta", "gamma"]


def test_options_come_from_the_run_file_that_names_the_client(clouds, invoke):
    (clouds / "other" / "delta").mkdir(parents=True)
    Path("sdt-dask.toml").write_text('client = "east"\n[client_options]\ncloud = "other"\n')
    found = json.loads(invoke("clusters", "--json").stdout)["clusters"]
    assert [(cluster["client"], cluster["name"]) for cluster in found] == [
        ("east", "delta"),
        ("west", "beta"),
        ("west", "gamma"),
    ]


def test_json_has_every_piece(clouds, invoke):
    first = json.loads(invoke("clusters", "--json").stdout)["clusters"][0]
    assert 3 * 3600 <= first.pop("age_seconds") < 4 * 3600
    assert first.pop("started").startswith("20")
    assert first == {
        "client": "east",
        "name": "alpha",
        "place": "east-1",
        "running": True,
        "owner": "ada@host",
        "resources": ["role", "task"],
    }


def test_a_client_that_cannot_be_asked_is_a_row_and_stops_no_other(clouds, invoke, monkeypatch):
    monkeypatch.setenv("SDT_DASK_CLIENT_EAST_CLOUD", str(clouds / "nowhere"))
    result = invoke("clusters")
    assert result.exit_code == 1
    assert "could not list its clusters: ConnectionError: no credentials; log in" in result.stdout
    assert "gamma" in result.stdout


def test_a_client_with_a_missing_option_is_a_row_and_stops_no_other(clouds, invoke, monkeypatch):
    monkeypatch.delenv("SDT_DASK_CLIENT_EAST_CLOUD")
    answer = json.loads(invoke("clusters", "--json").stdout)
    assert list(answer["problems"]) == ["east"]
    assert "client 'east' needs the option 'cloud'" in answer["problems"]["east"]
    assert len(answer["clusters"]) == 2


def test_a_client_that_is_named_and_cannot_be_asked_is_an_error(clouds, invoke):
    result = invoke("clusters", "--client", "east", "-c", "cloud=nowhere")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no credentials; log in" in result.stderr


def test_a_client_without_the_hook_needs_no_options(clouds, invoke):
    result = invoke("clusters", "--client", "without")
    assert (result.exit_code, result.stdout) == (0, "no client here makes clusters that could be left over\n")


def test_a_client_that_holds_nothing_says_so(clouds, invoke):
    (clouds / "empty").mkdir()
    result = invoke("clusters", "--client", "east", "-c", f"cloud={clouds / 'empty'}")
    assert (result.exit_code, result.stdout) == (0, "nothing is held, says east\n")


def test_an_option_without_a_client_is_refused(clouds, invoke):
    result = invoke("clusters", "-c", "cloud=here")
    assert result.exit_code == 2
    assert "-c gives an option of a client, and none is named; say which with --client NAME" in result.stderr


def test_what_is_no_record_is_told(clouds, sdt_registry, invoke):
    sdt_registry.add("client", "south", WrongClient, version="1.2")
    result = invoke("clusters", "--client", "south", "-c", "cloud=.")
    assert result.exit_code == 2
    assert "client 'south' of south-client 1.2 lists a str; list_clusters yields ClusterRecord" in result.stderr


def test_a_client_that_cannot_be_imported_is_a_row_and_stops_no_other(clouds, sdt_registry, invoke):
    sdt_registry.add("client", "south", "no class")
    answer = json.loads(invoke("clusters", "--json").stdout)
    assert "client 'south' of south-client 1.0 is a str, not a class" in answer["problems"]["south"]
    assert len(answer["clusters"]) == 4


# --- clean


def test_clean_removes_what_is_left_over_and_nothing_that_runs(clouds, invoke):
    result = invoke("clusters", "clean", "--yes")
    assert result.exit_code == 0, result.stderr
    assert held(clouds) == {"east-1/alpha"}
    assert "left alone, because it is running: alpha of client east (east-1, running 3 h, ada@host)" in result.stderr


def test_clean_prints_each_piece_before_and_after(clouds, invoke):
    lines = invoke("clusters", "clean", "--client", "east", "--yes").stdout.splitlines()
    pieces = ["address\\x1b[2J", "disk", "role"]
    assert lines == [
        "beta of client east (east-1, left over 3 h, ada@host)",
        *(f"  {piece}" for piece in pieces),
        *(f"removed: {piece}" for piece in pieces),
    ]


def test_clean_asks_first(clouds):
    result = CliRunner().invoke(app, ["clusters", "clean"], input="n\n")
    assert "remove 3 clusters with all that is held? [y/N]: n" in result.stdout
    assert "nothing was removed" in result.stdout
    assert len(held(clouds)) == 4


def test_clean_goes_on_when_the_answer_is_yes(clouds):
    assert CliRunner().invoke(app, ["clusters", "clean"], input="y\n").exit_code == 0
    assert held(clouds) == {"east-1/alpha"}


def test_clean_without_anybody_to_ask_removes_nothing(clouds, invoke):
    result = invoke("clusters", "clean")
    assert result.exit_code == 2
    assert "nothing was removed, because nobody answered; give --yes to remove" in result.stderr
    assert len(held(clouds)) == 4


def test_a_running_cluster_is_removed_when_it_is_named(clouds, invoke):
    result = invoke("clusters", "clean", "alpha", "--yes")
    assert result.exit_code == 0, result.stderr
    assert held(clouds) == {"east-1/beta", "west-1/beta", "west-1/gamma"}


def test_a_name_that_two_clients_have_needs_the_client(clouds, invoke):
    result = invoke("clusters", "clean", "beta", "--yes")
    assert result.exit_code == 2
    assert "there is a cluster 'beta' of each of east, west; say which with --client" in result.stderr
    assert invoke("clusters", "clean", "beta", "--client", "west", "--yes").exit_code == 0
    assert held(clouds) == {"east-1/alpha", "east-1/beta", "west-1/gamma"}


def test_one_wrong_name_removes_nothing(clouds, invoke):
    result = invoke("clusters", "clean", "alpha", "gama", "--yes")
    assert result.exit_code == 2
    assert "there is no cluster 'gama'; did you mean 'gamma'?; there is: alpha, beta, beta, gamma" in result.stderr
    assert len(held(clouds)) == 4


def test_what_could_not_be_removed_ends_with_1_and_stops_no_other(clouds, invoke):
    (clouds / "east-1" / "beta" / "locked").touch()
    result = invoke("clusters", "clean", "--yes")
    assert result.exit_code == 1
    assert "error: locked of beta could not be removed: it is in use; try again later" in result.stderr
    assert "removed: disk" in result.stdout
    assert held(clouds) == {"east-1/alpha", "east-1/beta"}


def test_an_error_of_the_service_names_the_client(clouds, invoke):
    (clouds / "west-1" / "gamma" / "folder").mkdir()
    result = invoke("clusters", "clean", "gamma", "--yes")
    assert result.exit_code == 1
    assert "error: client 'west' of dist-of-west 1.2 could not remove all of cluster 'gamma': " in result.stderr


def test_clean_tells_which_client_could_not_be_asked(clouds, invoke, monkeypatch):
    monkeypatch.setenv("SDT_DASK_CLIENT_EAST_CLOUD", str(clouds / "nowhere"))
    result = invoke("clusters", "clean", "--yes")
    assert result.exit_code == 1
    assert "warning: client 'east' of dist-of-east 1.2 could not list its clusters" in result.stderr
    assert held(clouds) == {"east-1/alpha", "east-1/beta"}


def test_options_may_stand_before_clean(clouds, invoke):
    assert invoke("clusters", "--client", "west", "clean", "--yes").exit_code == 0
    assert held(clouds) == {"east-1/alpha", "east-1/beta"}


def test_with_nothing_left_over_clean_says_so(clouds, invoke):
    (clouds / "empty").mkdir()
    result = invoke("clusters", "clean", "--client", "east", "-c", f"cloud={clouds / 'empty'}")
    assert (result.exit_code, result.stdout) == (0, "nothing is left over\n")
