"""Lets every single write, truncation and sync of a run's ledger fail once, or from then on, and goes on afterwards.

Called as ``python -m durability.failing FOLDER``; prints what it saw, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sdt_dask_core.errors import LedgerError

from .power.tracing import Tracing
from .sittings import check_acknowledged, problems_of, write

N_KEYS = 2
#: SQLite's codes for what may happen: a full disk, and errors of the device.
FAILURES = {"disk full": 13, "write error": 10 | (3 << 8), "sync error": 10 | (4 << 8)}


def fail_everywhere(folder: Path, tracing: Tracing, code: int, *, lasting: bool) -> dict[str, Any]:
    """Fail at the first call, heal and go on; in a new folder fail at the second call; and so on to the end."""
    messages: list[str] = []
    problems: list[str] = []
    while True:
        where = folder / str(len(messages))
        said: list[str] = []
        tracing.fail(len(messages), code, lasting=lasting)
        try:
            write(where, N_KEYS, said.append)
        except LedgerError as error:
            messages.append(str(error).replace(str(where), "FOLDER"))
        else:
            # SQLite mends an error of a checkpoint by itself, so the end is where no call was left to fail.
            if not tracing.has_failed:
                return {"messages": sorted(set(messages)), "failures": len(messages), "problems": problems}
            messages.append("none")
        tracing.heal()
        check_acknowledged(where, said)
        write(where, N_KEYS, said.append)
        problems += [f"{problem} after failure {len(messages)}" for problem in problems_of(where, N_KEYS)]


if __name__ == "__main__":
    into, traced = Path(sys.argv[1]), Tracing()
    seen = {
        f"{name}, {'lasting' if lasting else 'once'}": fail_everywhere(
            into / f"{code}-{lasting}", traced, code, lasting=lasting
        )
        for name, code in FAILURES.items()
        for lasting in (True, False)
    }
    print(json.dumps(seen, indent=1))  # noqa: T201
