"""Writes the HTML page of a proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eatrack_edge.benchmarks.proof.run import Proof
from eatrack_edge.reporting.html import write_html


def write_page(proof: Proof, path: Path) -> None:
    """Write the page of a proof.

    Raises:
        MissingExtra: Jinja2 is not installed.
        OutputError: The file cannot be written.
    """
    where = proof.fingerprint
    write_html(
        path,
        "gpu_proof",
        {
            "title": f"Proof on {where.gpu}" if not proof.is_simulated else "Rehearsal on a simulated GPU",
            "subtitle": f"{where}, CUDA {where.cuda}, {proof.measured_at[:16].replace('T', ' ')} UTC",
            "is_simulated": proof.is_simulated,
            "counts": {
                verdict: sum(step.verdict == verdict for step in proof.steps)
                for verdict in ("passed", "failed", "skipped")
            },
            "steps": [["step", "claim", "verdict", "seconds", "why"]]
            + [[step.name, step.claim, step.verdict, f"{step.seconds:.1f}", step.reason] for step in proof.steps],
            "speeds": _speeds(proof),
            "conditions": {
                "command": " ".join(proof.command),
                "version": f"{proof.env.tool_version} {proof.env.commit}".strip(),
                "packages": ", ".join(f"{name} {version}" for name, version in proof.env.packages.items()),
                "system": proof.env.system,
            },
        },
    )


def _speeds(proof: Proof) -> list[list[str]]:
    rows = [["", "update p50 ms", "p95 ms", "copy in ms", "run ms", "copy out ms", "roofline ms (projection)", "valid"]]
    rows += [
        [step.name.removeprefix("speed-"), *_speed(step.figures)]
        for step in proof.steps
        if step.verdict == "passed" and "update_ms" in step.figures
    ]
    return rows if len(rows) > 1 else []


def _speed(figures: Mapping[str, Any]) -> list[str]:
    total, call, roofline = figures["update_ms"], figures["call_ms"], figures["roofline"]
    measured = [total["p50"], total["p95"], call["copy_in"], call["run"], call["copy_out"]]
    projected = f"{roofline['latency_ms']:.3f}" if "latency_ms" in roofline else roofline["note"]
    return [*(f"{value:.3f}" for value in measured), projected, "yes" if figures["is_valid"] else "no"]
