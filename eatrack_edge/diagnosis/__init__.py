"""What ``eatrack-edge doctor`` looks at: this machine, its Python, its backends, its video, its disk."""
