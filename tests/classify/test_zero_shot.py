from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from tests.classify.examples import WordBackend
from toolkit import EmbeddingGemmaVectorizer, ZeroShotClassifier, load_model, save_model
from toolkit.classify import TRUSTED_TYPES, predict_texts
from toolkit.datasets import load
from toolkit.embedding.cached import CacheBackend
from toolkit.errors import CacheMissError, DataError, UsageError
from toolkit.identity import ModelIdentity

DESCRIBED = {
    "fruit": "apple pear plum cherry",
    "vehicle": "car lorry tram bicycle",
    "weather": "rain snow sunshine fog",
}
TEXTS = [
    f"{a} {b} {i}"
    for its in DESCRIBED.values()
    for i, a in enumerate(its.split())
    for b in its.split()
    if a != b
]
LABELS = [label for label in DESCRIBED for _ in range(12)]
PACKS = EmbeddingGemmaVectorizer(backend=CacheBackend(packs_only=True), cache=False)


def words(labels: Any = DESCRIBED, **more: Any) -> ZeroShotClassifier:
    vectorizer = EmbeddingGemmaVectorizer(backend=WordBackend(), cache=False)
    return ZeroShotClassifier(labels, vectorizer=vectorizer, **more)


def few_shot(name: str, shots: int, subset: str | None = None) -> tuple[Any, ...]:
    """Return examples of every label, and the rest of the rows and labels."""
    data = load(name, subset=subset)
    rng = np.random.default_rng(0)
    chosen = {
        label: rng.choice(np.flatnonzero(data.target == label), shots, replace=False)
        for label in data.target_names
    }
    rest = np.setdiff1d(np.arange(len(data.data)), np.concatenate(list(chosen.values())))
    examples = {label: data.data[rows].tolist() for label, rows in chosen.items()}
    return examples, data.data[rest], data.target[rest]


def test_descriptions_are_enough():
    texts, labels = TEXTS, LABELS
    clf = words().fit()
    assert clf.classes_.tolist() == ["fruit", "vehicle", "weather"]
    assert clf.score(texts, labels) > 0.85
    assert clf.prototypes_.shape == (3, 64)
    assert clf.n_calibration_rows_ == 0
    probabilities = clf.predict_proba(texts)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (clf.classes_[probabilities.argmax(axis=1)] == clf.predict(texts)).all()


def test_the_order_in_which_labels_are_given_changes_nothing():
    texts = TEXTS
    turned = dict(reversed(DESCRIBED.items()))
    assert np.array_equal(
        words().fit().predict_proba(texts), words(turned).fit().predict_proba(texts)
    )


def test_a_texts_probabilities_do_not_depend_on_its_neighbours():
    texts = TEXTS
    clf = words().fit()
    whole = clf.predict_proba(texts)
    assert np.array_equal(whole[:1], clf.predict_proba(texts[:1]))
    assert np.array_equal(whole[7:20], clf.predict_proba(texts[7:20]))


def test_labels_go_through_the_same_prompt_as_texts(ollama_double):
    vectorizer = EmbeddingGemmaVectorizer(host=ollama_double.host)
    clf = ZeroShotClassifier(["sport", "politics"], vectorizer=vectorizer).fit()
    clf.predict(["who won?"])
    sent = ollama_double.texts_received
    assert {
        "task: classification | query: sport",
        "task: classification | query: politics",
        "task: classification | query: who won?",
    } <= set(sent)
    assert clf.prompt_ == "task: classification | query: {text}"
    assert clf.identity_ == clf.vectorizer_.identity_


def test_few_shot_with_real_vectors_and_in_another_language():
    examples, texts, labels = few_shot("sdg", 8)
    clf = ZeroShotClassifier(examples, vectorizer=PACKS).fit()
    assert clf.score(texts, labels) > 0.60  # 0.65 to 0.71 by the draw of the examples
    english, _, _ = few_shot("assist_intents", 5, "en")
    german = load("assist_intents", subset="de")
    clf = ZeroShotClassifier(english, vectorizer=PACKS).fit()
    assert clf.score(german.data, german.target) > 0.7


