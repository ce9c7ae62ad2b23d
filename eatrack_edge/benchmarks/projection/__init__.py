"""What is only projected for boards that are not here; never a measurement."""
