from __future__ import annotations

from importlib.util import find_spec

from hypothesis import HealthCheck, settings

# Machines are shared: a slow example is no fault of the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("shared")

# These import torch at their top, as what they test does.
collect_ignore_glob = [] if find_spec("torch") else ["model/*", "export/*", "train/*"]
