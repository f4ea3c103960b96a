"""An environment for a page that installs something: the one that runs the tests stays as it is."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import uv

__all__ = ["make_environment"]

# A reader's pip fetches what is missing. Here all of it is installed below, so that the tests need no network.
_OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one as the value of build isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
# As an installer writes it.
_COMMAND = """\
#!{python}
from sdt_dask_core.cli import main

if __name__ == "__main__":
    main()
"""


def make_environment(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make an environment in which all that is installed here can be imported, and more be installed.

    Returns
    -------
    tuple
        The folder of its commands, and the variables that keep pip to what is there.
    """
    subprocess.run([uv.find_uv_bin(), "venv", "--quiet", "--no-config", "--python", sys.executable, folder], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    below = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    # addsitedir, not the bare folder: what is installed editable below has .pth files of its own.
    lines = [f"import site; site.addsitedir({path!r})\n" for path in sorted(below)]
    (own / "below.pth").write_text("".join(lines), encoding="utf-8")
    command = folder / "bin" / "sdt-dask"
    command.write_text(_COMMAND.format(python=folder / "bin" / "python"), encoding="utf-8")
    command.chmod(0o755)
    return command.parent, _OFFLINE
