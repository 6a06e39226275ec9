from __future__ import annotations

import pytest

from tests.cluster.examples import blobs, worded_texts
from toolkit.cli.cluster_output import described
from toolkit.cluster import cluster_texts


@pytest.mark.parametrize(
    ("others", "name"), [(0, "empty texts"), (4, "mostly empty texts"), (18, None)]
)
def test_a_cluster_of_empty_texts_is_called_that(others: int, name: str | None):
    X, labels = blobs((30, 20, 10), spread=0.02)
    texts = worded_texts(labels)
    for i in range(30 + others, 50):
        texts[i] = "" if i % 2 else "\u200b \n"
    result = cluster_texts(texts, X, n_clusters=3, stability=0)
    assert result.labels[40] == 1
    doubts = [doubt for doubt in result.doubts() if "are empty" in doubt]
    if name is None:
        assert "mountain" in result.names[1]
        assert doubts == []
        return
    assert result.names[1] == name
    many = "All" if others == 0 else f"{20 - others} of the"
    assert doubts == [f"{many} 20 texts of 1 cluster (1) are empty."]
    # Said once, not again as copies or as a cluster without words.
    assert not any("mostly copies" in doubt or "typical" in doubt for doubt in result.doubts())
    line = described(result).splitlines()[-2]
    assert ("(empty texts)" if others == 0 else "mostly empty texts: ") in line
