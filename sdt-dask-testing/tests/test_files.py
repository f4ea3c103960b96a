import numpy as np
import pandas as pd
import pytest

from sdt_dask_core.errors import OptionError
from sdt_dask_testing import synthetic_fleet, synthetic_system, write_fleet


def fleet():
    return synthetic_fleet(3, seed=1, years=0.05, missing_fraction=0.1)


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, index_col="timestamp", parse_dates=True)


def read_long(path):
    table = pd.read_parquet(path).reset_index() if path.suffix == ".parquet" else pd.read_csv(path, parse_dates=["ts"])
    return table.set_index("ts")


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_one_file_a_system_reads_back(tmp_path, file_format):
    """Each system is in a file of its name, values and times intact."""
    paths = write_fleet(tmp_path, fleet(), file_format=file_format)
    assert [path.name for path in paths] == [f"system_0000{i}.{file_format}" for i in range(3)]
    for path, system in zip(paths, fleet(), strict=True):
        pd.testing.assert_frame_equal(read(path), system.frame(), check_freq=False, check_index_type=False)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_wide_reads_back(tmp_path, file_format):
    """One file, one column for each system."""
    (path,) = write_fleet(tmp_path, fleet(), layout="wide", file_format=file_format)
    table = read(path)
    for system in fleet():
        np.testing.assert_array_equal(table[system.spec.system_id], system.power)
        assert (table.index == system.power.index).all()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_long_reads_back(tmp_path, file_format):
    """One file, one row for each time stamp of each system."""
    (path,) = write_fleet(tmp_path, fleet(), layout="long", file_format=file_format)
    table = read_long(path)
    assert set(table.columns) == {"site", "meas_name", "sensor", "meas_val_f"}
    for system in fleet():
        power = table.loc[table["sensor"] == system.spec.system_id, "meas_val_f"]
        np.testing.assert_array_equal(power, system.power)


def test_units_and_clock(tmp_path):
    """Files are in the unit and the clock asked for."""
    system = synthetic_system(seed=1, years=0.05)
    (path,) = write_fleet(tmp_path, [system], units="W", clock="utc")
    frame = read(path)
    assert frame.index[0] == pd.Timestamp("2019-01-01 08:00")
    np.testing.assert_allclose(frame["power"], system.power * 1000)


def test_aware_stamps_carry_their_offset(tmp_path):
    """The text of an aware stamp says its offset from UTC."""
    (path,) = write_fleet(tmp_path, [synthetic_system(seed=1, years=0.01)], clock="aware")
    assert path.read_text().splitlines()[1].startswith("2019-01-01 00:00:00-08:00,")


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_aware_stamps_of_several_zones_share_utc(tmp_path, layout, file_format):
    """Systems of several offsets in one file have their stamps in UTC."""
    systems = [synthetic_system(seed=1, system_id=str(lon), years=0.01, longitude=lon) for lon in (-117.0, -105.0)]
    (path,) = write_fleet(tmp_path, systems, layout=layout, file_format=file_format, clock="aware")
    table = read_long(path) if layout == "long" else read(path)
    assert str(table.index.tz) == "UTC"


def test_truth_stands_beside_the_data(tmp_path):
    """Truth has a row for each system and is not among the data."""
    paths = write_fleet(tmp_path, fleet())
    truth = pd.read_csv(tmp_path / "truth.csv", index_col="system_id")
    assert {path.parent for path in paths} == {tmp_path / "data"}
    for system in fleet():
        row = truth.loc[system.spec.system_id]
        assert row["true_degradation_rate_pct_per_year"] == pytest.approx(system.spec.degradation_pct_per_year)
        assert row["true_energy_kwh"] == pytest.approx(system.truth.energy_kwh)
        assert row["latitude"] == pytest.approx(system.spec.latitude)


@pytest.mark.parametrize("layout", ["files", "wide", "long"])
def test_empty_fleet_is_refused(tmp_path, layout):
    """An empty fleet is an error, not an empty folder that a test reads as success."""
    with pytest.raises(OptionError, match="empty"):
        write_fleet(tmp_path, [], layout=layout)


@pytest.mark.parametrize("option", [{"layout": "tall"}, {"file_format": "xlsx"}])
def test_unknown_option_is_refused(tmp_path, option):
    """An unknown layout or format is an error that names it."""
    with pytest.raises(OptionError, match=next(iter(option.values()))):
        write_fleet(tmp_path, fleet(), **option)
