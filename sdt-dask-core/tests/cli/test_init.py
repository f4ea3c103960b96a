from pathlib import Path

from sdt_dask_core.run_file import read_run_file

FILE = Path("sdt-dask.toml")


def test_file_is_one_that_can_be_read(invoke):
    assert invoke("init").exit_code == 0
    assert read_run_file(FILE).plug is None


def test_plug_is_written_with_its_options_as_comments(invoke):
    invoke("init", "--plug", "csv")
    text = FILE.read_text(encoding="utf-8")
    assert "# Unit of the power in the files.\n# ('W' | 'kW' | 'MW'; default below)\n# units = \"kW\"\n" in text
    assert "# n_workers = 0\n" in text
    assert (read_run_file(FILE).plug, read_run_file(FILE).plug_options) == ("csv", {})


def test_every_comment_that_is_a_setting_is_toml(invoke):
    """Whoever removes the sign has a file that can be read."""
    invoke("init", "--plug", "csv")
    lines = FILE.read_text(encoding="utf-8").splitlines()
    settings = [line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in lines]
    FILE.write_text("\n".join(settings), encoding="utf-8")
    file = read_run_file(FILE)
    assert file.analyses == ["quality", "losses"]
    assert set(file.plug_options) >= {"path", "units", "utc_offset", "power_columns"}


def test_a_file_that_is_there_stays(invoke):
    FILE.write_text("# mine")
    result = invoke("init")
    assert (result.exit_code, FILE.read_text()) == (2, "# mine")
    assert "is there already; --force overwrites it" in result.stderr
    assert invoke("init", "--force").exit_code == 0
    assert FILE.read_text() != "# mine"
