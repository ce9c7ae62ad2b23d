"""Template and search crops of the synthetic scene: the same inputs for two runtimes that are to agree."""

from __future__ import annotations

from collections.abc import Iterator

from eatrack_edge.contract import Contract
from eatrack_edge.crops import CropWindow, Frame, cut
from eatrack_edge.media.sources import open_source

_SCENE = "test://?frames=61"
_FRAMES = (20, 40, 60)


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