def test_labelled_rows_calibrate_the_temperature_and_nothing_else():
    examples, texts, labels = few_shot("sdg", 8)
    plain = ZeroShotClassifier(examples, vectorizer=PACKS).fit()
    some, others = slice(None, None, 4), slice(1, None, 4)
    fitted = clone(plain).fit(texts[some], labels[some])
    assert fitted.n_calibration_rows_ == len(labels[some])
    assert 0.005 < fitted.temperature_ < 0.05
    assert np.array_equal(plain.predict(texts), fitted.predict(texts))
    before = log_loss(labels[others], plain.predict_proba(texts[others]))
    after = log_loss(labels[others], fitted.predict_proba(texts[others]))
    assert after < before - 0.1
    sure = fitted.predict_proba(texts[others]).max(axis=1).mean()
    assert abs(sure - fitted.score(texts[others], labels[others])) < 0.1


def test_examples_of_a_label_do_not_vouch_for_it():
    texts = [DESCRIBED["fruit"], DESCRIBED["weather"]]
    clf = words().fit(texts, ["fruit", "weather"])
    assert (clf.n_calibration_rows_, clf.temperature_) == (0, 0.05)


def test_below_the_threshold_the_answer_is_the_empty_label():
    texts = TEXTS
    clf = words(threshold=0.9, temperature=0.2).fit()
    said, sure = clf.predict(texts), clf.predict_proba(texts).max(axis=1)
    assert 0 < (said == "").sum() < len(texts)
    assert ((said == "") == (sure < 0.9)).all()
    assert clf.predict(["something of another kind"]).tolist() == [""]


def test_labels_that_are_no_texts():
    clf = words({0: DESCRIBED["fruit"], 1: [DESCRIBED["vehicle"]]}).fit()
    assert clf.predict(["my car"]).tolist() == [1]
    with pytest.raises(UsageError, match="threshold needs labels that are texts"):
        clf.set_params(threshold=0.5).fit()


def test_labels_may_come_from_the_rows():
    clf = words(None).fit(["red apple", "fast car"], ["apple", "car"])
    assert clf.predict(["an apple"]).tolist() == ["apple"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a"], "two labels or more"),
        (["a", "b", "a"], "'a' is there more than once"),
        ([1, 2], "the label 1 is not a text and describes nothing"),
        ({"a": "x", "b": []}, "'b' has no description"),
        ({"a": "x", "b": ["y", None]}, "'b' has an example that is no text: None"),
        ({"a": "x", "b": 3}, "'b' is described by 3"),
        ({"a": "x", "": "y"}, "a label is empty"),
        ({"a": "x", 1: "y"}, "mixed types"),
        (None, "no labels"),
    ],
)
def test_labels_that_cannot_be(labels, said):
    with pytest.raises(UsageError, match=said):
        words(labels).fit()


def test_rows_that_do_not_fit_the_labels():
    with pytest.raises(DataError, match=r"1 of 2 rows have labels .* not among the 3.*'plant'"):
        words().fit(["a", "b"], ["plant", "fruit"])
    with pytest.raises(DataError, match="2 texts and 1 labels"):
        words().fit(["a", "b"], ["fruit"])
    with pytest.raises(UsageError, match="y is given without texts"):
        words().fit(y=["fruit"])


def test_a_vectorizer_that_learns_is_refused():
    with pytest.raises(UsageError, match="TfidfVectorizer learns from the texts"):
        ZeroShotClassifier(["a", "b"], vectorizer=TfidfVectorizer()).fit()
    clf = ZeroShotClassifier(DESCRIBED, vectorizer=HashingVectorizer(n_features=256)).fit()
    assert clf.predict(["a pear"]).tolist() == ["fruit"]


def test_names_that_no_pack_holds_are_said_to_be_missing():
    with pytest.raises(CacheMissError, match="2 of 2 texts"):
        ZeroShotClassifier(["Quality Education", "No Poverty"], vectorizer=PACKS).fit()


