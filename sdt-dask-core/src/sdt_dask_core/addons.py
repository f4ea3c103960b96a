"""Addons: they watch or veto, and one that fails is reported and never stops a run."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["tell"]

logger = logging.getLogger(__name__)


def tell(hooks: Any, name: str, **facts: Any) -> list[Any]:
    """Call a hook of every enabled addon, each guarded; return what they answered, without None.

    Parameters
    ----------
    hooks : pluggy hook relay
        Of the run's plugin manager.
    name : str
        The hook.
    **facts : object
        Its arguments.
    """
    answers = []
    for implementation in getattr(hooks, name).get_hookimpls():
        try:
            answer = implementation.function(*(facts[argument] for argument in implementation.argnames))
        except Exception as error:  # noqa: BLE001 - whatever an addon raises
            logger.warning(
                "addon %s failed in %s: %s: %s", implementation.plugin_name, name, type(error).__name__, error
            )
        else:
            answers.append(answer)
    return [answer for answer in answers if answer is not None]
