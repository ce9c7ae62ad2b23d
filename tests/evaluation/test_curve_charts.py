from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.curve_charts import curve_charts
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.reporting.colours import series_colour

pytestmark = pytest.mark.usefixtures("importable")


@pytest.fixture
def evaluation(images: Path, tmp_path: Path) -> Evaluation:
    specs = tuple(TrackerSpec(f"standing:{name}", label=name.lower()) for name in ("Shifted", "Still"))
    return evaluate(Plan(open_dataset("images", images, first_pixel=1), specs, PROTOCOLS["otb"], tmp_path / "out"))


def curves(chart: str) -> dict[str, tuple[str, list[tuple[float, float]]]]:
    """Colour and points of every curve by its label; the lines of the key have none."""
    found = {}
    for path in ET.fromstring(chart).iter("path"):
        pairs = [part.split() for part in path.attrib["d"].replace("M", "L").split("L")[1:]]
        if label := path.findtext("title"):
            found[label] = (path.attrib["stroke"], [(float(x), float(y)) for x, y in pairs])
    return found


def test_the_curves_are_those_of_the_scores(evaluation: Evaluation) -> None:
    success, precision, _ = map(str, curve_charts(evaluation))
    scores = evaluation.trackers["still"].scores.values()
    label = f"still {np.mean([score.success_auc for score in scores]):.3f}"
    colour, points = curves(success)[label]
    assert colour == series_colour(0)  # the best tracker's
    # 1 is at a height of 30 and 0 at 250.
    drawn = [(250 - y) / 220 for _, y in points]
    np.testing.assert_allclose(drawn, np.mean([score.success for score in scores], axis=0), atol=3e-4)
    assert len(curves(precision)) == 2
    assert "share at 20 px" in precision


def test_a_tracker_without_a_confidence_has_no_calibration(evaluation: Evaluation) -> None:
    for result in evaluation.trackers.values():
        for track in result.tracks.values():
            track.confidence[:] = np.nan
    assert len(curve_charts(evaluation)) == 2


def test_without_a_scored_tracker_there_are_no_curves(evaluation: Evaluation) -> None:
    for result in evaluation.trackers.values():
        result.scores.clear()
    assert curve_charts(evaluation) == []
