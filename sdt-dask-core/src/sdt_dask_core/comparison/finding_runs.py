"""Which runs are meant: an output folder, the id of a run, or both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sdt_dask_core.errors import LedgerError
from sdt_dask_core.ledger import LEDGER_NAME, LedgerReader, RunRow
from sdt_dask_core.run import Run

__all__ = ["find_pair"]


def find_pair(texts: Sequence[str], output: Path) -> tuple[Run, Run]:
    """Return the earlier and the later run that a user means.

    Parameters
    ----------
    texts : sequence of str
        Two runs, the earlier first; or one, an id to hold the newest run against, or a folder whose newest run is held
        against the one before it; or none, which is that of `output`. A run is an output folder (its newest run), the
        id of a run in `output` (or how it begins), or both as ``folder:id``.
    output : path
        Where ids are looked for.

    Raises
    ------
    LedgerError
        There is no such run, or several, or none before the newest.
    """
    if len(texts) > 1:
        return _run(texts[0], output), _run(texts[1], output)
    folder = Path(texts[0]) if texts and _is_output(Path(texts[0])) else output
    if not texts or folder is not output:
        return _newest_two(folder)
    earlier = _run(texts[0], output)
    return earlier, Run(earlier.output)


def _newest_two(folder: Path) -> tuple[Run, Run]:
    with LedgerReader(folder) as ledger:
        newest, *others = ledger.runs() or [ledger.run()]  # which says that there is none
    if not others:
        raise LedgerError(
            f"there is one run in '{folder}', {newest.run_id}, and nothing to compare it with; name two runs"
        )
    # A look at chosen keys by day is not what a night is compared with.
    alike = (row for row in others if row.settings.get("keys_from", "") == newest.settings.get("keys_from", ""))
    return Run(folder, next(alike, others[0]).run_id), Run(folder, newest.run_id)


def _run(text: str, output: Path) -> Run:
    if _is_output(Path(text)):
        return Run(text)
    folder, colon, run_id = text.rpartition(":")
    if colon and _is_output(Path(folder)):
        return Run(folder, _run_id(run_id, Path(folder)))
    if not _is_output(output):
        raise LedgerError(
            f"there is no run {text!r}: it is no output folder of a run, and there is no ledger in '{output}', where "
            "ids are looked for; give the folder, the id with --output FOLDER, or FOLDER:ID"
        )
    return Run(output, _run_id(text, output))


def _run_id(start: str, folder: Path) -> str:
    with LedgerReader(folder) as ledger:
        rows: list[RunRow] = ledger.runs()
    found = [row.run_id for row in rows if row.run_id.startswith(start)] if start else []
    if start in found or len(found) == 1:
        return start if start in found else found[0]
    if found:
        raise LedgerError(
            f"{len(found)} runs in '{folder}' begin with {start!r}: {', '.join(found[:5])}; write more of it"
        )
    known = ", ".join(row.run_id for row in rows[:5]) or "none"
    raise LedgerError(f"there is no run {start!r} in '{folder}'; the newest: {known}")


def _is_output(folder: Path) -> bool:
    return (folder / LEDGER_NAME).is_file()
