"""``python -m eatrack_edge`` is ``eatrack-edge``."""

from eatrack_edge.cli import main

main()
