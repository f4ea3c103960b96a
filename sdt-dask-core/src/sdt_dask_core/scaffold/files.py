"""The files of a new distribution, made from the templates."""

from __future__ import annotations

import datetime
import json
import string
from importlib.metadata import version
from importlib.resources import files

from sdt_dask_core.scaffold.names import Names

__all__ = ["files_of"]

# The file in the new distribution: its template. Names may hold what a template may.
_COMMON = {
    "pyproject.toml": "common/pyproject.toml",
    "LICENSE": "common/LICENSE",
    "CHANGELOG.md": "common/CHANGELOG.md",
    ".gitignore": "common/gitignore",
    ".github/workflows/tests.yml": "common/tests.yml",
    "src/%%module/__init__.py": "common/__init__.py",
    "src/%%module/py.typed": "common/py.typed",
}
_OWN = {
    "plug": {
        "README.md": "plug/README.md",
        "src/%%module/plug.py": "plug/plug.py",
        "tests/conftest.py": "plug/conftest.py",
        "tests/test_contract.py": "plug/test_contract.py",
        "tests/test_plug.py": "plug/test_plug.py",
    },
    "client": {
        "README.md": "client/README.md",
        "src/%%module/client.py": "client/client.py",
        "tests/test_contract.py": "client/test_contract.py",
        "tests/test_client.py": "client/test_client.py",
    },
}


class _FileTemplate(string.Template):
    """A template whose sign means nothing in the files that are made: ``$`` is a prompt, ``@`` a decorator."""

    delimiter = "%%"


def files_of(names: Names, *, author: str) -> dict[str, str]:
    """Return the text of each file of the new distribution, by its path with ``/``.

    Parameters
    ----------
    names : Names
        What it and its parts are called.
    author : str
        Who holds the copyright, in one line.
    """
    values = _values(names, author)
    templates = files("sdt_dask_core.scaffold") / "templates"
    made = {}
    for path, template in sorted({**_COMMON, **_OWN[names.kind]}.items()):
        text = (templates / f"{template}.tmpl").read_text(encoding="utf-8")
        made[_FileTemplate(path).substitute(values)] = _FileTemplate(text).substitute(values)
    return made


def _values(names: Names, author: str) -> dict[str, str]:
    return {
        "kind": names.kind,
        "name": names.name,
        "distribution": names.distribution,
        "module": names.module,
        "class_name": names.class_name,
        "author": author,
        "author_toml": json.dumps(author, ensure_ascii=False),  # of one printable line, it is TOML too
        "year": str(datetime.date.today().year),
        "range": _range_of(version("sdt-dask-core")),
    }


def _range_of(core: str) -> str:
    """Return the releases of core that the contract promises: from this one to the next major version."""
    from packaging.version import Version

    release = Version(core)
    lowest = str(release) if release.is_prerelease else f"{release.major}.{release.minor}"
    return f">={lowest},<{release.major + 1}"
