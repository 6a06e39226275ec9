from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from tests.classify.examples import WordBackend, hashing, labelled_texts
from toolkit import EmbeddingGemmaVectorizer
from toolkit.classify import predict_texts
from toolkit.errors import EmbeddingError, InputTypeError, MissingTextError, UsageError


@pytest.fixture(scope="module")
def model() -> Pipeline:
    texts, labels = labelled_texts()
    return make_pipeline(hashing(), LogisticRegression(C=10)).fit(texts, labels)


@pytest.mark.parametrize("chunk_size", [1, 7, 60, 1000])
def test_predictions_do_not_depend_on_chunks(model: Pipeline, chunk_size: int):
    texts, _ = labelled_texts()
    found = list(predict_texts(model, texts, chunk_size=chunk_size, top_k=2))
    assert [p.label for p in found] == model.predict(texts).tolist()
    probabilities = model.predict_proba(texts)
    np.testing.assert_allclose([p.probability for p in found], probabilities.max(axis=1))
    for prediction, row in zip(found, probabilities, strict=True):
        assert [label for label, _ in prediction.top] == list(model.classes_[np.argsort(-row)[:2]])
        assert prediction.top[0] == (prediction.label, prediction.probability)


def test_a_stream_is_read_no_further_than_its_chunk(model: Pipeline):
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "a red apple"

    stream = predict_texts(model, endless(), chunk_size=10)
    for _ in range(25):
        assert next(stream).label == "fruit"
    assert read == 30


def test_below_the_threshold_the_label_is_empty_and_never_a_guess(model: Pipeline):
    texts, _ = labelled_texts()
    free = list(predict_texts(model, texts))
    threshold = float(np.median([p.probability for p in free]))
    found = list(predict_texts(model, texts, threshold=threshold))
    assert any(p.abstained for p in found)
    assert not all(p.abstained for p in found)
    for with_threshold, without in zip(found, free, strict=True):
        assert with_threshold.abstained == (without.probability < threshold)
        assert with_threshold.label == ("" if with_threshold.abstained else without.label)
        assert with_threshold.probability == without.probability


def test_a_probability_that_is_no_number_abstains():
    class Broken(DummyClassifier):
        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), np.nan)

    broken = Broken().fit(["x", "y"], ["a", "b"])
    (found,) = predict_texts(broken, ["x"], threshold=0.0)
    assert (found.label, found.abstained) == ("", True)


def test_labels_are_plain_python_objects():
    texts, labels = labelled_texts()
    numbers = [{"fruit": 1, "vehicle": 2, "weather": 3}[label] for label in labels]
    model = make_pipeline(hashing(), LogisticRegression()).fit(texts, np.array(numbers))
    (found,) = predict_texts(model, ["red apple"], top_k=9)
    assert type(found.label) is int
    assert len(found.top) == 3
    assert {type(label) for label, _ in found.top} == {int}


def test_a_classifier_without_probabilities(model: Pipeline):
    texts, labels = labelled_texts()
    svm = make_pipeline(hashing(), LinearSVC()).fit(texts, labels)
    assert [p.label for p in predict_texts(svm, texts)] == svm.predict(texts).tolist()
    assert {p.probability for p in predict_texts(svm, texts)} == {None}
    for asked in ({"threshold": 0.5}, {"top_k": 3}):
        with pytest.raises(UsageError, match="LinearSVC has no probabilities"):
            predict_texts(svm, texts, **asked)


@pytest.mark.parametrize(
    "wrong", [{"threshold": 1.5}, {"threshold": -0.1}, {"top_k": -1}, {"chunk_size": 0}]
)
def test_parameters_out_of_range_are_refused_before_anything_is_read(model: Pipeline, wrong: dict):
    def unread() -> Iterator[str]:
        raise AssertionError("read")
        yield ""

    with pytest.raises(UsageError):
        predict_texts(model, unread(), **wrong)


def test_a_single_text_is_refused(model: Pipeline):
    with pytest.raises(InputTypeError, match="list of texts"):
        predict_texts(model, "red apple")


def test_no_texts_give_no_predictions(model: Pipeline):
    assert list(predict_texts(model, [])) == []


def test_a_missing_text_is_named_by_its_position_in_the_whole_stream(model: Pipeline):
    texts: list = ["apple"] * 25
    texts[13] = None
    stream = predict_texts(model, texts, chunk_size=10)
    assert len([next(stream) for _ in range(10)]) == 10
    with pytest.raises(MissingTextError, match="texts 10 to 19") as caught:
        next(stream)
    assert caught.value.positions == (13,)


def test_a_wrong_type_later_in_the_stream(model: Pipeline):
    with pytest.raises(InputTypeError, match="texts 2 to 3"):
        list(predict_texts(model, ["a", "b", "c", 4], chunk_size=2))


class Refusing(WordBackend):
    """Cannot embed one text."""

    def embed(self, texts):
        from toolkit.errors import BackendError

        if any("poison" in text for text in texts):
            raise BackendError("cannot embed this")
        return super().embed(texts)


def test_a_text_that_cannot_be_embedded_is_named_by_its_position_in_the_whole_stream():
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=Refusing(), cache=False)
    model = make_pipeline(vectorizer, LogisticRegression()).fit(texts, labels)
    stream = predict_texts(model, ["apple", "car", "rain", "poison"], chunk_size=2)
    assert [next(stream).label, next(stream).label] == ["fruit", "vehicle"]
    with pytest.raises(EmbeddingError, match="texts 2 to 3") as caught:
        next(stream)
    assert list(caught.value.failed) == [3]


def test_missing_texts_follow_the_vectorizers_policy():
    texts, labels = labelled_texts()
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False, missing="empty")
    model = make_pipeline(vectorizer, LogisticRegression()).fit(texts, labels)
    found = list(predict_texts(model, ["apple", None]))
    assert len(found) == 2
