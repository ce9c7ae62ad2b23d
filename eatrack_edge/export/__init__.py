"""From a checkpoint to graphs that are proved against it."""
