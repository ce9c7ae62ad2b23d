"""Boxes as the OTB toolkit reads them: ``x,y,w,h`` a line."""

from __future__ import annotations

from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.output_file import FileOutput


class OtbOutput(FileOutput):
    """A text file of sub-pixel boxes; ``nan`` where there is none."""

    suffixes = (".txt",)

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Append one box."""
        del picture
        self._file.write((",".join(f"{side:.4f}" for side in record.box or (float("nan"),) * 4) + "\n").encode())
