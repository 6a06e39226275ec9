import numpy as np

from toolkit import ClusterReport
from toolkit.cli.cluster_output import described
from toolkit.cluster import cluster_texts
from toolkit.cluster.first_names import first_names
from toolkit.cluster.keywords import Keyword


def words(*terms: str) -> list[Keyword]:
    return [Keyword(term, 1, 1, 0, 9) for term in terms]


def test_answers_without_a_word_are_named_by_what_they_repeat():
    texts = ["👍"] * 9 + ["👎"] * 3 + ["?"] * 9 + ["."] + ["tea"] * 9
    labels = np.repeat([0, 1, 2], [12, 10, 9])
    X = np.eye(4)[labels]
    result = cluster_texts(texts, X, n_clusters=3, stability=0)
    assert sorted(result.names) == ["tea", "“?”", "“👍”, “👎”"]


def test_a_text_that_is_there_once_names_nothing():
    texts = ["1a", "2b", "=1+1", "=1+1"]
    assert first_names([[], []], texts, np.array([0, 0, 1, 1])) == ["no keywords", "“=1+1”"]


def test_clusters_of_one_word_are_told_apart():
    texts = ["OK", "OK", "ok", "ok", "x"]
    found = first_names([words("ok"), words("ok")], texts, np.array([0, 0, 1, 1, 1]))
    assert found == ["ok (“OK”)", "ok (“ok”)"]


def test_names_that_only_a_text_tells_apart_are_shown_with_it():
    texts = ["OK"] * 9 + ["ok"] * 9 + ["tea"] * 9
    result = cluster_texts(texts, np.eye(3)[np.repeat([0, 1, 2], 9)], n_clusters=3, stability=0)
    lines = described(result).splitlines()[-3:]
    assert sorted(line.split("texts  ")[1] for line in lines) == [
        "ok (“OK”): ok",
        "ok (“ok”): ok",
        "tea",
    ]
    words = {row["name"]: row["words"] for row in ClusterReport(result).clusters}
    assert words["ok (“OK”)"] == [], "the name has it already"


def test_clusters_of_the_same_first_keywords_get_more_of_them():
    same = ("must", "be", "integer")
    texts = ["a", "b"]
    found = first_names([words(*same, "positive"), words(*same, "array")], texts, np.array([0, 1]))
    assert found == ["must, be, integer, positive", "must, be, integer, array"]


def test_numbers_and_codes_come_after_the_words():
    found = first_names([words("11", "01z", "2026", "api", "v1")], ["a"], np.array([0]))
    assert found == ["api, v1, 11"]
    assert first_names([words("2026", "11")], ["a"], np.array([0])) == ["2026, 11"]


def test_a_long_text_that_repeats_is_cut():
    texts = ["= " * 60] * 5
    name = first_names([[]], texts, np.zeros(5, dtype=int))[0]
    assert len(name) <= 42
    assert name.endswith("…”")
