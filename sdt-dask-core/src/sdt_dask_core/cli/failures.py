"""Errors as a user meets them: one message on stderr and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import click

from sdt_dask_core.cli.text import clean
from sdt_dask_core.errors import SdtDaskError

__all__ = ["broken_pipe", "debug_option", "report_error", "report_usage_error"]

_FAILED = 1
_INTERRUPTED = 130
_READER_GONE = 141  # what a shell reports of a program that SIGPIPE ended

_Command = TypeVar("_Command", bound=Callable[..., Any])


def report_error(error: BaseException, *, debug: bool) -> int:
    """Write what went wrong to stderr; return the exit code.

    Parameters
    ----------
    error : BaseException
        Ours, whose message says what to do; Ctrl-C; or an unexpected one.
    debug : bool
        Whether to show the traceback.
    """
    if debug:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        click.echo(clean("".join(lines)), err=True)
    if isinstance(error, SdtDaskError):
        _say(error.message)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        _say("interrupted")
        return _INTERRUPTED
    hint = "" if debug else "; run again with --debug to see where"
    _say(f"unexpected {type(error).__name__}: {error}{hint}")
    return _FAILED


def report_usage_error(error: click.ClickException) -> int:
    """Write what is wrong with the command line to stderr, and where its help is; return the exit code."""
    _say(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(f"see {context.command_path} --help", err=True)
    return error.exit_code


def broken_pipe() -> int:
    """Return the exit code for a reader that closed the pipe, such as head, and let nothing more be written to it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no file: nothing is flushed to it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _READER_GONE


def debug_option(command: _Command) -> _Command:
    """Give a command the option ``--debug``."""

    def remember(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
        # `meta` is shared with the group, which is where errors arrive.
        ctx.meta["debug"] = wanted

    option = click.option(
        "--debug", is_flag=True, expose_value=False, callback=remember, help="Show the traceback of an error."
    )
    return option(command)


def _say(message: str) -> None:
    click.echo(f"error: {clean(message)}", err=True)
