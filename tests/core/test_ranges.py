from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.core.ranges import check_ranges
from eatrack_edge.tracking.settings import (
    MotionSettings,
    RecoverySettings,
    TemplateSettings,
    TrackerSettings,
)


@dataclass
class Toy:
    share: float = 0.5
    count: int = 1


@pytest.mark.parametrize(
    ("interval", "value", "message"),
    [
        pytest.param("[0, 1]", 1.5, "share must be at least 0 and at most 1, got 1.5", id="above"),
        pytest.param("(0, 1)", 1, "share must be above 0 and below 1, got 1", id="at an open end"),
        pytest.param("[0, inf)", float("inf"), "share must be at least 0, got inf", id="infinite"),
        pytest.param("(-inf, inf)", float("nan"), "share must be finite, got nan", id="not a number"),
        pytest.param("[0, 1]", "0.5", "share must be a number, got '0.5'", id="text"),
        pytest.param("[0, 1]", None, "share must be a number, got None", id="nothing"),
        pytest.param("[0, 1]", True, "share must be a number, got True", id="a truth value"),
    ],
)
def test_a_number_outside_its_range_is_named_with_the_range(interval: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_ranges(Toy(share=value), {"share": interval})
    assert caught.value.message == message


def test_numbers_at_closed_ends_and_of_numpy_are_accepted() -> None:
    for value in (0, 1, 0.0, np.float32(0.5), np.int64(1)):
        check_ranges(Toy(value, 1), {"share": "[0, 1]"})
    check_ranges(Toy(0.5, np.int64(3)), {"count": "[1, 3]"})  # type: ignore[arg-type]


def test_a_fraction_where_a_whole_number_is_wanted_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"count must be a whole number, got 1\.5"):
        check_ranges(Toy(count=1.5), {"count": "[1, inf)"})  # type: ignore[arg-type]


NUMBERS = [
    (settings, spec.name)
    for settings in (TrackerSettings, MotionSettings, RecoverySettings, TemplateSettings)
    for spec in fields(settings)
    if spec.type in ("float", "int")
]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -2, "1", None])
@pytest.mark.parametrize(("settings", "name"), NUMBERS)
def test_every_number_of_the_settings_is_finite_and_in_its_range(settings: Any, name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must be "):
        settings(**{name: value})


def test_all_numbers_of_the_settings_are_listed() -> None:
    assert len(NUMBERS) == 13
