"""The same inputs for two runtimes that are to agree, crops of the synthetic scene, and how far they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.contract import Contract
from eatrack_edge.crops import CropWindow, Frame, cut
from eatrack_edge.media.sources import open_source

_SCENE = "test://?frames=61"
_FRAMES = (20, 40, 60)

Answer = Mapping[str, NDArray[Any]]  # name of an output to its value


def scene_crops(contract: Contract) -> Iterator[tuple[Frame, Frame]]:
    """A few pairs of crops about the moving target, cut by the contract's rule.

    Yields:
        The first frame's template crop, (Z, Z, 3), and a later frame's search crop, (X, X, 3), BGR uint8.
    """
    cropping, padding = contract.cropping, contract.padding_bgr
    template: Frame | None = None
    with open_source(_SCENE) as source:
        for item in source:
            if item.truth is None:
                continue
            if template is None:
                window = CropWindow.around(
                    item.truth, cropping.template_factor, contract.template_size, cropping.window
                )
                template = cut(item.frame, window, padding)
            if item.index in _FRAMES:
                window = CropWindow.around(item.truth, cropping.search_factor, contract.search_size, cropping.window)
                yield template, cut(item.frame, window, padding)


def largest_differences(answers: Iterable[tuple[Answer, Answer]]) -> dict[str, float]:
    """Largest difference per output over several pairs of answers.

    Args:
        answers: For each input, what is judged and what was expected; only read until the next is asked for.

    Returns:
        Output name to largest absolute difference; ``nan`` where one was not a number. Differences of tokens and
        projections are relative to the largest expected value: they are unnormalised and may be large.
    """
    worst: dict[str, float] = {}
    for ours, theirs in answers:
        for name, expected in theirs.items():
            scale = max(1.0, float(np.abs(expected).max())) if name.endswith(("tokens", "projections")) else 1.0
            with np.errstate(invalid="ignore"):  # infinity less infinity
                difference = np.abs(ours[name] - expected).max() / scale
            # NumPy's maximum, for Python's forgets a nan that is not first.
            worst[name] = float(np.maximum(worst.get(name, 0.0), difference))
    return worst
