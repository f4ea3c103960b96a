"""What a virtual machine does when it boots: install Docker, run the container, shut down when it ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

__all__ = ["SCHEDULER_PORT", "container_command", "custom_data", "scheduler_command", "worker_command"]

#: Where the scheduler listens.
SCHEDULER_PORT = 8786

_LARGEST = 65_535  # bytes of custom data that Azure takes
_DEATH_TIMEOUT = 300  # s that a worker goes on without its scheduler


def scheduler_command(address: str, *, idle_timeout: float) -> list[str]:
    """Return the command of the scheduler.

    Parameters
    ----------
    address : str
        Private address of its machine, the only one on which it listens.
    idle_timeout : float
        After so long without work it ends [s].
    """
    # The dashboard knows no passwords, so nobody but the machine itself reaches it.
    return [
        *("python", "-m", "distributed.cli.dask_scheduler"),
        *("--host", address, "--port", str(SCHEDULER_PORT), "--protocol", "tls"),
        *("--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
        *("--idle-timeout", f"{idle_timeout:g}s"),
    ]


def worker_command(
    scheduler: str, address: str, *, name: str, threads: int | None, memory_limit: str | None
) -> list[str]:
    """Return the command of a worker.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler.
    address : str
        Private address of the worker's machine.
    name : str
        Name of the worker.
    threads : int, optional
        Number of its threads; default the machine's virtual processors.
    memory_limit : str, optional
        Most memory of each computing process; default the machine's memory by the threads.
    """
    options = {
        "name": name,
        "host": address,
        "nthreads": threads,
        "memory_limit": memory_limit,
        "death_timeout": _DEATH_TIMEOUT,
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
    }
    given = {option: value for option, value in options.items() if value is not None}
    spec = json.dumps({"cls": "dask.distributed.Nanny", "opts": given})
    return ["python", "-m", "distributed.cli.dask_spec", scheduler, "--spec", spec]


def container_command(image: str, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the command that runs a command in a container of an image."""
    variables = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    return ["docker", "run", "--init", "--net=host", *variables, image, *command]


def custom_data(command: Sequence[str], *, bootstrap: bool, extra: Sequence[str], auto_shutdown: bool) -> str:
    """Return what cloud-init reads when the machine boots, as base64.

    Parameters
    ----------
    command : sequence of str
        What to run in the end.
    bootstrap : bool
        Whether to install Docker first, from the archive of the distribution.
    extra : sequence of str
        Shell commands before that.
    auto_shutdown : bool
        Whether to shut the machine down when the command ends.

    Raises
    ------
    ValueError
        It is longer than Azure takes.
    """
    config: dict[str, Any] = {"package_update": True, "packages": ["docker.io"]} if bootstrap else {}
    # A list is quoted for the shell by cloud-init, a text is not; that is for the user's own commands.
    shutdown = [["shutdown", "-h", "now"]] if auto_shutdown else []
    config["runcmd"] = [*extra, list(command), *shutdown]
    text = f"#cloud-config\n{yaml.safe_dump(config, sort_keys=False)}".encode()
    if len(text) > _LARGEST:
        raise ValueError(f"a machine's start takes {len(text)} bytes and Azure {_LARGEST} at most")
    return base64.b64encode(text).decode()
