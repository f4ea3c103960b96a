"""Makes a faithful part of PVDAQ's bucket in a folder: its layouts and traps, and power that is known.

    python pvdaq_tree.py FOLDER

Names of columns, of files and of folders are those of the real bucket; the numbers are made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

BUCKET = "oedi-data-lake"
TABLE_COLUMNS = """
    system_id system_public_name site_location timezone_or_utc_offset latitude longitude elevation_m dc_capacity_kW
    kg_climate pvcz_composite pvcz_t_rack pvcz_t_roof pvcz_humidity pvcz_wind tracking type azimuth tilt first_timestamp
    last_timestamp years number_records dataset_size_mb available_sensor_channels qa_status qa_issue
""".split()  # noqa: SIM905 - as the table's head
SHAPE = np.random.default_rng(7).uniform(0.5, 1.0, 400)


def sunny(index: pd.DatetimeIndex, peak: float, *, night: float = 0.0) -> pd.Series:
    """Return power between 6:00 and 18:00, of another size each day; at night what the inverter draws."""
    hours = index.hour + index.minute / 60 + index.second / 3600
    sun = np.sin(np.pi * (hours - 6) / 12) * SHAPE[index.day_of_year]
    power = np.where(sun > 0, peak * sun, -night)
    return pd.Series(power.round(3), index=index, name="power")


class Tree:
    """The bucket in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root) / BUCKET
        self.rows: list[dict[str, object]] = []

    def put(self, key: str, content: str | bytes) -> Path:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def day_key(self, system: int, day: pd.Timestamp, side: str = "csv") -> str:
        """Folders are not zero-padded, names are."""
        ending = "csv" if side == "csv" else "snappy.000.parquet"
        folder = f"pvdaq/{side}/pvdata/system_id={system}/year={day.year}/month={day.month}/day={day.day}"
        return f"{folder}/system_{system}__date_{day:%Y_%m_%d}.{ending}"

    def daily_csv(self, system: int, table: pd.DataFrame) -> None:
        """Write layout A: a wide file for each day."""
        for day, rows in table.groupby(table.index.normalize(), sort=False):
            text = rows.assign(system_id=system).to_csv(index_label="measured_on", date_format="%Y-%m-%d %H:%M:%S")
            self.put(self.day_key(system, day), text)

    def daily_parquet(
        self, system: int, series: dict[int, pd.Series], utc: Callable[[pd.DatetimeIndex], object]
    ) -> None:
        """Write layout C: a long file for each day."""
        parts = [
            pd.DataFrame(
                {"measured_on": s.index, "utc_measured_on": utc(s.index), "metric_id": metric, "value": s.values}
            )
            for metric, s in series.items()
        ]
        table = pd.concat(parts, ignore_index=True)
        table["metric_id"] = table["metric_id"].astype("int32")
        table["utc_measured_on"] = table["utc_measured_on"].astype("datetime64[ns]")
        table["measured_on"] = table["measured_on"].astype("datetime64[ns]")
        for day, rows in table.groupby(table["measured_on"].dt.normalize()):
            path = self.put(self.day_key(system, day, "parquet"), b"")
            rows.to_parquet(path, index=False, compression="snappy")

    def dictionary(self, system: int, metrics: dict[int, tuple[str, str]]) -> None:
        rows = [
            {"system_id": system, "metric_id": metric, "sensor_name": sensor, "common_name": sensor, "units": units}
            | {"raw_units": units, "calc_scale": 1.0, "calc_offset": 0.0, "aggregation_type": "avg"}
            for metric, (sensor, units) in metrics.items()
        ]  # fmt: skip
        path = self.put(f"pvdaq/parquet/metrics/metrics__system_{system}__part000.parquet", b"")
        pd.DataFrame(rows).to_parquet(path, index=False)

    def system(self, system: int, clock: object, capacity: float, **more: object) -> None:
        """Add a row to the systems table."""
        row = {
            "system_id": system, "system_public_name": f"System {system}", "site_location": "Golden, CO",
            "timezone_or_utc_offset": clock, "latitude": 39.74, "longitude": -105.18, "elevation_m": 1675,
            "dc_capacity_kW": capacity, "tracking": "fixed", "type": "roof", "azimuth": 180.0, "tilt": 25.0,
            "first_timestamp": "1/1/2011 00:00", "last_timestamp": "12/31/2012 23:45", "years": 2.0,
            "number_records": 123456, "qa_status": "pass",
        }  # fmt: skip
        self.rows.append({**row, **more})

    def tables(self) -> None:
        """Write the newest table, with five columns without name or content, and an older one that is wrong."""
        table = pd.DataFrame(self.rows).reindex(columns=TABLE_COLUMNS)
        text = table.assign(**dict.fromkeys("abcde")).to_csv(index=False, header=[*TABLE_COLUMNS, *[""] * 5])
        self.put("pvdaq/csv/systems_20250729.csv", text)
        self.put("pvdaq/csv/systems_20230120.csv", table.assign(dc_capacity_kW=1e6).to_csv(index=False))

    def metadata(self, system: int, mounts: Iterable[tuple[float, float]], zone: str = "") -> None:
        """Write the metadata file, in which every value is a text."""
        content = {
            "System": {"system_id": str(system), "site_id": "1", "power": "1.12", "timezone_code": zone},
            "Site": {"site_id": "1", "latitude": "39.7404", "longitude": "-105.1774", "elevation": "1830"},
            "Mount": {
                f"Mount {n}": {"mount_id": str(n), "tracking": "False", "azimuth": str(azimuth), "tilt": str(tilt)}
                for n, (tilt, azimuth) in enumerate(mounts)
            },
            "Inverters": {"Inverter 0": {"inverter_id": "1", "time_interval": "L"}},
            "Modules": {},
            "Other Instruments": {},
        }  # fmt: skip
        self.put(f"pvdaq/csv/system_metadata/{system}_system_metadata.json", json.dumps(content))


