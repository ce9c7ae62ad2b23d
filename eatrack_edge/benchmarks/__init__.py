"""Speed: measured here with its conditions, projected elsewhere and labelled so, and shown on one page."""
