"""Nominal rates of the GPU that is here, for its roofline: from what the driver says and NVIDIA's data sheets."""

from __future__ import annotations

from eatrack_edge.benchmarks.projection.roofline import Target
from eatrack_edge.inference.tensorrt.driver import Attribute, read_attributes, read_name

# Dense FP16 tensor-core operations a clock and multiprocessor, by compute capability. Each reproduces the dense rate in
# NVIDIA's data sheet of one card at its boost clock.
_FP16_OPS = {
    (8, 0): 2048,  # A100: 108 multiprocessors at 1.41 GHz, 312 TFLOPS
    (8, 6): 1024,  # RTX 3090: 82 at 1.695 GHz, 142 TFLOPS
    (8, 7): 2048,  # Orin NX 16GB: 8 at 0.918 GHz, 15 TFLOPS
    (8, 9): 1024,  # RTX 4090: 128 at 2.52 GHz, 330 TFLOPS
    (9, 0): 4096,  # H100 SXM: 132 at 1.83 GHz, 989 TFLOPS
}
_INT8_FACTOR = 2  # over FP16, in each of them


def read_target() -> Target | None:
    """The GPU's rates at its highest clocks; ``None`` where its generation is not in the table.

    Raises:
        MachineError: There is no driver, or no GPU answers.
    """
    found = read_attributes(
        Attribute.MAJOR,
        Attribute.MINOR,
        Attribute.CLOCK_KHZ,
        Attribute.MULTIPROCESSORS,
        Attribute.MEMORY_CLOCK_KHZ,
        Attribute.MEMORY_BUS_BITS,
    )
    major, minor, clock_khz, multiprocessors, memory_khz, bus_bits = found
    return target_of(read_name(), (major, minor), clock_khz, multiprocessors, memory_khz, bus_bits)


def target_of(
    name: str, capability: tuple[int, int], clock_khz: int, multiprocessors: int, memory_khz: int, bus_bits: int
) -> Target | None:
    """Rates from clocks and counts.

    >>> target_of("NVIDIA H100 80GB HBM3", (9, 0), 1_830_000, 132, 2_619_000, 5120).fp16_tflops
    989.4
    """
    if capability not in _FP16_OPS:
        return None
    tera = multiprocessors * clock_khz * 1e3 * _FP16_OPS[capability] / 1e12
    gigabytes = 2 * memory_khz * 1e3 * bus_bits / 8 / 1e9  # two transfers a clock
    return Target(name, "highest clocks", round(tera, 1), round(tera * _INT8_FACTOR, 1), round(gigabytes, 1))
