from __future__ import annotations

from eatrack_edge.inference.tensorrt.driver import Attribute


def test_the_attributes_have_the_numbers_of_nvidias_header() -> None:
    # CU_DEVICE_ATTRIBUTE_* in cuda.h of CUDA 12.6.
    header = {
        "CLOCK_KHZ": 13,  # CLOCK_RATE
        "MULTIPROCESSORS": 16,  # MULTIPROCESSOR_COUNT
        "MEMORY_CLOCK_KHZ": 36,  # MEMORY_CLOCK_RATE
        "MEMORY_BUS_BITS": 37,  # GLOBAL_MEMORY_BUS_WIDTH
        "MAJOR": 75,  # COMPUTE_CAPABILITY_MAJOR
        "MINOR": 76,  # COMPUTE_CAPABILITY_MINOR
    }
    assert {attribute.name: int(attribute) for attribute in Attribute} == header
