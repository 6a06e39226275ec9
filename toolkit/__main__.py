"""``python -m toolkit``: the command line."""

from __future__ import annotations

from toolkit.cli.main import run

if __name__ == "__main__":
    run()
