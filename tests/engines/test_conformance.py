"""Every TensorRT name in our code exists in NVIDIA's own bindings, old and new.

The names come from the genuine wheels (golden/read_names.py), from 10.3, which JetPack 6 brings, to 11.4.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import eatrack_edge

NAMES = json.loads((Path(__file__).parent / "golden" / "tensorrt_names.json").read_text())
PACKAGE = Path(eatrack_edge.__file__).parent
FILES = [*(PACKAGE / "engines").glob("*.py"), *(PACKAGE / "inference/tensorrt").glob("*.py")]
# What our variables hold; the names are the same in all of the files.
OBJECTS = {
    "builder": "Builder",
    "config": "IBuilderConfig",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "first": "ParserError",
    "layer": "ILayer",
    "tensor": "ITensor",
    "cache": "ITimingCache",
    "_runtime": "Runtime",
    "engine": "ICudaEngine",
    "_engine": "ICudaEngine",
    "_context": "IExecutionContext",
}
SPEAKING = {"build.py", "parsed_network.py", "precision_audit.py", "timing_cache.py", "engine.py"}  # hold such objects


def uses(tree: ast.AST, *, has_objects: bool) -> set[tuple[str, str]]:
    """(class, member) of everything that a file asks of TensorRT; the class of a module's name is ``tensorrt``."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        value = node.value
        owner = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
        if owner == "trt":
            found.add(("tensorrt", node.attr))
        elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == "trt":
            found.add((owner, node.attr))
        elif has_objects and owner in OBJECTS:
            found.add((OBJECTS[owner], node.attr))
    return {(kind, name) for kind, name in found if not name.startswith("__")}


USES = set().union(*(uses(ast.parse(path.read_text()), has_objects=path.name in SPEAKING) for path in FILES))


def test_the_walk_sees_what_matters() -> None:
    assert {
        ("tensorrt", "OnnxParser"),
        ("NetworkDefinitionCreationFlag", "STRONGLY_TYPED"),
        ("Builder", "build_serialized_network"),
        ("IBuilderConfig", "set_memory_pool_limit"),
        ("ICudaEngine", "get_tensor_shape"),
    } <= USES


@pytest.mark.parametrize("version", NAMES)
def test_every_name_that_we_use_is_in_nvidias_bindings(version: str) -> None:
    known = {kind: set(names.split()) for kind, names in NAMES[version].items()}
    unknown = [f"{kind}.{name}" for kind, name in sorted(USES) if name not in known.get(kind, ())]
    assert unknown == []


@pytest.mark.parametrize("version", [version for version in NAMES if version.startswith("11.")])
def test_the_walk_would_find_what_tensorrt_11_removed(version: str) -> None:
    old = ast.parse(
        "config.set_flag(trt.BuilderFlag.FP16)\nnetwork.add_dequantize(x)\nconfig.set_calibration_profile(p)"
    )
    known = {kind: set(names.split()) for kind, names in NAMES[version].items()}
    unknown = {(kind, name) for kind, name in uses(old, has_objects=True) if name not in known.get(kind, ())}
    assert unknown == {("BuilderFlag", "FP16"), ("IBuilderConfig", "set_calibration_profile")}
