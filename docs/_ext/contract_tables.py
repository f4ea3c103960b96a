"""Reference tables written from the code when the docs are built, so that they cannot differ from it.

``{contract-table} options plug csv`` and the like put one of the tables below into a page.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from sdt_dask_core import errors, hookspecs
from sdt_dask_core.causes import FIXES
from sdt_dask_core.contract import HOOKS
from sdt_dask_core.due import DUE
from sdt_dask_core.frames import FINDINGS
from sdt_dask_core.options import options_of
from sdt_dask_core.registry import find_provider, load_class
from sdt_dask_core.report.described import ERROR_COLUMNS, HEAD_COLUMNS
from sdt_dask_core.report.tables import FRAME_COLUMNS
from sdt_dask_core.retries import POLICIES, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]


def options(kind: str, name: str) -> list[str]:
    """Return the options of a provider: name, type, default, meaning."""
    option_set = options_of(load_class(find_provider(kind, name)), kind=kind, name=name)
    rows = (
        (
            f"`{option.name}`",
            option.type_text,
            "required" if option.is_required else f"`{option.default!r}`",
            option.help,
        )
        for option in option_set
    )
    return _table(("option", "type", "default", "meaning"), rows)


def columns(*names: str) -> list[str]:
    """Return the result columns of analyses, or those of the core under "head", "frame" and "errors"."""
    own = {"head": HEAD_COLUMNS, "frame": FRAME_COLUMNS, "errors": ERROR_COLUMNS}
    found = [
        column
        for name in names
        for column in (own[name] if name in own else load_class(find_provider("analysis", name)).provides)
    ]
    rows = ((f"`{c.name}`", c.unit, c.description, f"`{c.source}`" if c.source else "") for c in found)
    return _table(("column", "unit", "meaning", "Solar Data Tools' name"), rows)


def causes() -> list[str]:
    """Return the causes of failure and what to do about each."""
    return _table(("cause", "what to do"), ((f"`{cause}`", fix) for cause, fix in FIXES.items()))


def retries() -> list[str]:
    """Return which causes are tried again by themselves, and how."""
    rows = ((f"`{cause}`", policy.attempts, _how(policy)) for cause, policy in POLICIES.items())
    return _table(("cause", "attempts", "how"), rows)


def _how(policy: Policy) -> str:
    if policy.wait:
        return f"after about {policy.wait:g} s, then four times as long, each a little more or less by chance"
    if policy.share > 1:
        return (
            f"when no other key computes, with {policy.share} times its worker's memory limit; left out where the "
            "machine has no more than that limit"
        )
    return "at once"


def due() -> list[str]:
    """Return why a key runs or not."""
    return _table(("reason", "meaning"), ((f"`{word}`", meaning) for word, meaning in DUE.items()))


def findings() -> list[str]:
    """Return what the checks of a frame find and what to do about it."""
    return _table(("finding", "what to do"), ((f"`{code}`", fix) for code, fix in FINDINGS.items()))


def error_tree() -> list[str]:
    """Return the tree of errors."""
    return ["```text", *(inspect.getdoc(errors) or "").split("::\n\n")[1].split("\n\n")[0].splitlines(), "```"]


def hooks() -> list[str]:
    """Return every hook with its docstring."""
    lines: list[str] = []
    for name, arguments in HOOKS.items():
        lines += [f"## `{name}({', '.join(arguments)})`", ""]
        lines += ["```text", *(inspect.getdoc(getattr(hookspecs, name)) or "").splitlines(), "```", ""]
    return lines


class ContractTable(SphinxDirective):
    """Put one of the tables of this module into the page."""

    required_arguments = 1
    optional_arguments = 5
    tables: ClassVar[dict[str, Any]] = {
        "options": options,
        "columns": columns,
        "causes": causes,
        "retries": retries,
        "findings": findings,
        "due": due,
        "errors": error_tree,
        "hooks": hooks,
    }

    def run(self) -> list[nodes.Node]:
        """Write the table as Markdown and let MyST read it."""
        name, *arguments = self.arguments
        container = nodes.Element()
        container.document = self.state.document
        text = StringList(self.tables[name](*arguments), source="the code")
        self.state.nested_parse(text, self.content_offset, container, match_titles=True)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("contract-table", ContractTable)
    return {"parallel_read_safe": True}
