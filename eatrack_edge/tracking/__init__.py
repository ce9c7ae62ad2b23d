"""Tracks one target: search region, decoding, motion, acceptance and templates. numpy and OpenCV only."""
