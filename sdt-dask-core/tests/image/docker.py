"""Docker without Docker: the instructions of a Dockerfile, carried out by a shell on a virtual environment.

The folders of an image are folders below one that stands for its root; its programs are those of the environment.
An instruction, option or mount that is not known here is a failure, so that a typo is one.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import uv

_MOUNT = re.compile(r"--mount=(\S+) ")
_USERADD = '#!/bin/sh\nfor name do :; done\necho "$name" >> "$(dirname "$0")/users"\n'


@dataclass
class Built:
    """What came of a Dockerfile."""

    base: str = ""
    environment: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    user: str = "root"
    command: list = field(default_factory=list)
    said: str = ""


class Engine:
    """Builds one context into one folder."""

    def __init__(self, context: Path, root: Path) -> None:
        self._context = context
        self._root = root
        self._built = Built()
        self._arguments: dict[str, str] = {}
        self.programs = root / "venv" / "bin"
        subprocess.run(
            [uv.find_uv_bin(), "venv", "-q", "--no-config", "--python", sys.executable, root / "venv"], check=True
        )
        # The pip of here, in the place of the image's own.
        pip = shlex.join([sys.executable, "-m", "pip", "--python", str(self.programs / "python")])
        self._write("pip", f'#!/bin/sh\nexec {pip} "$@"\n')
        self._write("useradd", _USERADD)

    def _write(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def build(self) -> Built:
        """Carry out every instruction."""
        text = (self._context / "Dockerfile").read_text()
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        for instruction in "\n".join(lines).replace("\\\n", " ").splitlines():
            word, _, rest = instruction.partition(" ")
            getattr(self, f"_{word.lower()}")(rest.strip())
        return self._built

    def _arg(self, rest: str) -> None:
        name, _, value = rest.partition("=")
        self._arguments[name] = value

    def _from(self, rest: str) -> None:
        self._built.base = re.sub(r"\$\{(\w+)\}", lambda found: self._arguments[found[1]], rest)

    def _env(self, rest: str) -> None:
        self._built.environment.update(pair.split("=") for pair in shlex.split(rest))

    def _label(self, rest: str) -> None:
        self._built.labels.update(pair.split("=", 1) for pair in shlex.split(rest))

    def _user(self, rest: str) -> None:
        assert rest in (self.programs / "users").read_text().split()
        self._built.user = rest

    def _workdir(self, rest: str) -> None:
        self._here(rest).mkdir(parents=True, exist_ok=True)

    def _cmd(self, rest: str) -> None:
        self._built.command = eval(rest)

    def _copy(self, rest: str) -> None:
        source, target = rest.removeprefix("--chmod=755 ").split()
        assert f"!{source.rstrip('/')}" in (self._context / ".dockerignore").read_text().splitlines()
        if source.endswith("/"):
            shutil.copytree(self._context / source, self._here(target), dirs_exist_ok=True)
        else:
            self._here(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._context / source, self._here(target))

    def _run(self, rest: str) -> None:
        mounts = [dict(part.split("=") for part in mount.split(",")) for mount in _MOUNT.findall(f"{rest} ")]
        command = _MOUNT.sub("", rest).strip()
        assert not command.startswith("--")
        for mount in mounts:
            if mount == {"type": "bind", "target": "/context"}:
                command = command.replace("/context", str(self._context))
            else:
                assert mount == {"type": "secret", "id": "pip.conf", "target": "/etc/pip.conf"}
        command = command.replace("/opt/sdt-dask", str(self._here("/opt/sdt-dask")))
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=self._variables()
        )
        self._built.said += done.stdout
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}\n{done.stderr}"

    def _variables(self) -> dict[str, str]:
        """Return what an image would have, and where pip looks here."""
        found = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "XDG_"))}
        path = os.pathsep.join([str(self.programs), "/usr/bin", "/bin"])
        # pip's configuration of this machine is in the user's folder, perhaps.
        found["PIP_NO_COMPILE"] = "1"  # most of the time that it takes
        return {**found, **self._built.environment, "PATH": path, "HOME": os.environ.get("HOME", "/")}

    def _here(self, path: str) -> Path:
        return self.programs if path == "/usr/local/bin/" else self._root / path.lstrip("/")
