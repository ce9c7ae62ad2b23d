"""A click without a drag, as a command."""

from __future__ import annotations

from eatrack_edge.core.boxes import Box
from eatrack_edge.ground.web.messages import SelectClick
from eatrack_edge.session.commands import Command, Select

_SHARE = 0.1  # of the picture's height: side of the box around a click


def command_of(click: SelectClick, frame_size: tuple[int, int]) -> Command:
    """Track what is around the point: a square of a tenth of the picture's height, moved into the picture."""
    width, height = frame_size
    side = min(_SHARE * height, width)
    box: Box = (
        min(max(click.x - side / 2, 0.0), width - side),
        min(max(click.y - side / 2, 0.0), height - side),
        side,
        side,
    )
    return Select(box, click.frame)
