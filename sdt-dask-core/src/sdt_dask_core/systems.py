"""The systems of a run: those of chosen keys, of the manifest, or all that the source lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from sdt_dask_core.errors import ConfigurationError, PlugError, SdtDaskError
from sdt_dask_core.plan import SystemRow
from sdt_dask_core.reference import Reference

__all__ = ["systems_of"]


def systems_of(
    keys: Iterable[Any] | None, manifest: Sequence[SystemRow] | None, plug: Reference, hooks: Any
) -> Iterator[SystemRow]:
    """Yield the systems to plan for, lazily.

    Parameters
    ----------
    keys : iterable or None
        Chosen keys, each with what the manifest says of it; None for all.
    manifest : sequence of SystemRow or None
        The rows of the manifest, where there is one.
    plug : Reference
        The plug, as messages name it.
    hooks : pluggy hook relay
        Hooks of the plug on the driver.

    Raises
    ------
    ConfigurationError
        The keys are one text, or the plug cannot list its keys.
    PlugError
        The plug failed to list them.
    """
    rows = {row.text: row for row in manifest or ()}
    if keys is not None:
        if isinstance(keys, (str, bytes)):
            raise ConfigurationError(f"keys is one text, {keys!r}; give a list of keys, such as [({keys!r},)]")
        for key in keys:
            row = SystemRow.of(key)
            yield rows.get(row.text, row)
    elif manifest is not None:
        yield from manifest
    else:
        yield from _listed(plug, hooks)


def _listed(plug: Reference, hooks: Any) -> Iterator[SystemRow]:
    try:
        listed = hooks.list_keys()
        keys = _no_list(plug.name) if listed is None else listed
        yield from (SystemRow.of(key) for key in keys)
    except SdtDaskError:
        raise
    except Exception as error:  # whatever a stranger's plug raises
        raise PlugError(
            f"plug {plug.name!r} of {plug.distribution} {plug.version} could not list its keys: "
            f"{type(error).__name__}: {error}"
        ) from error


def _no_list(plug: str) -> NoReturn:
    raise ConfigurationError(
        f"plug {plug!r} cannot list its keys; give them: execute(keys), --key on the command line, or a manifest"
    )
