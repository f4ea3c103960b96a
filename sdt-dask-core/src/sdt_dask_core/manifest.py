"""Manifests: a CSV or Parquet table with one row per system, its key, its options and its metadata."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdt_dask_core.errors import ManifestError
from sdt_dask_core.keys import as_key, key_from_user_text
from sdt_dask_core.options import OptionSet, did_you_mean
from sdt_dask_core.oversize import parquet_size, size_text
from sdt_dask_core.plan import SystemRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METADATA", "read_manifest"]

#: Metadata that a manifest may give; capacity [kW], angles [°].
METADATA = ("latitude", "longitude", "time_zone", "capacity_kw", "tilt", "azimuth", "name")

_KEY = "key"
#: A hundred thousand systems with all their metadata take a fifth of that [bytes].
_MAX_BYTES = 64 * 1024**2


def read_manifest(
    path: Path | str,
    option_set: OptionSet,
    *,
    call_options: Mapping[str, Any],
    run_options: Mapping[str, Any],
) -> list[SystemRow]:
    """Read a manifest.

    The column ``key`` holds a key, as plain text or as a JSON array such as ``["file", "sensor"]``. A column named
    after an option of the plug sets it for that system; ``latitude``, ``longitude``, ``time_zone``, ``capacity_kw``,
    ``tilt``, ``azimuth`` and ``name`` are metadata. An empty cell says nothing.

    Parameters
    ----------
    path : path
        A ``.csv`` or ``.parquet`` file.
    option_set : OptionSet
        The plug's options.
    call_options : mapping
        The plug's options of the call or command line; they are more specific than a row and win over it.
    run_options : mapping
        The plug's options for the whole run, from wherever they come; they fill what a row leaves open.

    Raises
    ------
    ManifestError
        It cannot be read, has no column ``key``, an unknown column, an empty key, or a key twice.
    OptionError
        A cell has a value that its option cannot take.
    """
    table = _read(Path(path))
    columns = [str(column) for column in table.columns]
    _check_columns(path, columns, option_set.options)
    rows: list[SystemRow] = []
    seen: dict[str, int] = {}
    for number, record in enumerate(table.to_dict(orient="records"), start=2):
        cells = {str(name): _cell(value) for name, value in record.items()}
        given = {name: value for name, value in cells.items() if value is not None}
        rows.append(_row(path, number, given, option_set, (call_options, run_options)))
        first = seen.setdefault(rows[-1].text, number)
        if first != number:
            raise ManifestError(f"{path}, rows {first} and {number}: the key {rows[-1].key!r} stands twice; drop one")
    if not rows:
        raise ManifestError(f"{path} holds no system; write one row per system below the header")
    return rows


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        _refuse_large(path)
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        # Nothing is unpacked, whatever the name ends in.
        return pd.read_csv(path, dtype=str, keep_default_na=False, compression=None)
    except ManifestError:
        raise
    except FileNotFoundError:
        raise ManifestError(f"the manifest {path} is not there; check the path") from None
    except Exception as error:  # pandas and pyarrow raise many kinds
        raise ManifestError(f"the manifest {path} cannot be read as a table: {error}") from error


def _refuse_large(path: Path) -> None:
    size = path.stat().st_size
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        size = max(size, parquet_size(pq.read_metadata(path)))
    if size > _MAX_BYTES:
        raise ManifestError(
            f"the manifest {path} has {size_text(size)}, more than the {size_text(_MAX_BYTES)} that are read of one; "
            "split it, and run each part with an output of its own"
        )


def _check_columns(path: Path | str, columns: list[str], options: Collection[str]) -> None:
    if _KEY not in columns:
        raise ManifestError(f"{path} has no column 'key'; its columns: {', '.join(columns)}")
    known = (_KEY, *METADATA, *options)
    for column in columns:
        if column not in known:
            raise ManifestError(
                f"{path} has a column {column!r} that is neither metadata nor an option of the plug"
                f"{did_you_mean(column, known)}; known: {', '.join(known)}"
            )


def _cell(value: Any) -> Any:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _row(
    path: Path | str,
    number: int,
    given: dict[str, Any],
    option_set: OptionSet,
    around: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> SystemRow:
    if _KEY not in given:
        raise ManifestError(f"{path}, row {number}: the key is empty")
    call_options, run_options = around
    own = {name: value for name, value in given.items() if name in option_set.options and name not in METADATA}
    resolved = option_set.resolve(call_options, own, run_options, environment={}) if own else {}
    key = given[_KEY]
    return SystemRow(
        key=key_from_user_text(key) if isinstance(key, str) else as_key(key),
        options={name: resolved[name] for name in own if name not in call_options},
        metadata=dict(_metadata(path, number, given)),
    )


def _metadata(path: Path | str, number: int, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in METADATA:
        if name not in given:
            continue
        if name in ("time_zone", "name"):
            yield name, str(given[name])
            continue
        try:
            yield name, float(given[name])
        except (TypeError, ValueError):
            raise ManifestError(f"{path}, row {number}: {name} is {given[name]!r}; write a number") from None
