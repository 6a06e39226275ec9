"""For any list of texts, any batch size, any number of requests in flight: the same vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ollama_double.server import OllamaDouble
from toolkit.vectorizer import EmbeddingGemmaVectorizer

ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
FEW_TEXTS = st.sampled_from(["", " ", "a", "b", "\0", "é", "e\u0301", "مرحبا", "😀"])


@pytest.fixture(scope="module")
def double():
    with OllamaDouble() as running:
        yield running


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    texts=st.lists(FEW_TEXTS | ANY_TEXT, max_size=30),
    batch_size=st.sampled_from(["auto", 1, 2, 3, 7, 100]),
    n_jobs=st.sampled_from([None, 1, 2, 5]),
    cache=st.booleans(),
    dimensions=st.sampled_from([None, 256]),
)
def test_the_result_is_that_of_each_text_alone(
    double, texts, batch_size, n_jobs, cache, dimensions
):
    together = EmbeddingGemmaVectorizer(
        host=double.host, batch_size=batch_size, n_jobs=n_jobs, cache=cache, dimensions=dimensions
    )
    alone = EmbeddingGemmaVectorizer(host=double.host, cache=False, dimensions=dimensions)
    vectors = together.transform(texts)
    assert len(vectors) == len(texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(alone.transform([text])[0], vector)
    assert together.report_.unique == len(set(texts))
