import pytest

from sdt_dask_core.registry import installed_providers

# What a user gets wrong, and a part of what is answered; always exit code 2 and nothing on stdout.
WRONG = [
    ("run", "no data plug was named; give --plug NAME"),
    ("run --plug cvs", "unknown plug 'cvs'; installed: {plugs}; did you mean 'csv'?"),
    ("run --plug csv", "plug 'csv' needs the option 'path'"),
    ("run --plug csv -p pth=data", "plug 'csv' has no option 'pth'; did you mean 'path'?"),
    ("run --plug csv -p path", "-p 'path' is no option; write it as name=value, such as path=data"),
    ("run --plug csv -p path=a -p path=b", "-p gives 'path' twice; give it once, a list as path=a,b"),
    ("run --plug csv -p path=data", "the folder '{here}/data' does not exist"),
    ("run --plug csv -p path=. -p units=KW", "the option 'units' cannot be 'KW'"),
    (
        "run --plug csv -p path=. --analyses qualty",
        "unknown analysis 'qualty'; installed: losses, quality; did you mean",
    ),
    (
        "run --plug csv -p path=. --client locl",
        "unknown client 'locl'; installed: {clients}; did you mean 'local'?",
    ),
    ("run --plug csv -p path=. -c workers=2", "client 'local' has no option 'workers'; did you mean 'n_workers'?"),
    ("run --plug csv -p path=. -c n_workers=two", "the option 'n_workers' cannot be 'two'"),
    ("run --plug csv -p path=. --addon watch", "unknown addon 'watch'; installed: none"),
    ("run --plug csv -p path=. --key-timeout 0", "key_timeout cannot be 0.0"),
    ("run --plug csv -p path=. --max-cost 0", "max_cost cannot be 0.0; give a number above 0"),
    ("run --plug csv -p path=. --max-cost 5", "max_cost cannot be kept: client 'local' cannot tell what its cluster"),
    ("run --plug csv -p path=. --idle-timeout soon", "idle_timeout cannot be 'soon'; give seconds, or a time such as"),
    ("resume --idle-timeout -1", "idle_timeout cannot be "),
    ("run --plug csv -p path=. --manifest no.csv", "the manifest no.csv is not there"),
    ("run --plug csv -p path=. --keys-from no.txt", "--keys-from no.txt cannot be read"),
    ("run --plug csv -p path=. --config no.toml", "the run file no.toml is not there; sdt-dask init writes one"),
    ("run nowhere", "there is no folder 'nowhere'; check the path"),
    ("run csv", "there is no folder 'csv' with a dataplug.py; for that plug: --plug csv"),
    ("run .", "the folder '.' has no dataplug.py"),
    ("run . --plug csv", "for data in that folder: --plug csv -p path=."),
    ("run mine --key [1", "'[1' is not the text of a key"),
    ("run mine -p dyas=3", "has no option 'dyas'; did you mean 'days'?"),
    ("plan mine --keyy a", "No such option"),
    ("resume nothing", "there is no ledger in 'nothing'"),
    ("retry", "there is no ledger in 'results'"),
    ("status", "there is no ledger in 'results': no run has written there"),
    ("errors", "there is no ledger in 'results'"),
    ("export out.csv", "there is no ledger in 'results'"),
    ("export a b c", "export takes OUTPUT and FILE, 3 paths were given"),
    ("export out.csv --what nothing", "'nothing' is not one of"),
    (
        "plugs cvs",
        "nothing named 'cvs' is installed; installed: {providers}; did you mean 'csv'?",
    ),
    ("plugs hdf99", "pip install sdt-dask-plug-hdf99"),
    ("init --plug cvs", "unknown plug 'cvs'"),
]


def names(*kinds):
    """What is installed here, as messages list it."""
    return ", ".join(sorted({provider.name for provider in installed_providers(*kinds)}))


@pytest.mark.parametrize(("words", "answer"), WRONG, ids=[words for words, _ in WRONG])
def test_wrong_input_is_answered_with_what_to_do(invoke, plug_folder, tmp_path, words, answer):
    """One clear message on stderr, exit code 2."""
    result = invoke(*words.split())
    known = {"here": tmp_path, "plugs": names("plug"), "clients": names("client"), "providers": names()}
    for place, text in known.items():
        answer = answer.replace(f"{{{place}}}", str(text))
    assert answer in result.stderr
    assert result.stderr.startswith("error: ")
    assert (result.exit_code, result.stdout) == (2, "")


def test_unexpected_error_says_how_to_see_more(invoke, monkeypatch):
    """Its traceback is shown on demand only."""
    monkeypatch.setattr("sdt_dask_core.registry.installed_providers", lambda *_: 1 / 0)
    result = invoke("plugs")
    assert result.exit_code == 1
    assert (
        result.stderr == "error: unexpected ZeroDivisionError: division by zero; run again with --debug to see where\n"
    )
    assert "Traceback" in invoke("plugs", "--debug").stderr


def test_error_of_ours_shows_no_traceback_unless_asked(invoke):
    assert "Traceback" not in invoke("status").stderr
    assert "Traceback" in invoke("status", "--debug").stderr


def test_ctrl_c_ends_with_130(invoke, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sdt_dask_core.registry.installed_providers", interrupt)
    result = invoke("plugs")
    assert (result.exit_code, result.stderr) == (130, "error: interrupted\n")


def test_reader_that_goes_away_ends_it_quietly(invoke, monkeypatch):
    def gone(*_):
        raise BrokenPipeError

    monkeypatch.setattr("sdt_dask_core.cli.plugs.say_table", lambda *_, **__: gone())
    result = invoke("plugs")
    assert (result.exit_code, result.stderr) == (141, "")


def test_message_cannot_steer_the_terminal(invoke):
    assert "\\x1b[2J" in invoke("status", "\x1b[2J").stderr
    assert "\x1b" not in invoke("status", "\x1b[2J").stderr
