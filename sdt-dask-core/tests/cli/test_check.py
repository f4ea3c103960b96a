import json
from pathlib import Path

SAYING = """def get_data(self, keys):
        frame = self._read(keys)
        frame.attrs.update({attrs!r})
        return frame

    def _read(self, keys):"""


def test_first_system_is_looked_at(invoke, plug_folder):
    result = invoke("check", "mine")
    assert result.exit_code == 0
    assert "plug: DayPlug (yours, " in result.stdout
    assert "access: ok\nkey: north\n" in result.stdout
    assert "data: 480 rows, 2020-06-01T00:00:00 to 2020-06-05T23:45:00" in result.stdout
    assert "sampling: 15 min, 0.0 % missing\nunits: kW\n" in result.stdout
    assert "this system would be analysed" in result.stdout
    assert not Path("results").exists()


def test_data_that_no_analysis_can_use_end_with_1(invoke, plug_folder):
    result = invoke("check", "mine", "-p", "days=2")
    assert result.exit_code == 1
    assert "(too_short)" in result.stdout


def test_named_key_is_looked_at(invoke, plug_folder):
    result = invoke("check", "mine", "--key", "bad one")
    assert result.exit_code == 1
    assert "key: bad one\nfails: ValueError: broken [bold]\\x1b[31m (exception)\n" in result.stdout


def test_no_access_ends_with_2(invoke):
    result = invoke("check", "--plug", "csv", "-p", "path=nowhere")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: the folder '")


def test_finding_is_shown(invoke, plug_folder):
    """The unit is no unit of power."""
    result = invoke("check", "mine", "-p", "units=kWh")
    assert result.exit_code == 1
    assert "(unknown_units)" in result.stdout


def let_frame_say(plug_folder, **attrs):
    file = plug_folder / "dataplug.py"
    file.write_text(file.read_text().replace("def get_data(self, keys):", SAYING.format(attrs=attrs)))


def test_unit_that_the_frame_says_is_shown(invoke, plug_folder):
    """It overrides that of the plug, kW."""
    let_frame_say(plug_folder, units="MW")
    assert "\nunits: MW\n" in invoke("check", "mine").stdout


def test_doubt_of_the_plug_is_a_caution(invoke, plug_folder):
    let_frame_say(plug_folder, notes=[{"message": "the clock is unsure", "repaired": False}])
    assert "\ncaution: the clock is unsure (plug_note)\n" in invoke("check", "mine").stdout


def test_unmet_requirement_is_named(invoke, plug_folder):
    (plug_folder / "requirements.txt").write_text("click>=99\n")
    result = invoke("check", "mine")
    assert result.exit_code == 2
    assert "it needs click>=99, but click " in result.stderr


def test_keys_can_be_read_back(invoke, plug_folder):
    """What a terminal would obey is written as JSON, which --keys-from reads."""
    listed = invoke("keys", "mine")
    assert listed.stdout == 'north\nsouth\n["bad \\u001b[2J[red]"]\n'
    Path("keys.txt").write_text(listed.stdout + "\n")
    assert invoke("keys", "mine", "--keys-from", "keys.txt").stdout == listed.stdout
    assert invoke("keys", "mine", "--limit", "1").stdout == "north\n"


def test_file_without_a_key_is_refused(invoke, plug_folder):
    Path("keys.txt").write_text("\n \n")
    assert "holds no key; write one key a line" in invoke("keys", "mine", "--keys-from", "keys.txt").stderr


def test_what_the_plug_prints_is_no_part_of_the_answer(invoke, plug_folder):
    file = plug_folder / "dataplug.py"
    file.write_text(file.read_text().replace("return [(", "print('hello')\n        return [("))
    assert json.loads(invoke("plan", "mine", "--json").stdout)["total"] == 3
    assert "hello" not in invoke("keys", "mine").stdout
    assert "hello" in invoke("keys", "mine").stderr
