"""The chaos suite: real faults at random instants, over fleets with known answers.

``python -m sdt_dask_testing.chaos`` runs both experiments, `Kills` and `Faults`, for two minutes, and prints what it
injected and what came of it.
"""

from sdt_dask_testing.chaos.faults import Faults
from sdt_dask_testing.chaos.kills import Kills
from sdt_dask_testing.chaos.tally import Tally

__all__ = ["Faults", "Kills", "Tally"]
