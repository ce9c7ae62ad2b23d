"""What every room stands on: boxes, crops, the model specification, configuration, files, errors. No torch, no onnx."""