def test_texts_without_a_vector_are_never_guessed():
    class Lost(HashingVectorizer):
        def transform(self, X):
            found = super().transform(X).toarray()
            found[[text == "lost" for text in X]] = np.nan
            return found

    clf = ZeroShotClassifier(DESCRIBED, vectorizer=Lost(n_features=64)).fit()
    with pytest.raises(DataError, match=r"1 of 2 texts have no vector \(first position 1\)"):
        clf.predict(["a pear", "lost"])


def test_searches_frames_and_pickles():
    texts, labels = TEXTS, LABELS
    assert cross_val_score(words(), pd.Series(texts), pd.Series(labels), cv=3).min() > 0.8
    search = GridSearchCV(words(), {"temperature": [0.5, 0.05]}, scoring="neg_log_loss", cv=3)
    search.fit(np.array(texts, dtype=object), labels)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert np.array_equal(again.predict_proba(texts), search.predict_proba(texts))


def test_saved_and_loaded_without_trust(tmp_path):
    examples, texts, _ = few_shot("sdg", 3)
    clf = ZeroShotClassifier(examples, vectorizer=PACKS, threshold=0.2).fit()
    content = skops.io.dumps(clf)
    assert set(skops.io.get_untrusted_types(data=content)) <= set(TRUSTED_TYPES)
    loaded = load_model(save_model(clf, tmp_path / "model"))
    assert np.array_equal(loaded.predict(texts[:20]), clf.predict(texts[:20]))
    said = [one.label for one in predict_texts(loaded, texts[:20], threshold=0.2)]
    assert said == clf.predict(texts[:20]).tolist()


@pytest.mark.parametrize("given", [True, False])
def test_a_loaded_model_is_told_where_its_vectors_come_from(tmp_path, ollama_double, given):
    examples, _, _ = few_shot("sdg", 2)
    clf = ZeroShotClassifier(examples, vectorizer=PACKS).fit()
    if not given:
        clf.vectorizer = None  # as if fitted with the default one
    loaded = load_model(save_model(clf, tmp_path / "model"))
    with pytest.raises(CacheMissError):
        loaded.predict(["a sentence of my own"])
    loaded.set_params(vectorizer__backend="ollama", vectorizer__host=ollama_double.host)
    assert loaded.predict(["a sentence of my own"]).shape == (1,)
    assert "task: classification | query: a sentence of my own" in ollama_double.texts_received
    assert loaded.set_params(threshold=0.9).get_params()["threshold"] == 0.9


# --- scikit-learn ---------------------------------------------------------------------------------


class _Numbers:
    """A text of numbers to the direction of those numbers and a one."""

    max_tokens, preferred_batch, uses_prompts, key = None, 512, True, "numbers"

    def identify(self):
        return ModelIdentity("numbers", "embeddinggemma", 64, weights="e" * 64)

    def embed(self, texts):
        found = np.zeros((len(texts), 64), dtype=np.float32)
        found[:, -1] = 1.0  # keeps the lengths of rows apart, which a direction alone forgets
        for row, text in zip(found, texts, strict=True):
            words = text.removeprefix("task: classification | query: ").split()
            try:
                row[: len(words)] = [float(word) for word in words]
            except ValueError:  # a canary
                row[0] = len(text)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None

    def __repr__(self):
        return "Numbers()"


class NumericRows(ZeroShotClassifier):
    """Renders rows of numbers to texts and takes those of each label as its examples."""

    def fit(self, X, y=None):
        return super().fit(self._texts(X, reset=True, y=y), y)

    def _scores(self, X):
        return super()._scores(self._texts(X, reset=False))

    def _describe(self, X, y):
        if y is None or self.labels is not None:
            return super()._describe(X, y)
        return {
            label: [text for text, its in zip(X, y, strict=True) if its == label]
            for label in np.unique(y).tolist()
        }

    def _texts(self, X, *, reset, y="no_validation"):
        y = "no_validation" if y is None else y
        X = validate_data(self, X, y, reset=reset)
        X = X[0] if isinstance(X, tuple) else X
        return [" ".join(map(str, row)) for row in X.tolist()]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False
        return tags


@parametrize_with_checks(
    [
        NumericRows(
            vectorizer=EmbeddingGemmaVectorizer(backend=_Numbers(), cache=False, batch_size=512)
        )
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
