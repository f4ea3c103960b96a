"""Folders of CSV or Parquet files with synthetic systems, for tests and demos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sdt_dask_core.errors import OptionError

if TYPE_CHECKING:
    from sdt_dask_testing.synthetic import Clock, SyntheticSystem, Units

__all__ = ["FileFormat", "Layout", "write_fleet"]

Layout = Literal["files", "wide", "long"]
FileFormat = Literal["csv", "parquet"]


def write_fleet(
    folder: str | Path,
    fleet: Iterable[SyntheticSystem],
    *,
    layout: Layout = "files",
    file_format: FileFormat = "csv",
    units: Units = "kW",
    clock: Clock = "local",
) -> list[Path]:
    """Write a fleet into ``folder/data`` and what is known of it into ``folder/truth.csv``.

    The truth stands beside the data, not among them, so that a plug that reads ``folder/data`` finds systems only.
    The truth has one row a system: ``system_id``, the fields of its `SystemSpec` and those of its `SystemTruth`, these
    with ``true_`` before their names. Energies there are in kWh whatever `units` says.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there; files of the same names are overwritten.
    fleet : iterable of SyntheticSystem
        Consumed once. One system at a time is held in memory in the layout "files", all of them in the others.
    layout : {"files", "wide", "long"}
        One file a system with the columns ``timestamp`` and ``power``; one file ``fleet`` with a column for each
        system; one file ``fleet`` with the columns ``site``, ``meas_name``, ``ts``, ``sensor`` (the system) and
        ``meas_val_f``, as Solar Data Tools' own example files have them.
    file_format : {"csv", "parquet"}
        Parquet needs pyarrow.
    units : {"W", "kW", "MW"}
        Unit of the power.
    clock : {"local", "utc", "aware"}
        See `SyntheticSystem.frame`; aware stamps of several systems in one file are in UTC.

    Returns
    -------
    list of Path
        The files of data, without the truth.

    Raises
    ------
    OptionError
        The fleet is empty, or `layout` or `file_format` is unknown.
    """
    if layout not in ("files", "wide", "long"):
        raise OptionError(f"layout={layout!r} is unknown; use 'files', 'wide' or 'long'", option="layout")
    if file_format not in ("csv", "parquet"):
        raise OptionError(f"file_format={file_format!r} is unknown; use 'csv' or 'parquet'", option="file_format")
    data = Path(folder) / "data"
    data.mkdir(parents=True, exist_ok=True)
    truth: list[dict[str, Any]] = []
    frames = _frames(fleet, truth, units=units, clock=clock)
    if layout == "files":
        paths = [_write(frame, data / name, file_format) for name, frame in frames]
    else:
        paths = _write_one(dict(frames), data / "fleet", layout, file_format)
    if not truth:
        raise OptionError("the fleet is empty, so nothing was written; give at least one system", option="fleet")
    pd.DataFrame(truth).to_csv(Path(folder) / "truth.csv", index=False)
    return paths


def _frames(
    fleet: Iterable[SyntheticSystem], truth: list[dict[str, Any]], *, units: Units, clock: Clock
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the frame of each system, and note its truth."""
    for system in fleet:
        truth.append(_truth_row(system))
        yield system.spec.system_id, system.frame(units=units, clock=clock)


def _truth_row(system: SyntheticSystem) -> dict[str, Any]:
    spec = asdict(system.spec)
    row = {"system_id": spec.pop("system_id"), **spec}
    row |= {f"true_{name}": value for name, value in asdict(system.truth).items()}
    return {name: ";".join(map(str, value)) if isinstance(value, tuple) else value for name, value in row.items()}


def _write_one(frames: dict[str, pd.DataFrame], path: Path, layout: Layout, file_format: FileFormat) -> list[Path]:
    if not frames:
        return []
    if any(pd.DatetimeIndex(frame.index).tz for frame in frames.values()):
        # Sites differ in their offset; one index has one.
        frames = {name: frame.tz_convert("UTC") for name, frame in frames.items()}
    if layout == "wide":
        table = pd.concat({name: frame["power"] for name, frame in frames.items()}, axis=1, sort=True)
        return [_write(table, path, file_format)]
    table = pd.concat(frames, names=["sensor", "ts"]).reset_index().rename(columns={"power": "meas_val_f"})
    table = table.assign(site="fleet", meas_name="ac_power")[["site", "meas_name", "ts", "sensor", "meas_val_f"]]
    return [_write(table.set_index("site"), path, file_format, index_label="site")]


def _write(frame: pd.DataFrame, path: Path, file_format: FileFormat, index_label: str = "timestamp") -> Path:
    # Not with_suffix: a name may hold a dot.
    target = path.with_name(f"{path.name}.{file_format}")
    if file_format == "csv":
        frame.to_csv(target, index_label=index_label)
    else:
        frame.to_parquet(target)
    return target
