"""Files that look odd and hold the whole system: each is read right."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from .writing import POWER, STAMP, File, after, arrow, as_parquet, lines, packed, parquet, said, text, written


def _epochs(per_second: int) -> list[str]:
    return [f"{int(when.timestamp()) * per_second},{value:g}" for when, value in POWER.items()]


GOOD_FILES: dict[str, File] = {
    "plain": said(text),
    "a byte order mark": said(lambda: "\ufeff" + text()),
    "UTF-16, said": said(lambda: text().encode("utf-16"), encoding="utf-16"),
    "Latin-1, said": said(lambda: text(head="Zeit,Wärmeleistung").encode("latin-1"), encoding="latin-1"),
    "gzip": said(packed, name="site.csv.gz"),
    "gzip named .csv": said(packed),
    "plain named .csv.gz": said(text, name="site.csv.gz"),
    "CRLF": said(lambda: text(end="\r\n")),
    "CR": said(lambda: text(end="\r")),
    "CRLF at first, then LF": said(lambda: text().replace("\n", "\r\n", 1000)),
    "blank lines between": said(lambda: text().replace("\n", "\n\n")),
    "no end of the last line": said(lambda: text().rstrip("\n")),
    "semicolons": written(lambda: lines(separator=";"), head="timestamp;power"),
    "tabs": written(lambda: lines(separator="\t"), head="timestamp\tpower"),
    "bars": written(lambda: lines(separator="|"), head="timestamp|power"),
    "decimal commas, said": written(
        lambda: lines(number=lambda x: f"{x:.3f}".replace(".", ","), separator=";"), head="timestamp;power", decimal=","
    ),
    "exponents": written(lambda: lines(number="{:.6E}".format)),
    "quotes around everything": written(
        lambda: [f'"{row.replace(",", chr(34) + "," + chr(34))}"' for row in lines()], head='"timestamp","power"'
    ),
    "spaces around everything": written(
        lambda: [f"  {row.replace(',', '  ,  ')}  " for row in lines()], head=" timestamp , power "
    ),
    "separators at the end of rows": written(lambda: [f"{row},,," for row in lines()]),
    "numbers of rows in front": written(
        lambda: [f"{number},{row}" for number, row in enumerate(lines())], head=",timestamp,power"
    ),
    "a line of units": said(lambda: after(1, ",kW\n"), "non_numeric_missing"),
    "a line of totals without a time": said(lambda: text() + ",123456.7\n", "missing_timestamps"),
    "day first": written(lambda: lines(stamp="%d/%m/%Y %H:%M")),
    "month first, with am and pm": written(lambda: lines(stamp="%m/%d/%Y %I:%M:%S %p")),
    "German dates": written(lambda: lines(stamp="%d.%m.%Y %H:%M")),
    "names of months": written(lambda: lines(stamp="%d-%b-%Y %H:%M:%S")),
    "years of two digits, said": written(lambda: lines(stamp="%d/%m/%y %H:%M"), date_format="%d/%m/%y %H:%M"),
    "compact ISO": written(lambda: lines(stamp="%Y%m%dT%H%M%S")),
    "digits only, said": written(lambda: lines(stamp="%Y%m%d%H%M"), date_format="%Y%m%d%H%M"),
    "T in some rows and a space in others": written(lambda: lines()[:2000] + lines(stamp="%Y-%m-%dT%H:%M:%S")[2000:]),
    "seconds since 1970": written(lambda: _epochs(1), "utc_offset_applied"),
    "milliseconds since 1970": written(lambda: _epochs(1000), "utc_offset_applied"),
    "an offset on each row": written(lambda: lines(stamp="%Y-%m-%dT%H:%M:%S-08:00"), "utc_offset_applied"),
    "summer time on the wall, said": written(
        lambda: [
            f"{when:{STAMP}},{value:g}"
            for when, value in POWER.tz_localize("Etc/GMT+8").tz_convert("America/Los_Angeles").items()
        ],
        "utc_offset_applied",
        tz="America/Los_Angeles",
    ),
    "Parquet": parquet(arrow),
    "Parquet of an indexed frame": parquet(lambda: pa.Table.from_pandas(POWER.rename("power").to_frame())),
    "Parquet named .csv": said(lambda: as_parquet(arrow())),
    "Parquet of nanoseconds": parquet(lambda: arrow(pa.array(POWER.index.as_unit("ns")))),
    "Parquet of milliseconds": parquet(lambda: arrow(pa.array(POWER.index.as_unit("ms")))),
    "Parquet of microseconds in UTC": parquet(
        lambda: arrow(pa.array(POWER.index.as_unit("us").tz_localize("UTC"))), "utc_offset_applied"
    ),
    "Parquet of nanoseconds in a zone with summer time": parquet(
        lambda: arrow(pa.array(POWER.index.tz_localize("Etc/GMT+8").tz_convert("America/Los_Angeles").as_unit("ns"))),
        "utc_offset_applied",
    ),
    "Parquet of timestamps as text": parquet(lambda: arrow(pa.array([str(when) for when in POWER.index]))),
    "Parquet of timestamps in a dictionary": parquet(
        lambda: arrow(pa.array(POWER.index.as_unit("us")).dictionary_encode())
    ),
    "Parquet of decimals": parquet(
        lambda: arrow(power=pa.array(POWER.to_numpy()).cast(pa.decimal128(20, 3), safe=False))
    ),
    "Parquet of whole watts": parquet(
        lambda: arrow(power=pa.array((POWER * 1000).round().astype(int).to_numpy())), units="W"
    ),
    "Parquet of a dictionary": parquet(lambda: arrow(power=pa.array(POWER.to_numpy()).dictionary_encode())),
    "Parquet of texts": parquet(lambda: arrow(power=pa.array([f"{value:g}" for value in POWER]))),
}

#: Of every tenth row only the value is missing, whatever stands there.
WORDS_FOR_MISSING = ("", "NaN", "null", "offline", "-", "#DIV/0!", "#N/A", "inf", "---", "bad data")


def with_missing(word: str) -> str:
    """Return the table with a word in place of every tenth value."""
    return text([f"{row.split(',')[0]},{word}" if place % 10 == 0 else row for place, row in enumerate(lines())])


def known_missing() -> pd.Series:
    """Return the power of `with_missing`."""
    power = POWER.copy()
    power.iloc[::10] = float("nan")
    return power
