"""Sources of frames: one file each, opened by URI through the registry."""
