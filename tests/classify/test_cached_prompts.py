from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.classify.examples import WordBackend, hashing, labelled_texts, sdg_result
from toolkit import ClassifierReport, EmbeddingGemmaVectorizer
from toolkit.classify import train_classifier
from toolkit.classify.cached_prompts import CachedPrompts
from toolkit.datasets import load, load_vectors
from toolkit.prompts import TASKS


def fitted(texts: list[str], **parameters) -> EmbeddingGemmaVectorizer:
    return EmbeddingGemmaVectorizer(task="classification", **parameters).fit(texts)


def test_shipped_vectors_of_another_prompt_are_found_and_the_others_named():
    texts = load("sdg").data.tolist()
    prompts = CachedPrompts(fitted(texts, backend="cache", cache=False, dimensions=128), texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [(task, X)] = prompts
    assert task == "clustering"
    np.testing.assert_allclose(X, load_vectors("sdg", task="clustering"), atol=1e-3)
    assert prompts.missing == dict.fromkeys(set(TASKS) - {"classification", "clustering"}, 615)


def test_one_text_without_a_vector_leaves_the_prompt_out():
    texts = load("sdg").data[:20].tolist()
    vectorizer = fitted(texts, backend="cache", cache=False)
    prompts = CachedPrompts(vectorizer, [*texts, "not among them"])
    assert list(prompts) == []
    assert prompts.missing["clustering"] == 1


def test_other_spaces_and_other_vectorizers_have_no_prompts(tmp_path: Path):
    texts, labels = labelled_texts()
    assert list(CachedPrompts(hashing().fit(texts), texts)) == []
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=str(tmp_path))
    result = train_classifier(texts, labels, vectorizer=vectorizer, baselines=False, dimensions=())
    assert result.by_prompt == {}
    assert "By prompt" not in ClassifierReport(result).to_html()


def test_training_scores_them_on_the_same_splits():
    result = sdg_result()
    assert list(result.by_prompt) == ["clustering"]
    assert result.by_prompt["clustering"]["accuracy"].mean == pytest.approx(0.785, abs=0.005)
    assert "under the prompt for clustering" in result.summary()
    report = ClassifierReport(result)
    assert [(name, own) for name, _, own in report.prompts] == [
        ("classification", True),
        ("clustering", False),
    ]
    assert report.prompts_left_out.startswith("Not compared, as texts have no vector in the cache")
    for text in (report.to_html(), report.to_markdown()):
        assert "By prompt" in text
        assert "Not compared" in text
    assert set(report.to_dict()["by_prompt"]) == {"clustering"}


def test_unlikely_labels_are_those_of_the_label_check():
    from toolkit.classify import find_label_problems

    result = sdg_result()
    found = result.label_problems()
    X = load_vectors("sdg", task="classification")
    checked = find_label_problems(
        result.texts, result.y, X, probabilities=result.validation.probabilities
    )
    unlikely = [one for one in checked if one.problem == "unlikely_label"]
    assert found == unlikely
    report = ClassifierReport(result, n_errors=4)
    assert (len(report.label_problems), report.n_problems) == (4, len(found))
    assert report.label_problems[0]["row"] == found[0].row
    for text in (report.to_html(), report.to_markdown()):
        assert "Labels to look at again" in text


def test_a_planted_wrong_label_is_in_the_report_and_no_probabilities_give_none():
    texts, labels = labelled_texts(40)
    labels[3] = "vehicle"
    result = train_classifier(texts, labels, vectorizer=hashing(), baselines=False, dimensions=())
    assert 3 in [one.row for one in result.label_problems()]
    bare = train_classifier(
        texts, labels, vectorizer=hashing(), baselines=False, dimensions=(),
        classifier="sklearn.svm.LinearSVC",
    )  # fmt: skip
    assert bare.label_problems() == []
    assert "Labels to look at again" not in ClassifierReport(bare).to_html()
