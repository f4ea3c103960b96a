"""A driver: what the experiments start as a process of its own, ``python -m sdt_dask_testing.chaos.driver``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(file: str) -> int:
    """Run what a file of JSON asks for: plug, options, keys or manifest, client, output; return its exit code."""
    from sdt_dask_core import SDTDask
    from sdt_dask_testing.chaos.acks import AckAddon
    from sdt_dask_testing.chaos.fleet import EnergyAnalysis, FleetPlug
    from sdt_dask_testing.faulty import FaultyPlug

    asked: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
    tool = SDTDask(
        {"fleet": FleetPlug, "faulty": FaultyPlug}[asked["plug"]],
        plug_options=asked["plug_options"],
        client=asked["client"],
        client_options=asked["client_options"],
        manifest=asked["manifest"],
        key_timeout=asked["key_timeout"],
        analyses=[EnergyAnalysis],
        addons=[AckAddon(asked["acks"])],
        output=asked["output"],
    )
    return tool.execute().exit_code


if __name__ == "__main__":
    from sdt_dask_core.errors import ClusterLostError, RunInterruptedError

    try:
        sys.exit(main(sys.argv[1]))
    except ClusterLostError as error:  # as the command line does
        sys.stderr.write(f"{error}\n")
        sys.exit(3)
    except (RunInterruptedError, KeyboardInterrupt) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(130)
