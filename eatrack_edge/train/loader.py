"""Batches in order of index, made here or in worker processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import cv2
from torch.utils.data import DataLoader, Dataset

from eatrack_edge.train.parallel import World
from eatrack_edge.train.sampling import Sample, Sampler, collate


class _BySample(Dataset[Sample]):
    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def __getitem__(self, index: int) -> Sample:
        return self.sampler.sample(index)


def worker_count(wanted: int | None, among: World) -> int:
    """Processes that make samples beside this one: those wanted, or every core but one for a GPU and none for a CPU."""
    if wanted is not None:
        return wanted
    return max(1, len(os.sched_getaffinity(0)) // among.size - 1) if among.device.type == "cuda" else 0


def batches(sampler: Sampler, first: int, last: int, batch: int, among: World, workers: int) -> Iterator[Sample]:
    """This process's share of each batch from sample ``first`` to ``last``.

    Args:
        sampler: Makes samples by index.
        first: Index of the first sample.
        last: One beyond the last; a batch that it cuts is left out. Far beyond where only time ends the run.
        batch: Samples a batch, over all processes.
        among: This process and its peers; each takes every size-th sample.
        workers: Processes that make samples; 0 makes them here, which is enough where the network takes a tenth of a
            second a sample.
    """
    shares = (
        list(range(start + among.rank, start + batch, among.size)) for start in range(first, last - batch + 1, batch)
    )
    if workers == 0:
        for share in shares:
            yield collate([sampler.sample(index) for index in share])
        return
    yield from DataLoader(
        _BySample(sampler),
        batch_sampler=shares,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_one_thread,
        # A forked worker would inherit OpenCV's thread pool without its threads, and wait for them for ever.
        multiprocessing_context="spawn",
        pin_memory=among.device.type == "cuda",
        prefetch_factor=4,
    )


def _one_thread(_worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's, which finishes its step and saves
    cv2.setNumThreads(1)  # OpenCV's own threads would fight the other workers for cores
