"""Tables of PV power: CSV (plain or gzip) and Parquet, wide and long, read into the frame that ``get_data`` returns.

For plugs whose source holds files. What happens to a table, one module each, in order: `source` opens it, `csv_table`
or `parquet_table` shows its columns, `columns` chooses among them, `numbers` and `stamps` read the chosen ones,
`site_time` brings the timestamps to the site's local standard time. `plain` is the short cut for what is plain.
"""

from sdt_dask_core.tables.reading import EXTENSIONS, read_power
from sdt_dask_core.tables.table_format import TableFormat
from sdt_dask_core.tables.table_key import split_key

__all__ = ["EXTENSIONS", "TableFormat", "read_power", "split_key"]
