"""What UMAP says while it works."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["announce_compilation", "rounds_bar"]


def announce_compilation() -> None:
    """Say it when importing umap will compile it: numba's index files are not there yet."""
    if "umap" in sys.modules:
        return
    folders = []
    for name in ("umap", "pynndescent"):
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parent / "__pycache__")
    if folders and not all(any(folder.glob("*.nbi")) for folder in folders):
        from tqdm import tqdm

        tqdm.write(
            "UMAP is compiled on its first use; this can take a minute or more, once.",
            file=sys.stderr,
        )


def rounds_bar(doing: str, verbose: int) -> dict[str, Any]:
    """Return how umap-learn is to show its rounds; its own ``verbose`` prints to stdout.

    Parameters
    ----------
    doing : str
        What the rounds do.
    verbose : int
        As for :class:`~toolkit.visualize.UMAPProjector`.

    Examples
    --------
    >>> rounds_bar("placing", 0)["disable"]
    True
    """
    return {
        "desc": f"UMAP: {doing}",
        "unit": "round",
        "disable": None if verbose == 1 else verbose < 1,
        "delay": 2 if verbose == 1 else 0,
        "leave": verbose > 1,
        "bar_format": None,
        "dynamic_ncols": True,
    }
