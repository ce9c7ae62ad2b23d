"""Frames in, pictures and results out."""