def make_tree(root: Path) -> Tree:
    """Make all of it."""
    tree = Tree(root)
    for part in (_ordinary, _neighbours, _both_sides, _changing, _two_arrays, _wrong_kinds, _zone, _yearly, _prize):
        part(tree)
    tree.tables()
    return tree


def _days(first: str, last: str, freq: str) -> pd.DatetimeIndex:
    return pd.date_range(first, f"{last} 23:59:59", freq=freq)


def _ordinary(tree: Tree) -> None:
    """System 10: a year of 15 minutes."""
    index = _days("2011-01-01", "2011-12-31", "15min")
    power = sunny(index, 1000.0, night=1.5)
    tree.daily_csv(10, pd.DataFrame({"ac_power__423": power, "ambient_temp__428": 12.5, "dc_power__422": power * 1.1}))
    tree.system(10, 7, 1.12, latitude=None)
    tree.metadata(10, [(40.0, 180.0)])


def _neighbours(tree: Tree) -> None:
    """Systems 100 and 1000, whose names begin as that of 10: their power would show."""
    for system in (100, 1000):
        index = _days("2011-06-01", "2011-06-05", "15min")
        tree.daily_csv(system, pd.DataFrame({"ac_power__1": sunny(index, 7e6)}))
        tree.system(system, 7, 8000.0)


def _both_sides(tree: Tree) -> None:
    """System 4: daily CSV and Parquet, a minute; in 2013 a day less of Parquet."""
    for year, last in ((2012, "10"), (2013, "06")):
        index = _days(f"{year}-03-05", f"{year}-03-{last}", "1min")
        power = sunny(index, 900.0, night=2.0)
        tree.daily_csv(4, pd.DataFrame({"ac_current__319": 1.0, "ac_power__315": power, "ambient_temp__320": 3.0}))
        inner = power if year == 2012 else power[power.index < "2013-03-06"]
        irradiance = sunny(inner.index, 800.0)
        tree.daily_parquet(4, {313: irradiance, 315: inner}, lambda i: i + pd.Timedelta(hours=7))
    tree.dictionary(4, {313: ("poa_irradiance", "W/m^2"), 315: ("ac_power", "W"), 320: ("ambient_temp", "C")})
    tree.system(4, 7, 1.0)


