"""Tracks one target: search region, decoding, motion, recovery and templates. numpy and OpenCV only."""
