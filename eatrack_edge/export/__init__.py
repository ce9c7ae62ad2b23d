"""Exports a checkpoint to ONNX graphs in any precision, and checks them against it."""
