"""Set up and run everything in this repository, with nothing installed but Python and git.

    python3 dev.py demo [ARGUMENT ...]                       run `sdt-dask demo`, in an environment made for it
    python3 dev.py test [ENVIRONMENT ...] [-- ARGUMENT ...]  run all of tox, or only these; arguments go to pytest

What it installs stands in `.dev/` and `.tox/`, and is kept for the next time; delete both to start afresh.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent
DEV = ROOT / ".dev"
TOOLS = DEV / "tools"
RESULT = DEV / "tox-result.json"
TOOLS_STAMP = TOOLS / "made-by"
TOOLS_NEEDED = ["uv>=0.8", "tox>=4.21", "tox-uv>=1.26"]
BIN = "Scripts" if os.name == "nt" else "bin"
# uv does not read pip's configuration: these settings of it are handed over at run time.
UV_FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    if sys.version_info < (3, 10):  # noqa: UP036 - whoever has an older Python should read this, not a traceback
        return _fail(f"Python 3.10 or newer is needed and this is {sys.version.split()[0]}: run it with a newer one")
    commands = {"demo": _demo, "test": _test}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        return 130


def _demo(arguments: list[str]) -> int:
    """Install every distribution in `.dev/demo` and run the demo there."""
    _make_tools()
    demo = DEV / "demo"
    environment = _environment()
    distributions = sorted(str(folder.parent) for folder in ROOT.glob("sdt-dask-*/pyproject.toml"))
    uv = str(TOOLS / BIN / "uv")
    make = [uv, "venv", "--quiet", "--allow-existing", f"--python={TOOLS / BIN / 'python'}", str(demo)]
    # --reinstall-package: uv would otherwise keep the wheel of sources that have changed since.
    fresh = [f"--reinstall-package={Path(folder).name}" for folder in distributions]
    install = [uv, "pip", "install", "--quiet", "--exact", f"--python={demo}", *fresh, *distributions]
    print("dev.py: installing the distributions in .dev/demo", flush=True)
    for command in (make, install):
        if subprocess.run(command, env=environment, check=False).returncode:
            return _fail("could not make the environment of the demo; uv says above why")
    sdt_dask = demo / BIN / "sdt-dask"
    code = subprocess.run([sdt_dask, "demo", *arguments], env=environment, check=False).returncode
    print(f"\nTo go on with your own data: {os.path.relpath(sdt_dask)} --help")
    return code


def _test(arguments: list[str]) -> int:
    """Run tox, then say what ran, on which Python, and how long it took."""
    _make_tools()
    split = arguments.index("--") if "--" in arguments else len(arguments)
    names = [argument for argument in arguments[:split] if not argument.startswith("-")]
    options = [argument for argument in arguments[:split] if argument.startswith("-")]
    # The other environments run on this Python, so the one that is named after it would only repeat them.
    own = f"py{sys.version_info.major}{sys.version_info.minor}"
    chosen = ["-e", ",".join(names)] if names else ["--skip-env", f"^{own}$"]
    RESULT.unlink(missing_ok=True)
    # As many at once as there are cores: most of an environment's time is waiting for processes that start.
    at_once = ["run"] if len(names) == 1 else ["run-parallel", "--parallel=auto", "--parallel-no-spinner"]
    chosen += [f"--result-json={RESULT}", *options, *arguments[split:]]
    tox: list[str | Path] = [TOOLS / BIN / "tox", *at_once, *chosen]
    code = subprocess.run(tox, cwd=ROOT, env=_environment(), check=False).returncode
    missing = _report()
    if not names:
        print(f"Left out {own}: the environments without a version in their name run on the same Python.")
    if missing and not code:
        return _fail(f"{', '.join(missing)} did not run, for want of an environment; uv says above why")
    return code


def _report() -> list[str]:
    """Print a line for each environment, and return those that should have run and did not."""
    if not RESULT.is_file():
        return []
    environments = json.loads(RESULT.read_text(encoding="utf-8")).get("testenvs", {})
    ran: set[str] = set()
    skipped: set[str] = set()
    missing = []
    print(f"\n{'environment':<12} {'Python':<8} {'result':<8} seconds")
    for name, environment in environments.items():
        if "result" not in environment:  # tox lists those that were not asked for too
            continue
        python = ".".join(map(str, environment["python"]["version_info"][:2]))
        result = environment["result"]
        word = "skipped" if result.get("skipped") else "ok" if result["success"] else "FAILED"
        (skipped if word == "skipped" else ran).add(python)
        if word == "skipped" and not name.startswith("py3"):
            missing.append(name)
        print(f"{name:<12} {python:<8} {word:<8} {result['duration']:7.1f}")
    print(f"Ran on Python {_listed(ran)}; skipped, because not found here: {_listed(skipped)}.")
    return missing


def _listed(versions: set[str]) -> str:
    return ", ".join(sorted(versions, key=lambda version: [int(part) for part in version.split(".")])) or "none"


def _make_tools() -> None:
    """Install uv and tox in `.dev/tools`, unless this script did so before with this Python."""
    script = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    made_by = "\n".join([sys.version, sys.base_prefix, str(ROOT), script])
    if TOOLS_STAMP.is_file() and TOOLS_STAMP.read_text() == made_by:
        return
    print("dev.py: installing uv and tox in .dev/tools", flush=True)
    if not any(way() for way in (_tools_by_venv, _tools_by_pip, _tools_by_uv)):
        raise SystemExit(
            _fail(
                "this Python could make no environment: install the package python3-venv (on Debian and Ubuntu) or uv, "
                "see that the package index can be reached, and run this again"
            )
        )
    TOOLS_STAMP.write_text(made_by)


def _tools_by_venv() -> bool:
    shutil.rmtree(TOOLS, ignore_errors=True)
    if not _quietly([sys.executable, "-m", "venv", TOOLS]):  # on Debian it needs the package python3-venv
        return False
    pip = [str(TOOLS / BIN / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *TOOLS_NEEDED]
    if subprocess.run(pip, check=False).returncode:
        raise SystemExit(_fail("pip could not install uv and tox, and says above why: is the package index reachable?"))
    return True


def _tools_by_pip() -> bool:
    # An externally managed Python (PEP 668) refuses `pip install`, but not into a folder of its own.
    lib = DEV / "tools-lib"
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--upgrade", "--target", str(lib), TOOLS_NEEDED[0]]
    return _quietly(pip) and _tools_by_uv(str(lib / "bin" / "uv"))


def _tools_by_uv(uv: str = "uv") -> bool:
    shutil.rmtree(TOOLS, ignore_errors=True)
    return _quietly([uv, "venv", f"--python={sys.executable}", TOOLS]) and _quietly(
        [uv, "pip", "install", f"--python={TOOLS}", *TOOLS_NEEDED]
    )


def _environment() -> dict[str, str]:
    """Return the environment variables of what is started here."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    for name, value in _pip_settings().items():
        environment.setdefault(name, value)
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # pyenv's shims fail for each Python that is not enabled, so the Pythons themselves stand in for them.
    path = environment.get("PATH", os.defpath).split(os.pathsep)
    path = [folder for folder in path if Path(folder) != pyenv / "shims"]
    pythons = sorted(map(str, pyenv.glob("versions/3.1[0-3].*/bin")))
    return environment | {
        "PATH": os.pathsep.join([*path, *pythons]),
        "UV_OVERRIDE": str(ROOT / "uv-overrides.txt"),
        "UV_COMPILE_BYTECODE": "1",  # or the first import of everything takes three times as long
        "UV_PYTHON_DOWNLOADS": "never",
    }


def _pip_settings() -> dict[str, str]:
    """Return what pip is configured with here, as the variables that uv reads."""
    own = str(TOOLS / BIN / "python")
    python = own if importlib.util.find_spec("pip") is None and Path(own).exists() else sys.executable
    command = [python, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    settings: dict[str, str] = {}
    # Lines such as global.index-url='...', those of environment variables first.
    for name, value in re.findall(r"^(?:global|install|:env:)\.([a-z-]+)=(.*)$", listing, re.MULTILINE):
        if name in UV_FROM_PIP:
            settings.setdefault(UV_FROM_PIP[name], " ".join(ast.literal_eval(value).split()))
    if "UV_INDEX" in settings:
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # look into every index, as pip does
    return settings


def _quietly(command: Sequence[str | Path]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, env=_environment()).returncode == 0
    except OSError:
        return False


def _fail(message: str) -> int:
    print(f"dev.py: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