def _changing(tree: Tree) -> None:
    """System 1332: 15 s; in 2018 no UTC, and from August on W where it was kW; an inverter that is not always there."""
    for year in (2018, 2021):
        days = [day for month in range(1, 13) for day in (f"{year}-{month:02d}-11", f"{year}-{month:02d}-12")]
        index = pd.DatetimeIndex(np.concatenate([_days(day, day, "15s") for day in days]))
        power = sunny(index, 40.0)
        if year == 2018:
            power = power.where(index < "2018-08-01", power * 1000)
        third = power[index.month != 3] / 3
        tree.daily_parquet(
            1332,
            {11: power, 21: power / 3, 22: power / 3, 23: third},
            (lambda i: pd.NaT) if year == 2018 else (lambda i: i + pd.Timedelta(hours=7)),
        )
    tree.dictionary(
        1332,
        {11: ("ac_power", "kW"), 21: ("inv1_ac_power", "kW"), 22: ("inv2_ac_power", "kW"), 23: ("inv3_ac_power", "kW")},
    )
    tree.system(1332, 7, 60.0)


def _two_arrays(tree: Tree) -> None:
    """System 34: two rows in the table, gaps, a day of -999, negative nights, a copied row; 2011, 2012 and 2014."""
    for year, first, last in ((2011, "02-01", "07-31"), (2012, "02-01", "04-10"), (2014, "02-01", "04-10")):
        index = _days(f"{year}-{first}", f"{year}-{last}", "30min")
        power = sunny(index, 140_000.0, night=30.0)
        power[f"{year}-02-03"] = -999.0
        power[f"{year}-02-04 12:00"] = -7999.0
        power[f"{year}-02-04 12:30"] = -99999.0
        gone = (index.normalize() == f"{year}-03-04") | (index.month == 6)
        table = pd.DataFrame({"ac_power__1": power, "poa_irradiance__2": 1.0})[~gone]
        tree.daily_csv(34, table)
        with (tree.root / tree.day_key(34, pd.Timestamp(year, 4, 1))).open("a") as file:
            file.write(f"{year}-04-01 23:30:00,-30.0,1.0,34\n")
    tree.system(34, 8, 146.64, azimuth=90.0, qa_status="fail", qa_issue="time shift")
    tree.system(34, 8, 146.64, azimuth=270.0)


def _wrong_kinds(tree: Tree) -> None:
    """System 2 has no AC power, 1239 several inverters, 1208 a meter whose name says kW; one file of 1208 is cut."""
    index = _days("2011-05-01", "2011-05-04", "15min")
    power = sunny(index, 2500.0)
    tree.daily_csv(2, pd.DataFrame({"dc_power__346": power, "module_temp_1__349": 20.0, "poa_irradiance__345": 1.0}))
    tree.system(2, "America/Denver", 2.912)
    tree.daily_csv(
        1239, pd.DataFrame({"inv1_ac_power__11": power, "inv2_ac_power__12": power * 2, "inv1_dc_power__13": power})
    )
    tree.system(1239, 7, 20.0)
    meter = sunny(index, 200.0)
    names = ("ac_meter_1_power_kw__1017", "ac_power_metered_1_2__1133", "ac_power_metered_kw__1016", "dc_power__1132")
    tree.daily_csv(1208, pd.DataFrame(dict.fromkeys(names, meter)))
    tree.system(1208, 7, 240.0)
    tree.daily_csv(1283, pd.DataFrame({"ac_power_metered_kW__1040": meter * 1000, "wind_speed__1051": 1.0}))
    tree.system(1283, 7, 408.0)
    damaged = tree.root / tree.day_key(1276, index[0])
    tree.daily_csv(1276, pd.DataFrame({"ac_power__5": power, "dc_power__6": power}))
    damaged.write_text(damaged.read_text()[:-20])
    tree.system(1276, 7, 3.0)


