"""Writes tensorrt_names.json: what NVIDIA's own Python bindings are called, version by version.

    python tests/engines/golden/read_names.py

The bindings are on PyPI without TensorRT's libraries; eleven empty functions in their place are enough to import
them, and then every class, method and enumerator can be listed. Needs pip, gcc, and Python 3.11 on x86-64.
10.3 is JetPack 6's, the oldest that we build for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSIONS = ("10.3.0", "10.12.0.36", "10.16.1.11", "11.4.0.106")
OBJECTS = (
    "Builder", "IBuilderConfig", "INetworkDefinition", "OnnxParser", "ParserError", "ILayer", "ITensor", "ITimingCache",
    "IHostMemory", "ILogger", "IProgressMonitor", "Runtime", "ICudaEngine", "IExecutionContext",
)  # fmt: skip
_FUNCTIONS = (
    "createInferBuilder_INTERNAL", "createInferRefitter_INTERNAL", "createInferRuntime_INTERNAL",
    "createNvOnnxParser_INTERNAL", "createNvOnnxParserRefitter_INTERNAL", "getBuilderPluginRegistry",
    "getPluginRegistry", "getNvOnnxParserVersion", "initLibNvInferPlugins", "getInferLibVersion", "getLogger",
)  # fmt: skip
_LIST = f"""
import json, tensorrt_bindings as trt
names = {{"tensorrt": [name for name in dir(trt) if not name.startswith("_")]}}
for name in names["tensorrt"]:
    kind = getattr(trt, name)
    if isinstance(kind, type) and (name in {OBJECTS} or hasattr(kind, "__members__")):
        names[name] = [member for member in dir(kind) if not member.startswith("_")]
print(json.dumps(names))
"""


def read(version: str, folder: Path) -> dict[str, list[str]]:
    """Names by class, of one version."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "-d", str(folder), f"tensorrt-cu12-bindings=={version}"], check=True)
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(folder)
    (folder / "stub.c").write_text("\n".join(f"void *{name}(void) {{ return 0; }}" for name in _FUNCTIONS))
    for library in ("nvinfer", "nvonnxparser", "nvinfer_plugin"):
        name = f"lib{library}.so.{version.partition('.')[0]}"
        compiler = ["gcc", "-shared", "-fPIC", str(folder / "stub.c"), "-o", str(folder / name), f"-Wl,-soname,{name}"]
        subprocess.run(compiler, check=True)
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder), "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", _LIST], env=environment, capture_output=True, text=True, check=True)
    table: dict[str, list[str]] = json.loads(done.stdout)
    return table


def main() -> None:
    """Read all versions and write the file beside this script."""
    tables = {}
    for version in VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            tables[version] = {kind: " ".join(names) for kind, names in read(version, Path(folder)).items()}
    text = json.dumps(tables, indent=1, sort_keys=True) + "\n"
    Path(__file__).with_name("tensorrt_names.json").write_text(text)


if __name__ == "__main__":
    main()
