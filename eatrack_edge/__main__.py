"""``python -m eatrack_edge`` is ``eatrack-edge``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported ends it without a traceback."""
    try:
        from eatrack_edge.cli import main as run

        run()
    except KeyboardInterrupt:
        exec("")  # Python would end by SIGINT: see `forget_handled_interrupts`
        sys.exit(130)


if __name__ == "__main__":
    main()
