"""Publishes many small chunks to the database that the environment names; to be killed while it does."""

from __future__ import annotations

import sys

from sdt_dask_core.secret import Secret
from sdt_dask_publisher_sql import SqlPublisher
from sdt_dask_testing.published import publish, results

publisher = SqlPublisher(Secret("env:SQL_TEST_URL"))
sys.stdout.write("ready\n")
sys.stdout.flush()
publish(publisher, "killed", results(n_rows=int(sys.argv[1])))
