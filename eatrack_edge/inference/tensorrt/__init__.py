"""TensorRT: the backend, its GPU memory, the engine files and the manifest beside each."""
