"""The entry point of the command ``toolkit``: what is imported is imported under its guard."""

from __future__ import annotations

import gc
import sys

__all__ = ["run"]


def run() -> None:
    """Run the command line; the console script's entry point."""
    try:
        from toolkit.cli.app import app

        app()
    except KeyboardInterrupt:  # while modules are still being imported, also those of messages
        sys.stderr.write("error: interrupted.\n")
        sys.exit(130)  # INTERRUPTED of toolkit.cli.failures
    finally:
        # The interpreter looks through every object once more before it ends, which takes longer
        # (with scikit-learn and pandas most of a second) than anybody waits after Ctrl-C.
        gc.freeze()
