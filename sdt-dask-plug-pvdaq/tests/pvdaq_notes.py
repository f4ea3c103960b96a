"""The notes of a frame, as the tests look at them."""

from __future__ import annotations

from typing import Any


def notes_of(frame: Any) -> dict[str, str]:
    """Return the notes of a frame by their codes."""
    return {note["code"]: note["message"] for note in frame.attrs["notes"]}
