from pathlib import Path

import pytest

from sdt_dask_core.errors import ConfigurationError
from sdt_dask_core.options import options_of
from sdt_dask_core.run_file import RunFile, anchored, find_run_file, read_run_file


def write(text, path="sdt-dask.toml"):
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def test_without_a_file_it_says_nothing():
    assert find_run_file() == RunFile()


def test_every_key_is_read():
    file = read_run_file(
        write(
            'plug = "csv"\nclient = "local"\noutput = "o"\nmanifest = "m.csv"\nanalyses = ["quality"]\naddons = ["a"]\n'
            "all_losses = true\naccelerate = false\nkey_timeout = 60\n"
            'max_cost = 5\nidle_timeout = "30m"\n'
            '[plug_options]\npath = "d"\n[client_options]\nn_workers = 2\n'
        )
    )
    assert (file.plug, file.analyses, file.accelerate, file.key_timeout) == ("csv", ["quality"], False, 60)
    assert (file.max_cost, file.idle_timeout) == (5, "30m")
    assert (file.plug_options, file.client_options) == ({"path": "d"}, {"n_workers": 2})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("anlyses = []", "unknown key 'anlyses'; did you mean 'analyses'?; its keys: plug, client,"),
        ('plug = "csv"\noutput = ', "sdt-dask.toml, line 2, is not TOML"),
        ("plug = 3", "plug is 3; write text"),
        ('analyses = "quality"', "analyses is 'quality'; write a list of names"),
        ("analyses = [1]", "analyses is [1]; write a list of names"),
        ("key_timeout = true", "key_timeout is True; write a number of seconds"),
        ('max_cost = "5"', "max_cost is '5'; write a number of US dollars"),
        ("idle_timeout = []", "idle_timeout is []; write seconds, or a time such as"),
        ("plug_options = 1", "write a table, written below a line such as [plug_options]"),
    ],
)
def test_what_cannot_be_is_refused(invoke, text, answer):
    """From the command line, too: exit code 2."""
    write(text)
    with pytest.raises(ConfigurationError) as error:
        find_run_file()
    assert answer in str(error.value)
    assert invoke("plan").exit_code == 2
    assert answer in invoke("plan").stderr


class Plug:
    def __init__(self, path: Path, more: "list[Path] | None" = None, address: "str | Path" = "x", name: str = ""):
        pass


def test_paths_start_from_the_files_folder():
    """Only options that are paths and nothing else."""
    given = {"path": "d", "more": ["a", "/b"], "address": "c", "name": "n", "unknown": "u"}
    found = anchored(given, options_of(Plug, kind="plug", name="x"), Path("there"))
    assert found == {"path": "there/d", "more": ["there/a", "/b"], "address": "c", "name": "n", "unknown": "u"}


def test_file_in_another_folder_is_seen_from_there(invoke, tmp_path):
    (tmp_path / "there" / "data").mkdir(parents=True)
    (tmp_path / "there" / "data" / "one.csv").write_text("ts,power\n2020-01-01,1\n")
    write('plug = "csv"\noutput = "out"\n[plug_options]\npath = "data"\n', "there/sdt-dask.toml")
    assert invoke("keys", "--config", "there/sdt-dask.toml").stdout == "one\n"
    assert "no ledger in 'there/out'" in invoke("status", "--config", "there/sdt-dask.toml").stderr


def test_options_of_another_plug_are_left_out(invoke, plug_folder):
    """What the file says of the csv plug says nothing of the folder's own."""
    write('plug = "csv"\n[plug_options]\npath = "data"\n')
    assert invoke("keys", "mine", "--limit", "1").stdout == "north\n"


def test_folder_of_the_users_own_in_the_file(invoke, plug_folder):
    write('plug = "mine"\n[plug_options]\ndays = 3\n')
    assert "length: 3.0 days" in invoke("check").stdout
    assert "length: 4.0 days" in invoke("check", "-p", "days=4").stdout


def test_broken_file_does_not_disturb_who_names_the_output(invoke):
    write("plug = ")
    assert "no ledger in 'out'" in invoke("status", "out").stderr
