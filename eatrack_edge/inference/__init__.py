"""Runs the exported graphs: one backend protocol, and one file or folder for each engine that implements it."""
