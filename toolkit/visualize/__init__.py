"""Pictures of vector spaces: projections, how far to believe them, static and interactive maps.

>>> from toolkit.visualize import EmbeddingMapDisplay
>>> EmbeddingMapDisplay.__name__
'EmbeddingMapDisplay'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.visualize.coloring import label_agreement
    from toolkit.visualize.comparison import MapComparison
    from toolkit.visualize.display import EmbeddingMapDisplay
    from toolkit.visualize.overlap import NeighbourOverlap, neighbour_overlap
    from toolkit.visualize.palette import PALETTE
    from toolkit.visualize.projector import UMAPProjector
    from toolkit.visualize.quality import ProjectionQuality, projection_quality

__all__ = [
    "PALETTE",
    "EmbeddingMapDisplay",
    "MapComparison",
    "NeighbourOverlap",
    "ProjectionQuality",
    "UMAPProjector",
    "label_agreement",
    "neighbour_overlap",
    "projection_quality",
]

_HOMES = {
    "EmbeddingMapDisplay": "toolkit.visualize.display",
    "MapComparison": "toolkit.visualize.comparison",
    "NeighbourOverlap": "toolkit.visualize.overlap",
    "PALETTE": "toolkit.visualize.palette",
    "ProjectionQuality": "toolkit.visualize.quality",
    "UMAPProjector": "toolkit.visualize.projector",
    "label_agreement": "toolkit.visualize.coloring",
    "neighbour_overlap": "toolkit.visualize.overlap",
    "projection_quality": "toolkit.visualize.quality",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: they import scikit-learn."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
