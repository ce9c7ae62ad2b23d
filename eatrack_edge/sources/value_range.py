"""Pictures of more than 8 bits, such as a thermal camera's, stretched to 8 bits by one range for a whole source."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.core.frames import as_bgr

ValueRange = tuple[float, float]

# Share of the pixels left out at each end, which dead pixels fill, and what later frames may have beyond the first.
_LEFT_OUT, _MARGIN = 1e-4, 0.05


def is_deep(picture: NDArray[Any]) -> bool:
    """Whether a picture has more than 8 bits a channel."""
    return picture.dtype != np.uint8


def range_of(picture: NDArray[Any]) -> ValueRange:
    """The range of values to stretch: what a grey picture holds, and for colours the smallest of 10, 12, 14, 16 bits.

    Args:
        picture: Shape (H, W) or (H, W, 3), of integers or floats; ``nan`` is left out.
    """
    is_grey = picture.ndim == 2 or bool((picture == picture[..., :1]).all())
    values = picture[np.isfinite(picture)] if picture.dtype.kind == "f" else picture.ravel()
    if not values.size:
        return 0.0, 1.0
    if not is_grey and picture.dtype.kind == "u":
        bits = next(bits for bits in (10, 12, 14, 16, 32) if values.max() < 1 << bits)
        return 0.0, float((1 << bits) - 1)
    low, high = (float(value) for value in np.quantile(values, [_LEFT_OUT, 1 - _LEFT_OUT]))
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def stretched(picture: NDArray[Any], value_range: ValueRange) -> Frame:
    """A picture as (H, W, 3) BGR uint8: the range becomes 0 to 255, what lies outside it is cut off.

    Args:
        picture: Shape (H, W) or (H, W, 3), of integers or floats; ``nan`` becomes 0.
        value_range: Lowest and highest value.
    """
    low, high = value_range
    scaled = (np.nan_to_num(picture.astype(np.float32), nan=low) - low) * (255 / (high - low))
    return as_bgr(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def chosen_range(uri: str, first: NDArray[Any], given: ValueRange | None) -> ValueRange | None:
    """The range for a whole source: the given one, or that of its first picture; ``None`` where that has 8 bits.

    Raises:
        UsageError: A range is given, and the pictures have 8 bits; or it is empty.
    """
    if given is not None and not given[0] < given[1]:
        raise UsageError(f"a value range goes from low to high, got {given[0]:g},{given[1]:g}")
    if not is_deep(first):
        if given is not None:
            raise UsageError(
                f"{uri}: the pictures have 8 bits, which have no value range", hint="leave out --value-range"
            )
        return None
    return given or range_of(first)


def as_frame(file: object, picture: NDArray[Any], value_range: ValueRange | None) -> Frame:
    """A decoded picture as a frame.

    Raises:
        InputError: It has more than 8 bits in a source that began with 8, or 8 in one that began with more.
    """
    if is_deep(picture) != (value_range is not None):
        first = "8 bits" if value_range is None else "more than 8 bits"
        raise InputError(f"{file}: a picture of {picture.dtype}, the first has {first}", hint="keep the two apart")
    if value_range is None:
        return as_bgr(picture)
    return stretched(picture, value_range)
