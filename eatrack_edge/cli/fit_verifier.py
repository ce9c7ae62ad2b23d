"""``eatrack-edge fit-verifier``: learns from clips what distinguishes a model's target from other objects."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import Progress
from eatrack_edge.cli.stopping import Stopped, stopping_as_interrupt
from eatrack_edge.core.resources import DEFAULT_MODEL

if TYPE_CHECKING:
    from eatrack_edge.datasets.shards import ShardTarget
    from eatrack_edge.tracking.tracker import Tracker
    from eatrack_edge.train.verifier_looks import Answer


def fit_verifier(
    data: Annotated[list[Path], typer.Option(help="Folder of training shards with clips; repeat.")],
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime.")] = "auto",
    refinement: Annotated[
        str, typer.Option(help="Second network to learn the weight of: auto, off, vittrack, or one of your own.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the places where a clip is looked at.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON file to write.")] = Path("verifier.json"),
) -> None:
    """Learn from clips what distinguishes a model's target from other objects, for `export --verifier`."""
    from eatrack_edge.core.errors import InputError
    from eatrack_edge.core.io import write_whole
    from eatrack_edge.datasets.shards import read_shards
    from eatrack_edge.outputs.output_file import check_writable
    from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
    from eatrack_edge.tracking.tracker import Tracker
    from eatrack_edge.train.verifier_fit import evaluate_verifier
    from eatrack_edge.train.verifier_fit import fit_verifier as fit

    check_writable(output, overwrite=True)
    targets = [target for folder in data for target in read_shards(folder)]
    settings = TrackerSettings(refinement=RefinementSettings(policy=refinement))
    try:
        with stopping_as_interrupt(), Tracker(model, backend=backend, settings=settings) as tracker:
            clips = _look(tracker, targets, seed)
    except KeyboardInterrupt:
        raise Stopped(f"{output} was not written; the same command begins anew") from None
    write_whole(output, fit(clips, tracker.model_spec.model).to_text() + "\n")
    found = sum(answer.is_target for clip in clips for answer in clip)
    print(f"{len(clips)} clips: {found} looks found the target, {sum(map(len, clips)) - found} something else")
    try:
        of = evaluate_verifier(clips)
    except InputError as error:
        print(f"not evaluated on other clips: {error.message}")
    else:
        print(
            f"on {of.clips} other clips ({of.targets} targets, {of.others} others): {of.known:.0%} of the targets have "
            f"higher log odds than 99% of the others; {of.taken:.1%} of the others have log odds above 0"
        )
    print(output)
    print(f"next: eatrack-edge export CHECKPOINT --verifier {shlex.quote(str(output))}")


def _look(tracker: Tracker, targets: list[ShardTarget], seed: int) -> list[list[Answer]]:
    from eatrack_edge.train.verifier_looks import ClipLooker, look_at_clips

    clips = []
    count = sum(bool(target.clip) for target in targets)
    with Progress("clips") as display:
        for answers in look_at_clips(ClipLooker(tracker), targets, seed):
            clips.append(answers)
            display.show(tracker.model_spec.model, len(clips), count)
    return clips
