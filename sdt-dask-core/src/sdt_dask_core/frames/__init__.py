"""What a plug returned, checked before any solver runs.

`check_frame` names each finding with its evidence, repairs what can be repaired without guessing (and records it), and
raises `FrameError` for what cannot. The order is: what the plug returned (`received`, with `column`), timestamps
(`stamps`), values (`values`), sampling (`sampling`), how full the days are (`density`), and last what the power as a
whole looks like (`plausible`). Every code is in `findings`.
"""

from sdt_dask_core.frames.check import CheckedFrame, check_frame
from sdt_dask_core.frames.findings import FINDINGS, MEANINGS, Finding

__all__ = ["FINDINGS", "MEANINGS", "CheckedFrame", "Finding", "check_frame"]
