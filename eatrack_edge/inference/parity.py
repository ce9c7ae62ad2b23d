"""The same inputs for two runtimes that are to agree, crops of the synthetic scene, and how far they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.scene.render import Scene

_SEED, _SIZE, _FPS = 0, (640, 480), 30.0  # of test:// as it comes
_FRAMES = (20, 40, 60)

Answer = Mapping[str, NDArray[Any]]  # name of an output to its value


class ScenePair(NamedTuple):
    """What one inference takes."""

    template: Frame  # (Z, Z, 3), BGR
    extent: tuple[float, float]  # width and height of the target's box as fractions of the template crop
    search: Frame  # (X, X, 3), BGR


def scene_crops(model_spec: ModelSpec) -> Iterator[ScenePair]:
    """A few pairs of crops about the moving target, cut by the model specification's rule.

    Yields:
        The first frame's template and a later frame's search crop.
    """
    scene, cropping = Scene(_SEED, _FRAMES[-1] + 1, _SIZE, _FPS), model_spec.cropping

    def crop(index: int, factor: float, out_size: int) -> tuple[Frame, tuple[float, float]]:
        x, y, w, h = scene.truth[index].tolist()
        window = CropWindow.around((x, y, w, h), factor, out_size, cropping.window)
        return cut(scene.render(index), window, model_spec.padding_bgr), window.extent((x, y, w, h))

    template, extent = crop(0, cropping.template_factor, model_spec.template_size)
    for index in _FRAMES:
        yield ScenePair(template, extent, crop(index, cropping.search_factor, model_spec.search_size)[0])


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
