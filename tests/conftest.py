from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines are shared: a slow example is no fault of the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("shared")
