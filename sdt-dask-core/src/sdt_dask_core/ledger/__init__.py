"""The ledger: the durable record of runs and outcomes, one SQLite file in the output folder.

One read-write connection, held by the driver under a file lock; everybody else reads. An outcome is durable the moment
it is recorded: WAL with ``synchronous=FULL`` syncs at each commit. The schema is described in
``docs/reference/ledger.md``.
"""

from sdt_dask_core.ledger.reader import LedgerReader
from sdt_dask_core.ledger.rows import LastOutcome, PlannedTask, RunRow
from sdt_dask_core.ledger.schema import LEDGER_NAME, SCHEMA_VERSION
from sdt_dask_core.ledger.writer import Ledger

__all__ = ["LEDGER_NAME", "SCHEMA_VERSION", "LastOutcome", "Ledger", "LedgerReader", "PlannedTask", "RunRow"]
