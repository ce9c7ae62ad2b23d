"""ONNX to TensorRT: engines are built on the machine that runs them, proved there, and kept fitting it."""
