"""Which column is the power: the one asked for, the whole system's, the only one, never a guess."""

from __future__ import annotations

import pytest
from pvdaq_notes import notes_of

from sdt_dask_core.errors import AmbiguousColumnError, DataFormatError, KeyNotFoundError
from sdt_dask_plug_pvdaq import PvdaqPlug
from sdt_dask_plug_pvdaq.columns import choose, parse_name

METERS = [
    "ac_meter_1_power_kw__1017",
    "ac_power_metered_1_2__1133",
    "ac_power_metered_kw__1016",
    "inv1_ac_power_kw__1019",
]


@pytest.mark.parametrize(
    ("name", "sensor", "number", "unit"),
    [
        ("ac_power__315", "ac_power", "315", None),
        ("ac_power_metered_kW__1040", "ac_power_metered", "1040", "kW"),
        ("inv2_ac_power_w__1047", "inv2_ac_power", "1047", "W"),
        ("ac_power_kw_1137", "ac_power", "1137", "kW"),
        ("inverter_01_ac_power_(kw)_inv_150953", "inverter_01_ac_power", "150953", "kW"),
        ("inv_01_ac_power_inv_149583", "inv_01_ac_power", "149583", None),
        ("meter_revenue_grade_ac_output_meter_149578", "meter_revenue_grade_ac_output", "149578", None),
        ("ac_power_inv_2173", "ac_power", "2173", None),
        ("ac_power_metered_1_2__1133", "ac_power_metered_1_2", "1133", None),
    ],
)
def test_names_say_sensor_number_and_unit(name: str, sensor: str, number: str, unit: str | None):
    channel = parse_name(name)
    assert (channel.sensor, channel.number, channel.unit) == (sensor, number, unit)
    assert channel.is_ac_power


@pytest.mark.parametrize(
    "name", ["dc_power__346", "ac_power_factor__9", "ac_current__319", "ac_power_inv_9_daily_mean", "inv1_ac_energy__3"]
)
def test_other_measurements_are_no_ac_power(name: str):
    assert not parse_name(name).is_ac_power


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (METERS, "ac_power_metered_kw__1016"),
        (["ac_power_metered_kW__1040", "ac_power__1137"], "ac_power__1137"),
        (["inv1_ac_power__3", "metered_ac_power__4"], "metered_ac_power__4"),
        (["inv1_ac_power__3", "dc_power__4"], "inv1_ac_power__3"),
    ],
)
def test_the_whole_system_comes_first_then_the_only_one(names: list[str], chosen: str):
    assert choose(names, None, where="x").name == chosen


def test_several_inverters_are_asked_about(plug: PvdaqPlug):
    with pytest.raises(AmbiguousColumnError) as caught:
        plug.get_data((1239, 2011))
    assert str(caught.value) == (
        "system 1239 in 2011 has 2 columns that could be the power: inv1_ac_power__11, inv2_ac_power__12; name one in "
        "the key, (system_id, year, 'inv1_ac_power__11'), or in the option column"
    )
    assert caught.value.candidates == ["inv1_ac_power__11", "inv2_ac_power__12"]


def test_two_columns_of_one_name_are_asked_about():
    with pytest.raises(AmbiguousColumnError, match="2 columns that could be the power: ac_power__1, ac_power__2;"):
        choose(["ac_power__1", "ac_power__2"], None, where="x")


@pytest.mark.parametrize("asked", ["inv2_ac_power__12", "inv2_ac_power", "12", 12])
def test_a_key_names_a_column_in_full_by_its_sensor_or_by_its_number(plug: PvdaqPlug, asked: str | int):
    frame = plug.get_data((1239, 2011, asked))
    assert "'inv2_ac_power__12'" in notes_of(frame)["pvdaq_column"]


def test_a_system_without_ac_power_says_what_it_has(plug: PvdaqPlug):
    with pytest.raises(DataFormatError) as caught:
        plug.get_data((2, 2011))
    assert str(caught.value) == (
        "system 2 in 2011 has no column of AC power; it has dc_power__346, module_temp_1__349, poa_irradiance__345; to "
        "analyse another one, such as the DC power, name it in the key or in the option column"
    )


def test_the_dc_power_is_read_where_it_is_asked_for(plug: PvdaqPlug):
    assert plug.get_data((2, 2011, "dc_power"))["power"].max() > 2000


def test_a_column_that_is_not_there_is_not_found(plug: PvdaqPlug):
    with pytest.raises(KeyNotFoundError, match="system 1239 in 2011 has no column 'inv3'; it has inv1_ac_power__11"):
        plug.get_data((1239, 2011, "inv3"))


def test_the_key_wins_over_the_option(url: str, new_plug: object):
    plug = new_plug(endpoint_url=url, column="inv1_ac_power")  # type: ignore[operator]
    assert "inv1" in notes_of(plug.get_data((1239, 2011)))["pvdaq_column"]
    assert "inv2" in notes_of(plug.get_data((1239, 2011, 12)))["pvdaq_column"]


def test_days_without_the_column_are_gaps_and_counted(plug: PvdaqPlug):
    frame = plug.get_data((1332, 2021, "inv3_ac_power"))
    assert notes_of(frame)["pvdaq_column_missing"] == "2 of 24 files have no column 'inv3_ac_power__23'; they are gaps"
    assert 3 not in set(frame.index.month)


@pytest.mark.parametrize(
    "key",
    [
        (34,),
        ("a", 2011),
        (34, "x"),
        (34, []),
        (34, 20111),
        (34, 2011, ["a"]),
        (True, 2011),
        (-1, 2011),
        (34, 2011, 1, 2),
    ],
)
def test_what_is_no_key_says_what_is(plug: PvdaqPlug, key: tuple[object, ...]):
    with pytest.raises(KeyNotFoundError, match=r"it must be \(system_id, year\), .* such as \(34, 2011\)"):
        plug.get_data(key)  # type: ignore[arg-type]


def test_numbers_may_be_text_as_manifests_give_them(plug: PvdaqPlug):
    assert len(plug.get_data(("1208", "2011"))) == 384
