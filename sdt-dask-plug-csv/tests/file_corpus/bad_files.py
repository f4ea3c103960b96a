"""Files that cannot be read as the system: each with a piece of what is said of it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pyarrow as pa

from .writing import POWER, STAMP, File, after, arrow, as_parquet, grouped, lines, packed, parquet, said, text, written

_OCTETS = np.random.default_rng(3).bytes(4000)
_LATE = 2600
_RECORDS = '{"timestamp": "2020-01-01 00:00", "power": 1.5}'


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("site.csv", text())
    return stream.getvalue()


def _damaged(start: int, stop: int) -> bytes:
    content = bytearray(as_parquet(arrow()))
    content[start:stop] = _OCTETS[: len(content[start:stop])]
    return bytes(content)


def _columns(*columns: str) -> list[str]:
    return [",".join(f"{when:{column}}" for column in columns) + f",{value:g}" for when, value in POWER.items()]


_ENCODINGS = {
    "UTF-16": said(lambda: text().encode("utf-16"), "is UTF-16 text; set encoding=utf-16"),
    "UTF-16 without its mark": said(lambda: text().encode("utf-16-le"), "set encoding=utf-16-le"),
    "UTF-32": said(lambda: text().encode("utf-32"), "is UTF-32 text; set encoding=utf-32"),
    "Latin-1": said(lambda: text(head="Zeit,Wärmeleistung").encode("latin-1"), "is not utf-8 text; set encoding"),
    "Latin-1 far below": said(
        lambda: after(_LATE, "2020-01-01 00:00,früh\n").encode("latin-1"), "is not utf-8 text; set encoding"
    ),
    "a zero byte": said(lambda: after(100, "2020\0-01-01,1\n"), "holds binary data (zero bytes)"),
    "zero bytes after a power cut": said(lambda: text() + "\0" * 4096, "holds binary data (zero bytes)"),
    "random bytes": said(lambda: _OCTETS, "not CSV or Parquet"),
}

_OTHER_FORMATS = {
    "zip": said(_zip, "is a zip archive (an Excel workbook is one too), not CSV or Parquet; unpack it"),
    "an old Excel workbook": said(lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + _OCTETS, "is an old Excel workbook"),
    "bzip2": said(lambda: bz2.compress(text().encode()), "is compressed by bzip2"),
    "xz": said(lambda: lzma.compress(text().encode()), "is compressed by xz"),
    "gzip cut off": said(lambda: packed()[:-2000], "cannot be decompressed", name="site.csv.gz"),
    "gzip with a wrong sum": said(lambda: packed()[:-8] + bytes(8), "cannot be decompressed", name="site.csv.gz"),
    "gzip and something else": said(lambda: packed() + b"and more", "cannot be decompressed", name="site.csv.gz"),
    "gzip in gzip": said(lambda: gzip.compress(packed()), "is compressed twice", name="site.csv.gz"),
    "a page of an error": said(lambda: "<!DOCTYPE html>\n<title>404 Not Found</title>\n", "is an HTML page"),
    "a page with commas": said(
        lambda: '<html>\n<p>Please, log in, then\n<p style="a,b">try again\n', "is an HTML page"
    ),
    "a store's error": said(
        lambda: '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>\n', "is XML (a store's error, perhaps)"
    ),
    "an error in JSON": said(lambda: '{"error": "access denied", "code": 403}', "is JSON, not CSV or Parquet"),
    "records in JSON": said(lambda: f"[{', '.join([_RECORDS] * 40)}]", "is JSON, not CSV or Parquet"),
    "lines of JSON": said(lambda: f"{_RECORDS}\n" * 40, "is JSON, not CSV or Parquet"),
    "a pointer of Git LFS": said(
        lambda: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "run git lfs pull"
    ),
    "PDF": said(lambda: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "is a PDF"),
    "HDF5": said(lambda: b"\x89HDF\r\n\x1a\n" + _OCTETS, "is an HDF5 file"),
}

_SHAPES = {
    "no bytes": said(str, "is empty (0 bytes)"),
    "blank lines": said(lambda: "  \n\n  \n", "holds blank lines only"),
    "a header alone": said(lambda: "timestamp,power\n", "but no rows"),
    "no header": said(
        lambda: "\n".join(lines()), "has no line of column names: its first line holds '2020-03-01 00:00'"
    ),
    "timestamps alone": said(lambda: "\n".join(row.split(",")[0] for row in [text()[:16], *lines()]), "is no table"),
    "a letter": said(lambda: "Dear all,\nhere are the data\nof May, June, and July.\n", "is no table of columns"),
    "a header twice": said(lambda: after(1000, "timestamp,power\n"), "'timestamp' in line 1001 of the column"),
    "lines before the header": said(lambda: "# Logger 3000\n# roof A\n" + text(), "it begins '# Logger 3000'"),
    "Excel's line of the separator": said(lambda: "sep=;\n" + text(lines(separator=";")), "it begins 'sep=;'"),
    "a comment between": said(lambda: after(500, "# restart\n"), "'# restart' in line 501"),
    "a line of units and formats": said(lambda: after(1, "yyyy-mm-dd,kW\n"), "'yyyy-mm-dd' in line 2"),
    "a total at the end": said(lambda: text() + "Total,123456.7\n", "'Total' in line 3842"),
    "cut in a timestamp": said(lambda: text()[:-10], "in line 3841 of the column 'timestamp' cannot be read"),
    "the mark of a merge": said(lambda: after(500, "<<<<<<< HEAD\n"), "'<<<<<<< HEAD' in line 501"),
    "two values too many": said(
        lambda: after(400, "2020-03-05 03:59,1,2,3\n"), "line 401 has more values than the header"
    ),
    "a value too many far below": said(
        lambda: after(_LATE, "2020-03-28 01:44,1,5\n"), f"line {_LATE + 1} has more values than the header"
    ),
    "a quote that is never closed": said(
        lambda: after(_LATE, '"2020-03-28 01:44,1\n'), f"the quote that opens in line {_LATE + 1} is never closed"
    ),
    "a line of ten million letters": said(lambda: "timestamp,power," + "x" * 10_000_000 + "\n1,2,3\n", "is a table"),
    "ten million letters further down": said(
        lambda: after(_LATE, "2020-03-28 01:44," + "1" * 10_000_000 + "\n"), "has a line of more than 1 MiB"
    ),
    "two columns of power": written(
        lambda: [f"{row},{row.split(',')[1]}" for row in lines()],
        "could mean several power columns: it has 'power', 'power.1'",
        head="timestamp,power,power",
    ),
    "two columns of time": written(
        lambda: [f"{row.split(',')[0]},{row}" for row in lines()],
        "has several columns that may be the timestamps: 'timestamp', 'timestamp.1'",
        head="timestamp,timestamp,power",
    ),
    "a column for each hour": said(
        lambda: "date," + ",".join(f"{h:02d}:00" for h in range(24)) + "\n2020-03-01" + ",1" * 24 + "\n",
        "could mean several power columns",
    ),
}

_STAMPS = {
    "day or month first, open": written(
        lambda: lines(stamp="%m/%d/%Y %H:%M")[: 12 * 96], "the order of day and month is open"
    ),
    "day first, then month first": written(
        lambda: lines(stamp="%d/%m/%Y %H:%M")[:2000] + lines(stamp="%m/%d/%Y %H:%M")[2000:],
        "'03/21/2020 20:00' in line 2002",
    ),
    "year first, then day first": written(
        lambda: lines()[:2000] + lines(stamp="%d/%m/%Y %H:%M")[2000:],
        "the timestamps have two forms: '2020-03-01 00:00' in line 2 and '21/03/2020 20:00' in line 2002",
    ),
    "years of two digits": written(lambda: lines(stamp="%d/%m/%y %H:%M"), "the order of day and month is open"),
    "digits only": written(lambda: lines(stamp="%Y%m%d%H%M"), "set date_format, such as '%Y%m%d%H%M'"),
    "days of Excel": written(
        lambda: [f"{(w.value / 86_400e9) + 25_569:.6f},{v:g}" for w, v in POWER.items()], "that are no timestamps"
    ),
    "date and time in two columns": written(
        lambda: _columns("%Y-%m-%d", "%H:%M"), "write date and time into one column", head="date,time,power"
    ),
    "days without a time": written(lambda: lines(stamp="%Y-%m-%d"), "holds days without a time of the day"),
    "times without a day": written(lambda: lines(stamp="%H:%M"), "'00:00' in line 2 of the column 'timestamp'"),
    "a short name of a zone": written(lambda: lines(stamp=f"{STAMP} PST"), "PST' in line 2"),
    "an offset on some rows": written(
        lambda: lines()[:9] + lines(stamp="%Y-%m-%dT%H:%M:%SZ")[9:], "some timestamps carry an offset from UTC"
    ),
    "the 30th of February": said(lambda: after(400, "2020-02-30 10:00,1\n"), "'2020-02-30 10:00' in line 401"),
    "the hour 24": said(lambda: after(97, "2020-03-01 24:00,0\n"), "'2020-03-01 24:00' in line 98"),
    "the clock put forward": written(lines, "dst_nonexistent", tz="America/Los_Angeles"),
}

_NUMBERS = {
    "decimal commas": written(
        lambda: lines(number=lambda x: f"{x:.3f}".replace(".", ","), separator=";"),
        "set decimal=',' for numbers like 1,5",
        head="timestamp;power",
    ),
    "decimal commas between commas": written(
        lambda: lines(number=lambda x: f"{x:.3f}".replace(".", ",")), "a decimal comma looks so too"
    ),
    "decimal commas between commas after a long night": written(
        lambda: [
            *(f"2020-02-29 {h:02d}:{m:02d},0" for h in range(12) for m in range(60)),
            *_columns(STAMP)[:-1],
            "2020-04-09 23:45,1,5",
        ],
        "line 4561 has more values than the header",
    ),
    "commas between thousands": written(
        lambda: [f'{row.split(";")[0]},"{row.split(";")[1]}"' for row in grouped(",")],
        "numbers with a thousands separator, such as '1,",
        units="W",
    ),
    "points between thousands": written(
        lambda: grouped(".", point=","),
        "numbers with a thousands separator",
        head="timestamp;power",
        units="W",
        decimal=",",
    ),
    "spaces between thousands": written(
        lambda: grouped("\u202f"), "numbers with a thousands separator", head="timestamp;power", units="W"
    ),
    "points between thousands of whole watts": written(
        lambda: grouped(".", digits=0), "thousands_suspected", head="timestamp;power", units="W"
    ),
    "units beside the numbers": written(lambda: lines(number="{:g} kW".format), "has no column of numbers"),
    "formulas": written(lambda: lines(number='="{:g}"'.format), "has no column of numbers"),
    "truth values": written(lambda: lines(number=lambda x: str(x > 0)), "has no column of numbers"),
}

_PARQUET = {
    "Parquet cut short": said(lambda: as_parquet(arrow())[:-5000], "cannot be read as Parquet", name="site.parquet"),
    "Parquet without its last bytes": said(lambda: as_parquet(arrow())[:-4], "cannot be read as", name="site.parquet"),
    "Parquet's first bytes alone": said(lambda: b"PAR1", "cannot be read as Parquet", name="site.parquet"),
    "Parquet with damaged pages": said(lambda: _damaged(200, 3000), "cannot be read as", name="site.parquet"),
    "Parquet with a damaged end": said(lambda: _damaged(-600, -50), "cannot be read as", name="site.parquet"),
    "CSV named .parquet": said(text, "is not a Parquet file though its name says so", name="site.parquet"),
    "a page of an error named .parquet": said(lambda: "<html>404</html>", "is an HTML page", name="site.parquet"),
    "Feather named .parquet": said(lambda: b"ARROW1\0\0" + _OCTETS, "is an Arrow or Feather file", name="site.parquet"),
    "Parquet without rows": parquet(lambda: arrow().slice(0, 0), "has columns but no rows"),
    "Parquet of nested power": parquet(
        lambda: arrow(power=pa.array([{"value": value} for value in POWER])), "has no column of numbers"
    ),
    "Parquet of lists": parquet(lambda: arrow(power=pa.array([[value] for value in POWER])), "no column of numbers"),
    "Parquet of truth values": parquet(lambda: arrow(power=pa.array((POWER > 0).to_numpy())), "no column of numbers"),
    "Parquet of nothing but null": parquet(lambda: arrow(power=pa.nulls(len(POWER))), "all_missing"),
    "Parquet of dates": parquet(lambda: arrow(pa.array(POWER.index.date)), "holds days without a time of the day"),
    "Parquet of times": parquet(lambda: arrow(pa.array(POWER.index.time)), "'00:00:00' in line 1 of the column"),
    "Parquet with the year 9999": parquet(
        lambda: arrow(
            pa.array([*POWER.index.as_unit("us")[:-1].to_pydatetime(), np.datetime64("9999-12-31", "us").item()])
        ),
        "holds a timestamp that no data can have",
    ),
    "Parquet with two columns of one name": parquet(
        lambda: pa.Table.from_arrays([*arrow().columns, arrow()["power"]], names=["timestamp", "power", "power"]),
        "has two columns of one name",
    ),
}

BAD_FILES: dict[str, File] = {**_ENCODINGS, **_OTHER_FORMATS, **_SHAPES, **_STAMPS, **_NUMBERS, **_PARQUET}
