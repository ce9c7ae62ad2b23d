"""What every other folder builds on: boxes, crops, the model specification, configuration, files and errors."""
