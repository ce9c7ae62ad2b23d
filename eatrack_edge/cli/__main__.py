"""``python -m eatrack_edge.cli``: the command line without the installed script."""

from eatrack_edge.cli import main

main()
