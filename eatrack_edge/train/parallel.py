"""One recipe on one process or on many: `torchrun --nproc_per_node N --no-python eatrack-edge train RECIPE`.

Losses are means over samples, gradients are averaged over processes, and batch norm takes its statistics over all of
them. So N processes take the steps that one would take with the whole batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class World:
    """This process among its peers.

    Attributes:
        rank: From 0; 0 writes logs and checkpoints.
        size: Processes in all.
        device: Where this one computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0


@contextmanager
def world() -> Iterator[World]:
    """Join the processes that `torchrun` started; alone without it. NCCL on GPUs, gloo on CPUs."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if has_gpu else torch.device("cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World(device=device)
        return
    if has_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if has_gpu else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def average_gradients(modules: list[nn.Module], among: World) -> None:
    """Replace each gradient by its mean over processes, in one message."""
    if among.size == 1:
        return
    gradients = [p.grad for module in modules for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= among.size
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def broadcast(modules: list[nn.Module], among: World) -> None:
    """Give every process the first one's weights and buffers: a start may differ, by hardware or by chance."""
    if among.size == 1:
        return
    for module in modules:
        for tensor in module.state_dict().values():  # the module's own memory
            dist.broadcast(tensor, src=0)


def average_numbers(numbers: dict[str, float], among: World) -> dict[str, float]:
    """The mean of each number over processes."""
    if among.size == 1:
        return numbers
    values = torch.tensor(list(numbers.values()), device=among.device)
    dist.all_reduce(values)
    return dict(zip(numbers, (values / among.size).tolist(), strict=True))


def share_batch_norm(module: nn.Module) -> None:
    """Let every batch norm below ``module`` take its statistics over all processes. Weights and keys stay."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            shared = SharedBatchNorm(child.num_features, eps=child.eps, momentum=child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(module, name, shared.to(child.weight.device))
        else:
            share_batch_norm(child)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all processes; torch's own refuses CPUs. Equal batches are taken for granted."""

    def forward(self, x: Tensor) -> Tensor:
        """Shape (B, C, H, W) in and out."""
        if not self.training:
            return super().forward(x)
        count = x.numel() / x.shape[1] * dist.get_world_size()
        sum_over_processes = cast("Callable[[Tensor], Tensor]", _SumOverProcesses.apply)
        mean = sum_over_processes(x.float().sum((0, 2, 3))) / count
        # About the mean: the mean square less the squared mean loses all digits where the mean is large.
        centred = x.float() - mean[:, None, None]
        variance = sum_over_processes(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            momentum = self.momentum if self.momentum is not None else 0.1
            cast("Tensor", self.running_mean).lerp_(mean, momentum)
            cast("Tensor", self.running_var).lerp_(variance * count / (count - 1), momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], x.float(), scale[:, None, None]).to(x.dtype)


class _SumOverProcesses(torch.autograd.Function):
    """Sum over processes. Each input is in every sum, so its gradient is the sum of theirs."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total