def _zone(tree: Tree) -> None:
    """System 1430: wall-clock time with summer time, written as the clock shows it, the repeated hour twice."""
    utc = pd.date_range("2012-03-08 07:00", "2012-03-15 06:45", freq="15min", tz="UTC").append(
        pd.date_range("2012-11-02 06:00", "2012-11-08 06:45", freq="15min", tz="UTC")
    )
    standard = utc.tz_convert("Etc/GMT+7").tz_localize(None)
    table = pd.DataFrame({"ac_power__1": sunny(standard, 5000.0).to_numpy()}, index=standard)
    table.index = utc.tz_convert("America/Denver").tz_localize(None)
    tree.daily_csv(1430, table)
    tree.system(1430, "America/Denver", 6.0)


def _yearly(tree: Tree) -> None:
    """System 10109 publishes daily aggregates, 10500 five minutes in two files of one year."""
    days = pd.date_range("2016-01-01", "2016-12-31", freq="D")
    prefix = "pvdaq/csv/pvdata/system_id={0}/year={1}/{0}_ac_{2}_{3}_corrected.csv"
    daily = pd.DataFrame(
        {
            "ac_power_inv_1109_daily_max": 4.881,
            "ac_power_inv_1109_daily_mean": 1.08505,
            "ac_energy_inv_1109_daily_sum": 10.578,
        },
        index=days,
    )
    tree.put(prefix.format(10109, 2016, "20160101", "20161231"), daily.to_csv(date_format="%Y-%m-%d"))
    tree.system(10109, "America/New_York", 5.5)
    index = _days("2016-01-01", "2016-12-31", "5min")
    table = pd.DataFrame({"ac_power_inv_2173": sunny(index, 4.8), "dc_voltage_inv_2173": 350.0}, index=index)
    for first, last in (("2016-01-01", "2016-06-30"), ("2016-07-01", "2016-12-31")):
        key = prefix.format(10500, 2016, first.replace("-", ""), last.replace("-", ""))
        tree.put(key, table[first:last].to_csv(date_format="%Y-%m-%d %H:%M:%S"))
    tree.system(10500, 7, 5.5)


def _prize(tree: Tree) -> None:
    """Systems 2107, whose inverters state no unit, and 9068, whose meter moves from file to file."""
    folder = "pvdaq/2023-solar-data-prize/{0}_OEDI/data/"
    index = _days("2023-10-01", "2024-02-29", "15min")
    power = sunny(index, 27.0)
    inverters = {f"inv_{n:02d}_ac_power_inv_{149583 + 5 * (n - 1)}": power * (1 + n / 100) for n in range(1, 25)}
    table = pd.DataFrame(inverters)
    for name, rows in (("", table[:"2023-12-31"]), ("_2024", table["2023-12-20":])):
        text = (rows if not name else rows * 1.01).to_csv(index_label="measured_on")
        tree.put(f"{folder.format(2107)}2107_electrical_data{name}.csv", text)
    weather = pd.DataFrame({"poa_irradiance_o_149574": power})
    tree.put(f"{folder.format(2107)}2107_irradiance_data.csv", weather.to_csv(index_label="measured_on"))
    years = {"first_timestamp": "10/1/2023 00:00", "last_timestamp": "2/29/2024 23:45"}
    tree.system(2107, "PST8PDT", 893.0, latitude=38.996, longitude=-122.134, **years)
    meter = sunny(index, 4000.0)
    columns = {f"inverter_{n}_ac_power_(kw)_inv_{150143 + n}": meter / 2 for n in (1, 2)}
    whole = {"meter_ac_power_(kw)_meter_150150": meter}
    old, new = slice(None, "2023-11-15"), slice("2023-11-16", None)
    for name, parts, rows in (
        ("ac_power_data", {**columns, **whole}, old),
        ("ac_power_data_20231116_20250430", columns, new),
        ("meter_data_20231116_20250430", whole, new),
        ("environment_data", {"weather_station_ambient_temperature_(c)_o_149727": meter}, old),
    ):
        tree.put(f"{folder.format(9068)}9068_{name}.csv", pd.DataFrame(parts)[rows].to_csv(index_label="measured_on"))
    tree.system(9068, 7, 4700.0, tracking="1-axis", **years)


if __name__ == "__main__":
    make_tree(Path(sys.argv[1]))
