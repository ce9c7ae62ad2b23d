"""CSV: a table with one row a frame, for a spreadsheet."""

from __future__ import annotations

import math
from pathlib import Path

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.output_file import FileOutput

_NO_BOX: Box = (math.nan, math.nan, math.nan, math.nan)


class CsvOutput(FileOutput):
    """A CSV file; cells are empty where there is no box or no confidence."""

    suffixes = (".csv",)

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self._file.write(b"frame,pts_s,x,y,w,h,confidence,state,template_updated,total_ms\n")

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Append one row."""
        del picture
        cells = [str(record.frame), f"{record.pts_s:.6f}", *(_cell(side, 3) for side in record.box or _NO_BOX)]
        cells += [_cell(record.confidence, 5), str(record.state), str(int(record.template_updated))]
        cells.append(_cell(record.ms.get("total", math.nan), 3))
        self._file.write((",".join(cells) + "\n").encode())


def _cell(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""
