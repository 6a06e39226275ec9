from __future__ import annotations

import numpy as np
from scipy import sparse

from toolkit.cluster import term_matrix
from toolkit.cluster.term_matrix import document_frequency


def test_documents_with_a_term_are_counted_over_blocks(monkeypatch):
    monkeypatch.setattr(term_matrix, "_COUNTED_AT_ONCE", 3)
    matrix = sparse.csr_array(np.random.default_rng(0).integers(0, 3, size=(40, 7)))
    expected = (matrix.toarray() > 0).sum(axis=0)
    assert document_frequency(matrix).tolist() == expected.tolist()
