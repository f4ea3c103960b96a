"""The code blocks of a page of Markdown, run in order, in an empty folder of the page's own.

- ``python`` runs, in one namespace for each page;
- ``console`` runs each line that starts with ``$ `` in bash; a command that fails fails the block, unless the page says
  ``# exit code N`` behind it;
- a block whose first line is a comment with a file name (``# folder/dataplug.py``) is written there, and
  so is a block under ``<!-- file: systems.csv -->``;
- a page that installs something says ``<!-- own environment -->`` before, and its ``console`` blocks then run in one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from own_environment import make_environment
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser
from sybil.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sybil import Document, Example

_FILE = re.compile(r"\A# (\S+\.(?:py|toml|txt|csv))\n")
_NAMED = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_OWN_ENVIRONMENT = re.compile(r"^<!-- own environment -->$", re.MULTILINE)
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)\s*\Z")
_run_python = PythonEvaluator()


__all__ = ["code_blocks", "enter_folder", "leave_folder"]


def _write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def _python(example: Example) -> None:
    named = _FILE.match(example.parsed)
    if named:
        _write(named[1], example.parsed)
    else:
        _run_python(example)


def _toml(example: Example) -> None:
    named = _FILE.match(example.parsed)
    assert named, "a TOML block names its file in its first line"
    _write(named[1], example.parsed)


def _console(example: Example) -> None:
    environment = example.namespace.get("_environment") or {**os.environ, "PATH": _path(Path(sys.executable).parent)}
    for line in example.parsed.splitlines():
        if not line.startswith("$ "):
            continue
        command = _EXIT_CODE.sub("", line[2:])
        wanted = _EXIT_CODE.search(line)
        done = subprocess.run(
            ["bash", "-euc", command], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == (int(wanted[1]) if wanted else 0), f"{command}\n{done.stdout}\n{done.stderr}"


def _path(first: Path) -> str:
    return f"{first}{os.pathsep}{os.environ['PATH']}"


def _own_environments(document: Document) -> Iterable[Region]:
    for match in _OWN_ENVIRONMENT.finditer(document.text):
        yield Region(match.start(), match.end(), None, _enter_environment)


def _enter_environment(example: Example) -> None:
    commands, variables = make_environment(Path.cwd() / ".environment")
    example.namespace["_environment"] = {**os.environ, **variables, "PATH": _path(commands)}


def _named_blocks(document: Document) -> Iterable[Region]:
    for match in _NAMED.finditer(document.text):
        name, text = match.groups()
        yield Region(match.start(), match.start() + 1, (name, text), lambda example: _write(*example.parsed))


def enter_folder(namespace: dict[str, Any]) -> None:
    """Make an empty folder and go there."""
    namespace["_back"] = Path.cwd()
    namespace["_folder"] = tempfile.TemporaryDirectory()
    os.chdir(namespace["_folder"].name)


def leave_folder(namespace: dict[str, Any]) -> None:
    """Go back, and remove the folder."""
    os.chdir(namespace["_back"])
    namespace["_folder"].cleanup()


#: Makes the Sybil of the folder of whoever calls it.
code_blocks = partial(
    Sybil,
    parsers=[
        _named_blocks,
        _own_environments,
        CodeBlockParser(language="python", evaluator=_python),
        CodeBlockParser(language="toml", evaluator=_toml),
        CodeBlockParser(language="console", evaluator=_console),
    ],
    patterns=["*.md"],
    setup=enter_folder,
    teardown=leave_folder,
)
