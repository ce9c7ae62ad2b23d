"""Datasets: one file for each layout."""
