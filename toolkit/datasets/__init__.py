"""Data sets that come with the project, and their EmbeddingGemma vectors.

>>> from toolkit.datasets import load, names
>>> names()
['assist_intents', 'emoji_multilingual', 'factbook', 'sdg', 'udhr']
>>> sdg = load("sdg")
>>> len(sdg.data), len(sdg.target_names), sdg.target[0]
(615, 17, 'SDG01 No Poverty')
"""

from __future__ import annotations

from toolkit.datasets.catalog import DatasetInfo, ShippedVectors, info, names
from toolkit.datasets.loading import load
from toolkit.datasets.vectors import load_vectors

__all__ = ["DatasetInfo", "ShippedVectors", "info", "load", "load_vectors", "names"]
