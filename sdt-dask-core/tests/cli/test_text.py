import json
import sys

import pytest

from sdt_dask_core.cli import text
from sdt_dask_core.cli.tables import say_json, say_table


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\x9b2J", "\\x9b2J"),
        ("\udcff", "\\udcff"),
        ("Südhang 東\tx\n", "Südhang 東\tx\n"),
    ],
)
def test_what_a_terminal_obeys_is_written_out(given, shown):
    assert text.clean(given) == shown


def test_markup_in_a_cell_stays_text(capsys):
    say_table(["key"], [["[red]x[/red]"], [":smile:"], ["\x1b[2J"]])
    assert capsys.readouterr().out == "key\n[red]x[/red]\n:smile:\n\\x1b[2J\n"


def test_table_is_trimmed_to_the_terminal(capsys, monkeypatch):
    """On a terminal no line is longer than it is wide; the column that gives way is folded."""
    monkeypatch.setattr("sdt_dask_core.cli.tables.width", lambda: 40)
    say_table(["key", "why"], [["k", "word " * 30]], wrap="why")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert sum(line.count("word") for line in lines) == 30


def test_json_is_ascii(capsys):
    say_json({"key": "\x9b ü"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"key": "\x9b ü"}


def test_printed_command_is_the_one_that_was_started(monkeypatch, tmp_path):
    """Where the script is not found on the path, its own path is printed."""
    monkeypatch.setattr(sys, "argv", ["/opt/my tools/sdt-dask"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert text.quoted_command("status", "a b") == "'/opt/my tools/sdt-dask' status 'a b'"
    monkeypatch.setattr(sys, "argv", ["/x/pytest"])
    assert text.quoted_command("status").endswith(" -m sdt_dask_core.cli status")
