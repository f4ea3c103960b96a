"""Where packages come from: what pip is configured with, in the variables that uv reads."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping

from sdt_dask_core.resolution.program import clean_environment

__all__ = ["uv_settings"]

# uv does not read pip's configuration.
_UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "cert": ("SSL_CERT_FILE",),
    "trusted-host": ("UV_INSECURE_HOST",),
}
_SECTIONS = ("global", "install", ":env:")  # a later one wins
_SETTING = re.compile(r"^(global|install|:env:)\.([a-z-]+)=(.*)$", re.MULTILINE)
_SECONDS = 60


def uv_settings(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables and the flags that tell uv where pip looks; what the user told uv itself stays as it is.

    Parameters
    ----------
    environment : mapping of str to str
        The user's variables.
    """
    configuration = _pip_configuration()
    settings: dict[str, str] = {}
    for name, (own, *older) in _UV_NAMES.items():
        if name in configuration and not any(known in environment for known in (own, *older)):
            # uv separates folders by commas, which pip does not know, and all else by spaces as pip does.
            settings[own] = ("," if name == "find-links" else " ").join(configuration[name].split())
    if "UV_INDEX" in settings and "UV_INDEX_STRATEGY" not in environment:
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # look into every index, as pip does
    is_without_index = configuration.get("no-index", "").lower() in ("1", "true", "yes", "on")
    return settings, ["--no-index"] if is_without_index else []


def _pip_configuration() -> dict[str, str]:
    """Return pip's settings by name; none where there is no pip."""
    for command in _pips():
        try:
            done = subprocess.run(
                [*command, "config", "list"],
                env=clean_environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            found = sorted(_SETTING.findall(done.stdout), key=lambda setting: _SECTIONS.index(setting[0]))
            return {name: str(ast.literal_eval(value)) for _, name, value in found}
    return {}


def _pips() -> list[list[str]]:
    """Return the ways to call pip; an environment made by uv has none of its own, but its machine may."""
    own = [[sys.executable, "-m", "pip"]] if importlib.util.find_spec("pip") else []
    return own + [[found] for name in ("pip", "pip3") if (found := shutil.which(name))]
