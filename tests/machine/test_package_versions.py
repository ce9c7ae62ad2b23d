from __future__ import annotations

import numpy as np

from eatrack_edge.machine.package_versions import package_versions


def test_what_is_installed_is_told_and_what_is_not_is_left_out() -> None:
    found = package_versions()
    assert found["numpy"] == np.__version__
    assert all(found.values())
    assert "pycuda" not in found
