"""What is measured on this machine: latency, memory, energy, and the conditions of the run."""
