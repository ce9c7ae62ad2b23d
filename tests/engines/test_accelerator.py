from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eatrack_edge.core.errors import MachineError
from eatrack_edge.engines.build import Job, _config


class Config:
    """Takes what is set, as TensorRT's builder configuration does."""

    def set_memory_pool_limit(self, *_: Any) -> None: ...

    def clear_flag(self, _: Any) -> None: ...

    def set_flag(self, _: Any) -> None: ...


def simulated(**more: Any) -> Any:
    return SimpleNamespace(
        MemoryPoolType=SimpleNamespace(WORKSPACE=0), BuilderFlag=SimpleNamespace(TF32=0, GPU_FALLBACK=1), **more
    )


DEVICE_TYPE = SimpleNamespace(DLA="DLA")


@pytest.mark.parametrize(
    ("trt", "cores"),
    [
        pytest.param(simulated(DeviceType=DEVICE_TYPE), {"num_DLA_cores": 0}, id="a board without one"),
        pytest.param(simulated(DeviceType=DEVICE_TYPE), {}, id="a TensorRT that does not count them"),
        pytest.param(simulated(), {"num_DLA_cores": 2}, id="a TensorRT without device types"),
    ],
)
def test_an_accelerator_that_tensorrt_does_not_offer_is_refused(trt: Any, cores: dict[str, int]) -> None:
    builder = SimpleNamespace(create_builder_config=Config, **cores)
    with pytest.raises(MachineError) as caught:
        _config(trt, builder, Job(Path("a.onnx"), 1 << 20, uses_dla=True))
    assert caught.value.message == "there is no deep learning accelerator for TensorRT here"
    assert caught.value.hint == "build for the GPU: leave out --dla"


def test_an_accelerator_that_is_offered_is_used() -> None:
    builder = SimpleNamespace(create_builder_config=Config, num_DLA_cores=2)
    config = _config(simulated(DeviceType=DEVICE_TYPE), builder, Job(Path("a.onnx"), 1 << 20, uses_dla=True))
    assert (config.default_device_type, config.DLA_core) == ("DLA", 0)
