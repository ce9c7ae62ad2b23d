"""One-pass evaluation: metrics by named protocols, the runner, the report, and the trackers to compare with."""
