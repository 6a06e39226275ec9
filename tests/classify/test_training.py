from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from tests.classify.examples import WordBackend, hashing, labelled_texts, sdg_result
from toolkit import EmbeddingGemmaVectorizer
from toolkit.classify import TrainingResult, train_classifier
from toolkit.datasets import load
from toolkit.errors import DataError, EmbeddingWarning, MissingTextError, UsageError
from toolkit.identity import ModelIdentity
from toolkit.provenance import data_fingerprint, model_notice


@pytest.fixture(scope="module")
def sdg() -> TrainingResult:
    return sdg_result()


@pytest.fixture(scope="module")
def small() -> TrainingResult:
    texts, labels = labelled_texts()
    return train_classifier(texts, labels, vectorizer=hashing())


# --- the published figures -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dimension", "accuracy"), [(768, 0.774), (512, 0.767), (256, 0.761), (128, 0.704)]
)
def test_sdg_accuracy_by_dimension(sdg: TrainingResult, dimension: int, accuracy: float):
    assert sdg.by_dimension[dimension]["accuracy"].mean == pytest.approx(accuracy, abs=0.005)


def test_sdg_baselines(sdg: TrainingResult):
    tfidf = sdg.baselines["tfidf"]
    assert tfidf.scores["accuracy"].mean == pytest.approx(0.696, abs=0.005)
    assert tfidf.description == "TF-IDF of word 1- and 2-grams + LogisticRegression"
    most = Counter(load("sdg").target).most_common(1)[0][1]
    assert sdg.baselines["majority"].scores["accuracy"].mean == pytest.approx(most / 615, abs=0.001)


def test_sdg_provenance_is_enough_to_repeat_it(sdg: TrainingResult):
    made = sdg.provenance
    assert made["notice"] is None
    assert made["prompt"] == "task: classification | query: {text}"
    assert made["dimension"] == 768
    assert made["classifier"] == "LogisticRegression"
    assert made["classifier_parameters"] == {"C": 10, "max_iter": 2000}
    assert made["splits"] == "StratifiedKFold(n_splits=5, random_state=0, shuffle=True)"
    assert made["identity"]["engine"] == "sentence-transformers"
    assert "canary" not in made["identity"]
    assert made["rows"] == 615
    assert made["source"] == "dataset:sdg"
    assert made["versions"]["scikit-learn"]
    assert made["data_fingerprint"].startswith("sha256:")
    assert sdg.notes == []


def test_the_fitted_pipeline_predicts_texts(sdg: TrainingResult):
    texts = sdg.texts[:40]
    assert sdg.pipeline.named_steps["vectorizer"].identity_.canary is not None
    assert (sdg.pipeline.predict(texts) == sdg.y[:40]).mean() > 0.9
    assert list(sdg.pipeline.classes_) == list(sdg.classes)


# --- what a result says --------------------------------------------------------------------------


def test_confusion_per_class_and_errors_agree(small: TrainingResult):
    counts = small.confusion
    assert counts.sum() == 60
    wrong = counts.sum() - np.trace(counts)
    errors = small.errors()
    assert len(errors) == wrong > 0
    frame = small.per_class()
    assert frame["support"].tolist() == [20, 20, 20]
    np.testing.assert_allclose(frame["recall"], np.diag(counts) / 20)
    np.testing.assert_allclose(frame["predicted"], counts.sum(axis=0))
    harmonic = 2 / (1 / frame["precision"] + 1 / frame["recall"])
    np.testing.assert_allclose(frame["f1"], harmonic)
    for row in errors.itertuples():
        assert small.texts[row.position] == row.text
        assert small.y[row.position] == row.given != row.predicted
    gaps = errors["probability"] - errors["probability_given"]
    assert (np.diff(gaps) <= 1e-12).all()


def test_summary_shows_classifier_dimensions_and_baselines(small: TrainingResult):
    lines = small.summary().splitlines()
    assert lines[0].startswith("Not EmbeddingGemma")
    assert [line.split("  ")[0] for line in lines[2:3]] == ["LogisticRegression at 256 dimensions"]
    assert any("at 128" in line for line in lines)
    assert any("TF-IDF" in line for line in lines)
    accuracy = small.scores["accuracy"]
    assert f"{accuracy.mean:.3f} ± {accuracy.sd:.3f}" in lines[2]


def test_a_classifier_without_probabilities_still_has_errors():
    texts, labels = labelled_texts()
    result = train_classifier(
        texts, labels, vectorizer=hashing(), classifier=LinearSVC(), baselines=False, dimensions=()
    )
    assert result.validation.probabilities is None
    assert result.baselines == {}
    assert list(result.by_dimension) == [256]
    assert result.errors()["probability"].isna().all()


def test_same_seed_same_result_other_seed_other_folds(small: TrainingResult):
    texts, labels = labelled_texts()
    again = train_classifier(texts, labels, vectorizer=hashing(), baselines=False)
    np.testing.assert_array_equal(again.validation.predicted, small.validation.predicted)
    other = train_classifier(
        texts, labels, vectorizer=hashing(), baselines=False, random_state=1, dimensions=()
    )
    assert (other.validation.fold != small.validation.fold).any()


