"""The whole job once, on real vectors: classify, predict, cluster and map 615 passages.

`toolkit demo` runs it. The passages' vectors come with the toolkit, so that no server is needed;
sentences of one's own need one, or are shown once more on the small built-in model. The two vector
spaces are never mixed, and every output of the built-in model says that it is not EmbeddingGemma.
"""

from __future__ import annotations

from toolkit.demo.job import SENTENCES, run_demo
from toolkit.demo.result import DemoResult

__all__ = ["SENTENCES", "DemoResult", "run_demo"]
