"""Texts over the limit that are averaged over their pieces: what is seen and kept meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit import EmbeddingCache, EmbeddingGemmaVectorizer
from toolkit.embedding import long_texts


def test_the_bar_tells_of_the_pieces_of_one_very_long_text(ollama_double, capsys, monkeypatch):
    monkeypatch.setattr(long_texts, "SHOWN_AFTER", -1)
    vectorizer = EmbeddingGemmaVectorizer(
        host=ollama_double.host, long_texts="mean", cache=False, verbose=1
    )
    vectors = vectorizer.fit_transform(["Once upon a time there was a text. " * 9_000])
    assert np.isclose(np.linalg.norm(vectors), 1, atol=1e-5)
    shown = capsys.readouterr().err
    pieces = sum(len(record.texts) for record in ollama_double.requests.to("/api/embed"))
    (told,) = {part.split(" of ")[1] for part in shown.split("piece ")[1:]}
    assert f"piece {told} of {told} of long texts" in shown
    assert 40 < int(told) <= pieces


def test_very_long_texts_are_kept_one_by_one(ollama_double, tmp_path, monkeypatch):
    long = [f"{'once upon a time ' * 4_000}in land {i}." for i in range(4)]
    vectorizer = EmbeddingGemmaVectorizer(
        host=ollama_double.host, long_texts="mean", cache=tmp_path
    ).fit(long)
    average, averaged = long_texts._average, []

    def interrupted(work, positions, *rest):
        if len(averaged) == 2:
            raise KeyboardInterrupt
        averaged.append(positions.tolist())
        average(work, positions, *rest)

    monkeypatch.setattr(long_texts, "CHARACTERS_AT_ONCE", 50_000)
    monkeypatch.setattr(long_texts, "_average", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vectorizer.transform(long)
    assert averaged == [[0], [1]]
    (space,) = EmbeddingCache(tmp_path).spaces()
    assert len(space) == 2
