"""What a fake virtual machine does when it boots: cloud-init's part by a real shell, the container's by a process."""

from __future__ import annotations

import base64
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sdt_dask_testing.machine import Machine

_HEADER = "#cloud-config\n"
# What the shell finds instead of the real ones: each writes down what it was given.
_NOTE = '#!/bin/sh\nfor part in "$@"; do printf "%s\\0" "$part"; done > "$0.given"\n'


@dataclass
class Booted:
    """What cloud-init did."""

    docker: list[str] | None
    shuts_down: bool
    log: list[str] = field(default_factory=list)


def cloud_init(custom_data: str) -> Booted:
    """Do what cloud-init does with custom data: install packages and run commands in a shell."""
    text = base64.b64decode(custom_data, validate=True).decode("utf-8")
    assert text.startswith(_HEADER), "cloud-init takes it for something else"
    config = yaml.safe_load(text)
    with tempfile.TemporaryDirectory() as folder:
        programs = Path(folder)
        for name in ["shutdown", *(["docker"] if "docker.io" in config.get("packages", ()) else [])]:
            (programs / name).write_text(_NOTE)
            (programs / name).chmod(0o755)
        script = "\n".join(map(_shell_line, config["runcmd"]))
        done = subprocess.run(
            ["sh", "-c", script],
            check=False,
            cwd=folder,
            env={"PATH": f"{folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        given = {name: _given(programs / f"{name}.given") for name in ("docker", "shutdown")}
    return Booted(
        given["docker"], given["shutdown"] is not None, [*done.stdout.splitlines(), *done.stderr.splitlines()]
    )


def _shell_line(command: str | Sequence[str]) -> str:
    # As cloud-init writes them: a list is quoted, a text is taken as it is.
    if isinstance(command, str):
        return command
    return " ".join("'" + part.replace("'", "'\\''") + "'" for part in command)


def _given(file: Path) -> list[str] | None:
    return file.read_bytes().decode().split("\0")[:-1] if file.exists() else None


def container_of(argv: Sequence[str]) -> tuple[dict[str, str], str, list[str]]:
    """Return the environment, the image and the command of ``docker run …``."""
    assert argv[0] == "run", argv
    rest, environment = list(argv[1:]), {}
    while rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "-e":
            name, _, value = rest.pop(0).partition("=")
            environment[name] = value
        else:
            assert option in ("--init", "--net=host"), f"unknown flag: {option}"
    return environment, rest[0], rest[1:]


class Computer:
    """A virtual machine that runs: what it printed on its console, and the process of its container.

    Parameters
    ----------
    custom_data : str
        As the resource manager got it.
    address : str
        Its private address.
    images : mapping
        Virtual environment by the name of the image that it stands for.
    """

    def __init__(
        self, custom_data: str, address: str, images: Mapping[str, Path], *, command: Callable[[list[str]], list[str]]
    ) -> None:
        self.booted = cloud_init(custom_data)
        self.machine: Machine | None = None
        self.environment: dict[str, str] = {}
        self._log = ["cloud-init: running commands", *self.booted.log]
        if self.booted.docker is None:
            return
        self.environment, image, words = container_of(self.booted.docker)
        if image not in images:
            self._log += [f"Unable to find image '{image}' locally", f"docker: pull access denied for {image}"]
            return
        try:
            self.machine = Machine(command(words), image=images[image], environment=self.environment, address=address)
        except FileNotFoundError as error:
            self._log.append(f"docker: {error}")

    @property
    def power(self) -> str:
        """Its power state."""
        ended = self.machine is None or not self.machine.alive
        return "stopped" if ended and self.booted.shuts_down else "running"

    @property
    def log(self) -> str:
        """What stands on its console."""
        lines = [line.text for line in self.machine.lines] if self.machine is not None else []
        return "\n".join([*self._log, *lines])

    def stop(self, grace: float = 0.0) -> None:
        """Take it away."""
        if self.machine is not None:
            self.machine.stop(grace)


def later(seconds: float, work: Callable[[], Any]) -> threading.Thread:
    """Do something after some time, in a thread."""

    def run() -> None:
        time.sleep(seconds)
        work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
