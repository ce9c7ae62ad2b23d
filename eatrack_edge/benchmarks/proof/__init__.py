"""Proves on a real GPU what a machine without one can only compile or simulate."""
