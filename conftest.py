"""What holds for the property tests of all distributions."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples each time, on a machine as busy as it may be, so that a failure is one of the change at hand; to
# look for new ones: pytest --hypothesis-profile=explore.
settings.register_profile("repeat", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeat")