def test_shuffled_series_give_labels_to_their_texts(small: TrainingResult):
    texts, labels = labelled_texts()
    index = np.random.default_rng(0).permutation(60)
    result = train_classifier(
        pd.Series(texts, index=index),
        pd.Series(labels, index=index, dtype="category"),
        vectorizer=hashing(),
        baselines=False,
        dimensions=(),
    )
    np.testing.assert_array_equal(result.validation.predicted, small.validation.predicted)


def test_groups_make_grouped_folds():
    texts, labels = labelled_texts()
    groups = [i % 10 for i in range(60)]
    result = train_classifier(
        texts, labels, vectorizer=hashing(), groups=groups, baselines=False, dimensions=()
    )
    fold = result.validation.fold
    for group in range(10):
        assert len(set(fold[np.array(groups) == group])) == 1
    assert result.provenance["splits"].startswith("StratifiedGroupKFold")


# --- vectors -------------------------------------------------------------------------------------


class CountingVectorizer(TransformerMixin, BaseEstimator):
    """Counts the texts it turns into vectors, over all its clones."""

    calls: list[int] = []  # noqa: RUF012 - shared on purpose

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        self.calls.append(len(X))
        return WordBackend().embed(X)[:, : self.dimensions]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def test_every_text_becomes_a_vector_once():
    texts, labels = labelled_texts()
    CountingVectorizer.calls.clear()
    result = train_classifier(
        texts, labels, vectorizer=CountingVectorizer(dimensions=32), dimensions=(64, 16)
    )
    assert CountingVectorizer.calls == [60]
    assert list(result.by_dimension) == [64, 32, 16]
    assert result.provenance["dimension"] == 32
    assert result.pipeline.named_steps["classifier"].n_features_in_ == 32
    assert result.scores is result.by_dimension[32]


def test_a_vectorizer_that_learns_is_refused_as_a_leak():
    texts, labels = labelled_texts()
    with pytest.raises(UsageError, match="leak test rows"):
        train_classifier(texts, labels, vectorizer=TfidfVectorizer())


def test_rows_without_a_vector_are_refused():
    class Holes(CountingVectorizer):
        def transform(self, X):
            vectors = super().transform(X)
            vectors[7] = np.nan
            return vectors

    texts, labels = labelled_texts()
    with pytest.raises(DataError, match=r"1 of 60 texts have no vector \(first position 7\)"):
        train_classifier(texts, labels, vectorizer=Holes())


def test_nothing_is_embedded_when_the_labels_are_wrong():
    texts, labels = labelled_texts()
    CountingVectorizer.calls.clear()
    with pytest.raises(DataError, match=r"'single' \(1\)"):
        train_classifier(
            [*texts, "x"], [*labels, "single"], vectorizer=CountingVectorizer(), dimensions=()
        )
    with pytest.raises(UsageError, match="no classifier is called"):
        train_classifier(texts, labels, vectorizer=CountingVectorizer(), classifier="magic")
    assert CountingVectorizer.calls == []


def test_missing_texts_are_the_vectorizers_business():
    texts, labels = labelled_texts()
    texts[3] = None
    with pytest.raises(MissingTextError):
        train_classifier(texts, labels, vectorizer=hashing())


# --- what must be said ---------------------------------------------------------------------------


def test_another_model_is_named_on_the_result():
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = train_classifier(texts, labels, vectorizer=vectorizer, dimensions=(32,))
    notice = result.provenance["notice"]
    assert notice.startswith("Not EmbeddingGemma: vectors of word-directions through words")
    assert result.summary().startswith(notice)
    assert any("not known to be trained for shorter vectors" in note for note in result.notes)


def test_asking_another_model_for_short_vectors_warns():
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False, dimensions=32)
    with pytest.warns(EmbeddingWarning, match="not known to be trained for shorter vectors"):
        train_classifier(texts, labels, vectorizer=vectorizer, baselines=False, dimensions=())


def test_duplicates_across_folds_and_rare_classes_are_noted():
    texts, labels = labelled_texts()
    texts += ["the same text"] * 8
    labels += ["rare"] * 8
    result = train_classifier(
        texts, labels, vectorizer=hashing(), baselines=False, dimensions=(), cv=4
    )
    assert any(note.startswith("8 test rows have a text that is also") for note in result.notes)
    assert any("1 of 4 classes have fewer than 10 rows" in note for note in result.notes)


@pytest.mark.parametrize(
    ("model", "is_gemma"),
    [
        ("embeddinggemma", True),
        ("embeddinggemma:300m-qat-q8_0", True),
        ("embeddinggemma-2:270m-q8_0-text", True),
        ("nomic-embed-text", False),
        ("my-own", False),
    ],
)
def test_notice_by_model_name(model: str, is_gemma: bool):
    notice = model_notice(ModelIdentity("ollama", model, 768))
    assert (notice is None) == is_gemma


def test_fingerprint_sees_order_labels_and_borders():
    base = data_fingerprint(["a", "b"], np.array(["x", "y"], dtype=object))
    assert base == data_fingerprint(["a", "b"], np.array(["x", "y"], dtype=object))
    others = [
        data_fingerprint(["b", "a"], np.array(["x", "y"], dtype=object)),
        data_fingerprint(["a", "b"], np.array(["y", "x"], dtype=object)),
        data_fingerprint(["ax", "b"], np.array(["", "y"], dtype=object)),
        data_fingerprint(["a"], np.array(["x"], dtype=object)),
    ]
    assert len({base, *others}) == 5
