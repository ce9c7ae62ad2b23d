"""Measures the overhead of tracking beside inference: crop, copy, decoding and template update, on frames of any size.

A stub backend that returns at once replaces the network, so these figures are not a model's speed: they are those of
everything around it, measured through the ``Tracker.update`` that is deployed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from eatrack_edge.benchmarks.measure.command_loop import measure_command_loop
from eatrack_edge.benchmarks.measure.latency import spread
from eatrack_edge.benchmarks.measure.live_run import measure_live_run
from eatrack_edge.benchmarks.measure.overhead_result import LIMITS_MS, CropCost, Flight, FrameCost, OverheadResult
from eatrack_edge.benchmarks.measure.tenths import Tenths
from eatrack_edge.benchmarks.measure.timeline import thermal
from eatrack_edge.benchmarks.measure.validity import invalid_reasons, unknown_conditions
from eatrack_edge.benchmarks.measure.versus import ratio
from eatrack_edge.core.crops import CropWindow, Frame, Scratch, cut
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.inference.backend import InferTiming, Maps
from eatrack_edge.inference.graph_tensors import TemplateInputs
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.machine.board import read_board
from eatrack_edge.machine.conditions import Work, board_facts, now, read_environment, read_work
from eatrack_edge.machine.device_check import machine_name
from eatrack_edge.machine.sampler import Sample, Sampler
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.tracking.result import TrackResult
from eatrack_edge.tracking.tracker import Tracker

STAND_IN = "a stand-in that answers at once: no network ran"
SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
LONG_RUN_SIZE = (1920, 1080)  # of the long flight, and what the others are compared with
TARGET = (64.0, 48.0)  # its size, pixels
_WINDOWS_PX = (56.0, 222.0, 420.0, 640.0, 889.0, 1080.0)  # sides of search crops: of small, usual and large targets
_FRAMES = 4  # different ones in turn, as a decoder's are: a frame that stays in the cache would flatter the crop
_LAP = 60  # updates in which the target goes once around its circle
_STEP_PX = 8.0  # that it moves from frame to frame
_BLOCK = 20
_SWEPT_BYTES = 64 << 20  # about the weights that a ViT-S reads for each frame

# Told what goes on, updates done, and the seconds gone.
Progress = Callable[[str, int, float], None]


class StandIn:
    """Takes the network's place: copies what a backend copies, then answers at once.

    It follows a target on a circle with high confidence, so every frame updates the templates: the most costly case.

    Args:
        model_spec: Of the model in whose place it stands.
        target: The target's width and height, pixels of the frame; it never changes.
    """

    name = STAND_IN
    note = ""

    def __init__(self, model_spec: ModelSpec, target: tuple[float, float] = TARGET) -> None:
        self.model_spec = model_spec
        self.timing_ms = InferTiming(0.0, 0.0, 0.0)
        sizes = (*model_spec.template_inputs(), *model_spec.track_inputs())
        self._inputs = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in sizes}
        self._given = TemplateInputs([self._inputs[spec.name] for spec in model_spec.template_inputs()])
        side = model_spec.cropping.search_factor * math.sqrt(target[0] * target[1])
        self._answers = cycle(list(_lap(model_spec, side, target)))

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        """Copy the crop to where a template graph would read it."""
        for slot in slots:
            self._given.write(crop, extent, slot)

    def infer(self, search: Frame) -> Maps:
        """Copy the crop to where a track graph would read it, and answer."""
        start = perf_counter()
        np.copyto(self._inputs["search"], search)
        self.timing_ms = InferTiming(1000 * (perf_counter() - start), 0.0, 0.0)
        return next(self._answers)

    def close(self) -> None:
        """Nothing to free."""


def _lap(model_spec: ModelSpec, side: float, target: tuple[float, float]) -> Iterator[Maps]:
    """Maps that lead the box once around a circle, a frame each."""
    grid = model_spec.grid
    size = np.empty((2, grid, grid), np.float32)
    size[0], size[1] = target[0] / side, target[1] / side
    tokens = np.random.default_rng(0).random((grid * grid, model_spec.dim), np.float32)
    for angle in np.arange(_LAP) * 2 * np.pi / _LAP:
        x, y = (grid * (0.5 + _STEP_PX * part / side) for part in (math.cos(angle), math.sin(angle)))
        score, offset = np.full((grid, grid), 0.01, np.float32), np.zeros((2, grid, grid), np.float32)
        score[int(y), int(x)] = 1.0
        offset[:, int(y), int(x)] = x % 1, y % 1
        yield Maps(score, offset, size, tokens)


def measure_overhead(
    model: str | Path,
    updates: int,
    command: Sequence[str],
    progress: Progress,
    root: Path = Path("/"),
    *,
    advance: Callable[[FrameRecord], None] = lambda _record: None,
    is_live: bool = False,
) -> OverheadResult:
    """Measure on one core: frames of three sizes in turn, search crops alone, one long flight, the loop of ``track``.

    Args:
        model: In whose place the stand-in stands: its crops, maps and tokens have this model's sizes.
        updates: Of the long flight, at least 100; the loop of ``track`` runs ten times as many frames. The rest takes
            a few seconds.
        command: To be written into the result.
        progress: Told how far it is; raise from it to stop.
        root: Stands for ``/`` wherever the machine is read.
        advance: What ``track`` shows its progress with; its time is part of the loop's.
        is_live: Also run a live session for as many frames as the loop of ``track``.

    Raises:
        UsageError: There is no such model.
        InputError: Its graphs are not what they should be.
    """
    cv2.setNumThreads(1)
    model_spec = read_model_spec(find_graphs(model)[1])
    before = read_work(root)
    with Sampler(root) as sampler:
        progress("frames of three sizes", 0, 0.0)
        frames = frame_costs(model_spec, blocks=max(2, min(50, updates // 100)))
        progress("frames of three sizes, caches swept", 0, 0.0)
        swept = frame_costs(model_spec, blocks=max(1, min(20, updates // 100)), swept_bytes=_SWEPT_BYTES)
        progress("search crops alone", 0, 0.0)
        crops = crop_costs(model_spec, rounds=max(10, min(400, updates // 20)))
        flight = fly(model_spec, updates, progress, root)
        loop = measure_command_loop(10 * updates, advance, root)
        if is_live:
            progress("a live session", 0, 0.0)
        run = measure_live_run(10 * updates, root=root) if is_live else None
    work = before, read_work(root)
    found = _result(model_spec, command, [*frames, *swept], crops, flight, work, sampler.samples, root)
    return replace(found, command_loop=loop, live_run=run)


def _result(
    model_spec: ModelSpec,
    command: Sequence[str],
    frames: list[FrameCost],
    crops: list[CropCost],
    flight: Flight,
    work: tuple[Work, Work],
    samples: Sequence[Sample],
    root: Path,
) -> OverheadResult:
    env = read_environment(*work)
    facts, heat = board_facts(root), thermal(samples)
    reasons = invalid_reasons(facts, samples, heat, env.others_cores, [])
    return OverheadResult(
        command=list(command),
        measured_at=now(),
        measured_on=machine_name(read_board(root)),
        env=env,
        board=facts,
        backend=STAND_IN,
        shaped_as=model_spec.model,
        target_px=list(TARGET),
        limits_ms=dict(LIMITS_MS),
        frames=frames,
        crops=crops,
        flight=flight,
        valid=not reasons,
        invalid_reasons=reasons,
        notes=unknown_conditions(samples),
    )


def frame_costs(model_spec: ModelSpec, blocks: int, swept_bytes: int = 0) -> list[FrameCost]:
    """What an update costs on frames of each size, block by block in turn so that drift cancels.

    Args:
        model_spec: What the stand-in's crops and maps are like.
        blocks: Of 20 updates of each size.
        swept_bytes: Written between two updates, untimed: a network leaves the caches full of weights, and what
            comes after it starts cold.
    """
    swept = np.zeros(swept_bytes, np.uint8)
    runs = [(size, *_started(model_spec, size)) for size in SIZES]
    stages: list[list[tuple[float, ...]]] = [[] for _ in runs]
    medians: list[list[float]] = [[] for _ in runs]
    for block in range(-1, blocks):  # the first only warms up
        for place, (_, tracker, frames) in enumerate(runs):
            found = []
            for _ in range(_BLOCK):
                np.add(swept, 1, out=swept)
                found.append(_stages(tracker, tracker.update(next(frames))))
            if block >= 0:
                stages[place] += found
                medians[place].append(float(np.median([one[-1] for one in found])))
    reference = medians[SIZES.index(LONG_RUN_SIZE)]
    names = ("crop", "copy_in", "maps", "template", "total")
    return [
        FrameCost(
            *size,
            swept_bytes,
            {name: spread(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)},
            ratio(reference, own),
        )
        for (size, _, _), rows, own in zip(runs, stages, medians, strict=True)
    ]


def crop_costs(model_spec: ModelSpec, rounds: int) -> list[CropCost]:
    """What a search crop costs by the side of its window, in turn on frames of 1080p and of 4K."""
    sources = {size: pictures(size) for size in SIZES[1:]}
    out, scratch = np.empty((model_spec.search_size, model_spec.search_size, 3), np.uint8), Scratch()
    took: dict[tuple[tuple[int, int], float], list[float]] = {}
    for turn in range(rounds + 1):  # the first only warms up
        shift = 0.37 * (turn % 16)
        for side in _WINDOWS_PX:
            for size, frames in sources.items():
                x, y = (0.5 * (length - side) + shift for length in size)
                window, frame = CropWindow(x, y, side, model_spec.search_size), next(frames)
                start = perf_counter()
                cut(frame, window, model_spec.padding_bgr, out=out, scratch=scratch)
                if turn:
                    took.setdefault((size, side), []).append(1000 * (perf_counter() - start))
    return [CropCost(*size, side, spread(values)) for (size, side), values in took.items()]


def fly(model_spec: ModelSpec, updates: int, progress: Progress, root: Path = Path("/")) -> Flight:
    """One long flight at 1080p: what its first and its last tenth cost, in time and in memory."""
    tracker, frames = _started(model_spec, LONG_RUN_SIZE)
    tenths = Tenths(updates, root)
    began = perf_counter()
    for place in range(updates):
        frame = next(frames)
        start = perf_counter()
        tracker.update(frame)
        if tenths.add(1000 * (perf_counter() - start)):
            progress("one long flight", place + 1, perf_counter() - began)
    return Flight(*LONG_RUN_SIZE, updates=updates, **tenths.summary())


def _started(model_spec: ModelSpec, size: tuple[int, int]) -> tuple[Tracker, Iterator[Frame]]:
    tracker, frames = Tracker(StandIn(model_spec)), pictures(size)
    box = (size[0] / 2 - TARGET[0] / 2, size[1] / 2 - TARGET[1] / 2, *TARGET)
    tracker.init(next(frames), box)
    return tracker, frames


def pictures(size: tuple[int, int]) -> Iterator[Frame]:
    """Frames of a size (width, height) in turn, without end: noise, on which no step of ours takes a short cut."""
    return cycle(_noise(size))


@cache
def _noise(size: tuple[int, int]) -> list[Frame]:
    chance = np.random.default_rng(0)
    return [chance.integers(0, 255, (size[1], size[0], 3), np.uint8) for _ in range(_FRAMES)]


def _stages(tracker: Tracker, result: TrackResult) -> tuple[float, ...]:
    latency = result.latency_ms
    return latency.crop, tracker.backend.timing_ms.copy_in, latency.decode, latency.template, latency.total
