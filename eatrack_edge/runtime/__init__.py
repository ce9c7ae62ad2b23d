"""What flies: crops, a backend that executes the graphs, decoding, and the target store. No torch, no onnx."""
