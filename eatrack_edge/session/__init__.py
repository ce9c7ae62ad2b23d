"""One run: frames from a source through the tracker to the outputs, and its summary."""
