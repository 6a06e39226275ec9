from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tests.cluster.examples import blobs, worded_texts
from toolkit.cluster import describe_clusters
from toolkit.cluster.joining import join_pairs
from toolkit.cluster.keywords import Keyword, c_tf_idf, keyword_names, log_odds, top_keywords
from toolkit.cluster.term_matrix import sum_by_cluster
from toolkit.cluster.terms import count_terms
from toolkit.errors import UsageError


def test_min_df_counts_documents_not_occurrences_or_clusters():
    texts = ["rare rare rare common", "common", "common also", "also"]
    assert list(count_terms(texts, min_df=2).terms) == ["also", "common"]
    assert "rare" in count_terms(texts, min_df=1).terms


def test_sums_are_those_of_the_one_hot_product():
    rng = np.random.default_rng(0)
    dense = rng.integers(0, 4, (20, 7))
    labels = rng.integers(-1, 3, 20)
    summed = sum_by_cluster(sparse.csr_array(dense), labels, 3).toarray()
    for cluster in range(3):
        np.testing.assert_array_equal(summed[cluster], dense[labels == cluster].sum(axis=0))


def test_c_tf_idf_is_the_published_formula():
    counts = np.array([[3.0, 0, 1], [1, 5, 0], [0, 0, 0]])
    average = counts.sum() / 2  # the third cluster has no words
    expected = np.zeros_like(counts)
    for c in range(2):
        for t in range(3):
            share = counts[c, t] / counts[c].sum()
            expected[c, t] = share * np.log(1 + average / counts[:, t].sum())
    np.testing.assert_allclose(c_tf_idf(sparse.csr_array(counts)).toarray(), expected)


def test_log_odds_is_the_published_formula():
    counts = np.array([[12.0, 3, 1], [2, 9, 1]])
    base, n = counts.sum(axis=0), counts.sum(axis=1)
    alpha = 10 * base * 3 / base.sum()
    expected = np.zeros_like(counts)
    for c in range(2):
        for t in range(3):
            a, b = counts[c, t], counts[1 - c, t]
            delta = np.log((a + alpha[t]) / (n[c] + alpha.sum() - a - alpha[t])) - np.log(
                (b + alpha[t]) / (n[1 - c] + alpha.sum() - b - alpha[t])
            )
            expected[c, t] = delta / np.sqrt(1 / (a + alpha[t]) + 1 / (b + alpha[t]))
    np.testing.assert_allclose(log_odds(sparse.csr_array(counts)).toarray(), expected)


def test_a_word_of_all_texts_and_one_that_one_text_repeats_are_no_keywords():
    _, labels = blobs()
    texts = worded_texts(labels)
    texts[0] += " zebra" * 50
    texts[31] += " zebra"
    for words in describe_clusters(texts, labels):
        found = [{word.term for word in cluster} for cluster in words]
        assert found == [
            set(w.split()) for w in ("harbour ship sail", "mountain peak climb", "oven bread flour")
        ]


def test_shares_inside_and_outside_are_of_documents_and_noise_counts_outside():
    texts = ["sea sea", "sea", "hill", "sea"]
    counts = count_terms(texts, min_df=1)
    labels = np.array([0, 0, 1, -1])
    words = top_keywords(
        c_tf_idf(sum_by_cluster(counts.counts, labels)), counts, labels, min_lift=0
    )
    (sea,) = words[0]
    assert (sea.term, sea.inside, sea.outside, sea.documents) == ("sea", 1.0, 0.5, 2)


def test_stop_words_and_word_groups():
    texts = ["solar power plant", "solar power station", "wind power"]
    found = count_terms(texts, min_df=2, ngram_range=(1, 2), stop_words=["power"])
    assert list(found.terms) == ["solar"]
    assert "solar power" in count_terms(texts, ngram_range=(2, 2)).terms
    with pytest.raises(UsageError, match="ngram_range"):
        count_terms(texts, ngram_range=(2, 1))


@pytest.mark.parametrize("texts", [["", "", ""], ["!", "?", "…"], ["one", "two", "three"]])
def test_texts_without_common_words_give_no_error(texts: list[str]):
    words, _ = describe_clusters(texts, np.array([0, 0, 1]))
    assert len(words) == 2


def test_one_cluster_is_described_by_its_frequent_words():
    words, _ = describe_clusters(["red apple", "green apple"], np.array([0, 0]))
    assert [word.term for word in words[0]] == ["apple"]


def test_pairs_are_joined_only_where_they_mostly_occur_together():
    texts = ["可持续发展", "可持续发展目标", "发展中国家", "持久"]
    words = [Keyword(t, 1.0, 0.5, 0.0, 2) for t in ("可持", "持续", "续发", "发展")]
    assert [w.term for w in join_pairs(words, texts)] == ["可持续发展"]
    # 发展 stands alone in as many texts as it stands in the longer string.
    words.reverse()
    assert [w.term for w in join_pairs(words, [*texts, "发展", "发展 快"])] == ["发展", "可持续发"]


def test_a_joined_word_has_the_share_of_the_texts_that_have_it():
    texts = ["水循环", "水循环", "水循", "山"]
    (word,) = join_pairs(
        [Keyword("循环", 2.0, 0.5, 0.1, 2), Keyword("水循", 1.0, 0.75, 0.0, 3)], texts
    )
    assert (word.term, word.inside, word.outside, word.documents) == ("水循环", 0.5, 0.0, 2)


def test_names_have_each_word_in_one_form():
    words = [Keyword(t, 1, 1, 0, 9) for t in ("forest", "forests", "tree", "treetops", "wood")]
    assert keyword_names([words]) == ["forest, tree, treetops"]
