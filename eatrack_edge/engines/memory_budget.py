"""Memory of a build: how much it needs, how much is free, and how much TensorRT may use to try kernels."""

from __future__ import annotations

from dataclasses import dataclass

from eatrack_edge.core.errors import MachineError
from eatrack_edge.machine.memory import Memory

_MIB = 1 << 20
# A build's memory beyond the library's own grew by 6 to 7 times the weights with TensorRT for RTX, which needs no GPU.
_PER_WEIGHT_BYTE = 8
# The library itself took 110 MiB there. The rest is for CUDA and its kernels: an allowance that no board confirmed.
_LIBRARY = 512 * _MIB
_WORKSPACE_MOST, _WORKSPACE_SHARE = 512 * _MIB, 0.25


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes for one build."""

    need: int  # estimate of what it takes, workspace included
    workspace: int  # most that a kernel under trial may use


def plan_memory(weight_bytes: int, memory: Memory) -> Budget:
    """Choose the workspace, and refuse a build that would run out of memory.

    Args:
        weight_bytes: Size of the graph with its weights, in float32.
        memory: Of this machine; where it is not known, it is taken as enough.

    Raises:
        MachineError: Too little memory and swap is free.
    """
    free = memory.available + memory.swap_free
    fixed = _LIBRARY + _PER_WEIGHT_BYTE * weight_bytes
    if not memory.total:
        return Budget(fixed + _WORKSPACE_MOST, _WORKSPACE_MOST)
    # On a Jetson the workspace is the same memory as everything else. Swap does not count: the GPU cannot use it.
    workspace = min(_WORKSPACE_MOST, int(_WORKSPACE_SHARE * memory.available))
    need = fixed + workspace
    if need > free:
        raise MachineError(
            f"a build takes about {-(-need // _MIB)} MiB of memory, {free // _MIB} MiB are free "
            f"({memory.available // _MIB} and {memory.swap_free // _MIB} of swap)",
            hint="close the desktop: sudo systemctl isolate multi-user.target; or add swap",
        )
    return Budget(need, workspace)
