"""The page of an evaluation in a real browser, on a desktop, a tablet and a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from chromium import chromium
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.charts import accuracy_chart
from eatrack_edge.evaluation.evaluate import Plan, evaluate
from eatrack_edge.evaluation.page import write_page
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.machine.conditions import run_conditions

pytestmark = pytest.mark.usefixtures("importable")
# Texts of one chart whose boxes overlap, and texts that their chart cuts off.
SPOILT_TEXTS = """
() => [...document.querySelectorAll("svg.chart")].flatMap(chart => {
  const texts = [...chart.querySelectorAll("text")].filter(text => text.textContent);
  const boxes = texts.map(text => text.getBoundingClientRect()), frame = chart.getBoundingClientRect();
  const found = [];
  boxes.forEach((a, i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
      found.push("cut off: " + texts[i].textContent);
    boxes.slice(i + 1).forEach((b, j) => {
      if (Math.min(a.right, b.right) > Math.max(a.left, b.left) &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
        found.push(texts[i].textContent + " on " + texts[i + 1 + j].textContent);
    });
  });
  return found;
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(images: Path, tmp_path: Path) -> Path:
    """Two trackers that fail alike, one that reports states, long names, and a sequence of many frames."""
    name = "a_sequence_with_a_name_that_is_longer_than_a_phone_is_wide_" + "0" * 20
    (images / name).mkdir()
    for number in range(101):
        cv2.imwrite(str(images / name / f"{number:04d}.png"), np.full((60, 160, 3), number, np.uint8))
    (images / f"{name}.txt").write_text("11,11,10,10\n" * 60 + "nan,nan,nan,nan\n" * 20 + "131,41,10,10\n" * 21)
    specs = [TrackerSpec(f"standing:{kind}", label=label) for kind, label in TRACKERS]
    data = open_dataset("images", images, first_pixel=1)
    found = evaluate(Plan(data, tuple(specs), PROTOCOLS["otb"], tmp_path / "out", title="data of a title " * 5))
    conditions = run_conditions() | {"camera_fps": 30, "a_condition_with_a_long_name": "x" * 90}
    write_page(found, conditions, tmp_path / "report.html", failure_frames=5)
    return tmp_path / "report.html"


TRACKERS = [
    ("Still", "still"),
    ("Still", "still_under_another_and_long_name"),
    ("Shifted", "shifted"),
    ("Careful", "careful"),
]


@pytest.mark.parametrize("width", [1440, 768, 400])
def test_the_page_never_scrolls_sideways_and_no_text_of_a_chart_is_cut_off_or_covered(
    browser: Any, page: Path, width: int
) -> None:
    window = browser.new_page(viewport={"width": width, "height": 900})
    window.goto(page.as_uri())
    window.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    window.screenshot(path=page.with_suffix(f".{width}.png"), full_page=True)
    charts = window.eval_on_selector_all("svg.chart", "all => all.map(one => one.getAttribute('aria-label'))")
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate(SPOILT_TEXTS) == []
    assert min(window.eval_on_selector_all("svg.chart", "all => all.map(one => one.clientWidth)")) >= 700
    # All kinds of charts were looked at.
    assert {"overlap over frames", "states over frames", "success AUC over median ms of an update"} <= set(charts)
    assert sum(label.startswith(("Success", "Precision", "Calibration")) for label in charts) == 3
    window.close()


def test_a_label_at_the_left_end_of_an_axis_does_not_cover_that_of_the_other_axis(browser: Any, tmp_path: Path) -> None:
    # The axis begins at a cost over 1.5: here that is a round number, which has a label.
    chart = accuracy_chart({"a": (0.0015, 0.5), "b": (0.3, 0.6)}, {"a": "#000000", "b": "#000000"}, "median ms")
    (tmp_path / "chart.html").write_text(f"<style>svg {{ width: 1000px; font: 13px sans-serif }}</style>{chart}")
    window = browser.new_page(viewport={"width": 1440, "height": 900})
    window.goto((tmp_path / "chart.html").as_uri())
    assert ">0.001<" in chart
    assert [found for found in window.evaluate(SPOILT_TEXTS) if " on " in found] == []
