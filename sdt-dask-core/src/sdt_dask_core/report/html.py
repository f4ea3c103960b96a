"""Pages from templates: all that is not ours is escaped, and the browser is told to run nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sdt_dask_core.report.words import number, one_line, shown_key, text

if TYPE_CHECKING:
    import jinja2

__all__ = ["render"]


def render(template: str, **values: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        The name of a file in ``templates``.
    **values
        What it shows. Text is escaped; the one exception is what `as_script` made safe.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    style, script, live = _static("report.css"), _static("fleet.js"), _static("live.js")
    own = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "line": one_line, "text": text, "key": shown_key}
    environment.globals |= {
        "style": Markup(style),  # noqa: S704 - ours, from the package
        "script": Markup(script),  # noqa: S704 - ours, from the package
        "live_script": Markup(live),  # noqa: S704 - ours, from the package
        # Nothing is loaded from anywhere; of scripts and styles only these run.
        "policy": f"{own}; script-src '{_digest(script)}'",
        "live_policy": f"{own}; script-src '{_digest(script)}' '{_digest(live)}'; connect-src 'self'",
    }
    return environment


def _template(name: str) -> str:
    return (files("sdt_dask_core.report") / "templates" / name).read_text(encoding="utf-8")


def _static(name: str) -> str:
    return (files("sdt_dask_core.report") / "static" / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
