"""Stop words by name or one by one."""

from __future__ import annotations

import tempfile

import pytest

from toolkit.cluster import cluster_texts, count_terms, reuse_clustering, save_clustering
from toolkit.cluster.stop_words import stop_word_set
from toolkit.errors import UsageError

TEXTS = ["the sea and the ships", "the sea and the waves", "the hill and the trees"] * 4


def test_a_name_is_a_list_not_letters() -> None:
    found = count_terms(TEXTS, stop_words="english")
    assert list(found.terms) == ["hill", "sea", "ships", "trees", "waves"]


@pytest.mark.parametrize(
    ("given", "said"),
    [("german", "the words themselves"), ([b"und"], "no word"), (None, "no word"), ([1], "has 1")],
)
def test_what_are_none(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        stop_word_set(given)  # type: ignore[arg-type]


def test_they_are_refused_before_the_work_and_kept_by_name() -> None:
    X = [[1.0, i / 100] if "sea" in text else [i / 100, 1.0] for i, text in enumerate(TEXTS)]
    with pytest.raises(UsageError, match="stop_words='klingon'"):
        cluster_texts(TEXTS, X, n_clusters=2, stop_words="klingon")
    plain = cluster_texts(TEXTS, X, n_clusters=2, stability=0)
    assert not any("which say little" in doubt for doubt in plain.doubts())
    found = cluster_texts(TEXTS, X, n_clusters=2, stability=0, stop_words="english")
    assert found.provenance["stop_words"] == "english"
    folder = save_clustering(found, tempfile.mkdtemp() + "/saved")
    assert reuse_clustering(folder, TEXTS, X).names == found.names


def test_function_words_as_names_are_doubted() -> None:
    texts = ["they were with us", "they were with him"] * 4 + ["red ship", "red boat"] * 4
    X = [[1.0, i / 100] if i < 8 else [i / 100, 1.0] for i in range(16)]
    found = cluster_texts(texts, X, n_clusters=2, stability=0)
    (doubt,) = (doubt for doubt in found.doubts() if "which say little" in doubt)
    assert doubt.startswith("The first keywords of 1 cluster (")
    assert "“they”" in doubt
