"""The process of the live view: ``python -m sdt_dask_core.live``, told by lines of JSON on standard input.

The first line says in which folder the run is, and where pages of systems may be drawn; the answer is the address, and
nothing else is answered.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from sdt_dask_core.live.fleet import LiveFleet
from sdt_dask_core.live.server import LiveServer

__all__ = ["main"]

_LINGER = 3.0  # s, for a page that is open to ask once more


def main() -> None:
    """Serve until standard input ends, which it does with the driver, whatever becomes of that."""
    folders = json.loads(sys.stdin.readline())
    with LiveFleet(Path(folders["output"]), Path(folders["pages"])) as fleet:
        server = LiveServer(fleet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            fleet.hear(json.loads(line))
        if fleet.has_ended:
            server.last_word.wait(_LINGER)


if __name__ == "__main__":
    main()
