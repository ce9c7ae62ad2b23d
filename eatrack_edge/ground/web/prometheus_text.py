"""The station's numbers in the text format that Prometheus reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The states that a series is given for even while another holds; a state that is not among them has its own series.
KNOWN_STATES = ("WAITING", "TRACKING", "UNCERTAIN", "LOST", "REACQUIRED")
Labels = Mapping[str, str]


class _Text:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def family(self, name: str, kind: str, help_text: str, *samples: tuple[Labels, float | None]) -> None:
        """One family; a sample without a value is left out."""
        given = [(labels, value) for labels, value in samples if value is not None]
        if not given:
            return
        self.lines += [f"# HELP eatrack_{name} {help_text}", f"# TYPE eatrack_{name} {kind}"]
        for labels, value in given:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            self.lines.append(f"eatrack_{name}{{{inside}}} {value:.10g}" if inside else f"eatrack_{name} {value:.10g}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def metrics_text(status: Mapping[str, Any], viewers: int, pictures: int, page_age_s: Mapping[str, float | None]) -> str:
    """All metrics.

    Args:
        status: Of ``Telemetry.snapshot``.
        viewers: Who watch now.
        pictures: Sent since the start.
        page_age_s: Seconds from capture to the drawn picture by quantile, such as ``"0.95"``.
    """
    text = _Text()
    state, board = str(status["state"]), status["board"]
    text.family("frames_total", "counter", "Frames with a result.", ({}, status["frames"]))
    text.family("frames_dropped_total", "counter", "Frames left out for newer ones.", ({}, status["dropped"]))
    text.family("frames_per_second", "gauge", "Results over the last two seconds.", ({}, status["fps"]))
    text.family("frame_age_seconds", "gauge", "From the decoder to the result.", ({}, _seconds(status["age_ms"])))
    text.family("update_seconds", "gauge", "One update of the tracker.", ({}, _seconds(status["update_ms"])))
    text.family("confidence", "gauge", "Probability that the box is on the target.", ({}, status["confidence"]))
    states = dict.fromkeys((*KNOWN_STATES, state))
    text.family("state", "gauge", "1 for the state that holds.", *(({"state": one}, one == state) for one in states))
    text.family("source_up", "gauge", "Whether frames come.", ({}, status["source"]["is_found"]))
    text.family("source_losses_total", "counter", "Times that frames stopped coming.", ({}, status["source_losses"]))
    text.family("viewers", "gauge", "Who watch the page or the stream.", ({}, viewers))
    text.family("pictures_sent_total", "counter", "Pictures sent to pages.", ({}, pictures))
    ages = [({"quantile": quantile}, value) for quantile, value in page_age_s.items()]
    text.family("page_age_seconds", "gauge", "From the decoder to the drawn picture, as pages report it.", *ages)
    zones = [({"zone": zone}, value) for zone, value in board["temperatures_c"].items()]
    text.family("temperature_celsius", "gauge", "By thermal zone.", *zones)
    text.family("power_watts", "gauge", "What the module draws.", ({}, board["power_w"]))
    outputs = [({"output": one["name"]}, one) for one in status["outputs"]]
    text.family("output_dropped_total", "counter", "Frames that an output was too slow for.",
                *((labels, one["dropped"]) for labels, one in outputs))  # fmt: skip
    text.family("output_failed", "gauge", "Whether an output failed.",
                *((labels, bool(one["failure"])) for labels, one in outputs))  # fmt: skip
    return "\n".join(text.lines) + "\n"


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
