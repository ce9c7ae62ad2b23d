"""``eatrack-edge fit-verifier``: learns from clips what tells a network's target from other objects."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import Progress
from eatrack_edge.core.resources import DEFAULT_MODEL


def fit_verifier(
    data: Annotated[list[Path], typer.Option(help="Folder of training shards with clips; may be given again.")],
    model: Annotated[str, typer.Option(help="A bundled model's name, or exported graphs.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime.")] = "auto",
    refinement: Annotated[str, typer.Option(help="auto, off or vittrack: its network is asked too.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the places that are looked at.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="Takes what was learned.")] = Path("verifier.json"),
) -> None:
    """Learn from clips what tells a model's target from other objects, for `export --verifier`."""
    from eatrack_edge.core.io import write_whole
    from eatrack_edge.datasets.shards import read_shards
    from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker
    from eatrack_edge.train.verifier_fit import fit_verifier as fit
    from eatrack_edge.train.verifier_fit import judge_verifier
    from eatrack_edge.train.verifier_looks import ClipLooker, look_at_clips

    targets = [target for folder in data for target in read_shards(folder)]
    count = sum(bool(target.clip) for target in targets)
    settings = TrackerSettings(refinement=RefinementSettings(policy=refinement))
    clips = []
    with Progress("clips") as display, Tracker(model, backend=backend, settings=settings) as tracker:
        name = tracker.model_spec.model
        for answers in look_at_clips(ClipLooker(tracker), targets, seed):
            clips.append(answers)
            display.show(name, len(clips), count)
    found = fit(clips)
    judged = judge_verifier(clips)
    write_whole(output, found.to_text() + "\n")
    rights = sum(answer.is_target for clip in clips for answer in clip)
    others = sum(map(len, clips)) - rights
    print(f"{len(clips)} clips: {rights} looks found the target, {others} something else")
    print(
        f"{judged.clips} clips not learned from: {judged.known:.0%} of the targets have higher log odds than 99 % of "
        f"what is not, of which {judged.taken:.1%} has log odds above 0"
    )
    print(f"{output}  {output.stat().st_size} bytes")
    print(f"next: eatrack-edge export CHECKPOINT --verifier {shlex.quote(str(output))}")
