"""What every score is shown beside: the most frequent answer, and TF-IDF with the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags

from toolkit.classify.classifiers import make_classifier, uncalibrated
from toolkit.classify.multilabel.estimator import LabelSetClassifier

__all__ = ["FrequentSetClassifier", "majority_baseline", "make_baselines", "tfidf_baseline"]

# Scripts written without spaces between words, as ranges of code points: a token pattern made of
# word characters takes a whole sentence of them for one token.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han compatibility
    (0x20000, 0x3FFFF),  # Han extensions
)
_SAMPLE = 2000


def make_baselines(
    texts: Sequence[str], classifier: BaseEstimator
) -> dict[str, tuple[str, BaseEstimator]]:
    """Return description and estimator of each baseline, by name; all take texts.

    Parameters
    ----------
    texts : sequence of str
        The texts they will be fitted on.
    classifier : estimator
        What they stand beside, unfitted; a :class:`LabelSetClassifier` for label sets.

    Examples
    --------
    >>> found = make_baselines(["a red house"], make_classifier())
    >>> [description for description, _ in found.values()]
    ['Always the most frequent class', 'TF-IDF of word 1- and 2-grams + LogisticRegression']
    """
    if not isinstance(classifier, LabelSetClassifier):
        pipeline, description = tfidf_baseline(texts, classifier)
        majority = ("Always the most frequent class", majority_baseline())
        return {"majority": majority, "tfidf": (description, pipeline)}
    counted, description = tfidf_baseline(texts, classifier.estimator)
    if not hasattr(counted[-1], "predict_proba"):  # calibration is left out of the baseline
        counted, description = tfidf_baseline(texts, make_classifier())
    own = clone(classifier).set_params(estimator=counted[-1])
    return {
        "majority": ("Always the most frequent labels", FrequentSetClassifier()),
        "tfidf": (description, make_pipeline(counted[0], own)),
    }


class FrequentSetClassifier(ClassifierMixin, BaseEstimator):
    """Always answer the label set that is most frequent in the training rows.

    Attributes
    ----------
    answer_ : ndarray of shape (n_labels,), bool
        That set.
    rates_ : ndarray of shape (n_labels,)
        Share of the training rows that have each label: its probability.

    Examples
    --------
    >>> Y = np.array([[1, 0], [1, 0], [0, 1]], dtype=bool)
    >>> FrequentSetClassifier().fit(["a", "b", "c"], Y).predict(["d"]).tolist()
    [[True, False]]
    """

    def fit(self, X: Any, y: NDArray[np.bool_]) -> Self:
        """Count the sets of an indicator matrix ``y``."""
        sets, counts = np.unique(y, axis=0, return_counts=True)
        self.answer_, self.rates_ = sets[counts.argmax()], y.mean(axis=0)
        return self

    def predict(self, X: Any) -> NDArray[np.bool_]:
        """Return the set for each text, shape (n, n_labels)."""
        return np.tile(self.answer_, (len(X), 1))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the rates for each text, shape (n, n_labels)."""
        return np.tile(self.rates_, (len(X), 1))


def majority_baseline() -> DummyClassifier:
    """Return the classifier that always answers the most frequent class.

    Examples
    --------
    >>> majority_baseline().fit([[0]] * 3, ["a", "a", "b"]).predict([[0]]).tolist()
    ['a']
    """
    return DummyClassifier(strategy="most_frequent")


def tfidf_baseline(texts: Sequence[str], classifier: BaseEstimator) -> tuple[Pipeline, str]:
    """Return TF-IDF 1- and 2-grams with the same classifier, and a description.

    Words are counted, or characters where most letters are of a script written without spaces
    (Chinese, Japanese, Thai...) or the texts hold no word at all: a baseline made weak on purpose
    proves nothing. For the same reason a calibrated classifier goes without its calibration: only
    labels are compared, and NearestCentroid's decision function loses on counts (SDG: 0.30, and
    0.67 without). A classifier that cannot take sparse matrices is replaced by the default one,
    and the description says so.

    Parameters
    ----------
    texts : sequence of str
        The texts it will be fitted on (looked at, not kept).
    classifier : estimator
        Unfitted; cloned.

    Returns
    -------
    pipeline : Pipeline
        Unfitted.
    description : str
        One line for reports.

    Examples
    --------
    >>> from toolkit.classify.classifiers import make_classifier
    >>> tfidf_baseline(["a red house", "the blue car"], make_classifier())[1]
    'TF-IDF of word 1- and 2-grams + LogisticRegression'
    >>> tfidf_baseline(["把灯打开", "现在几点"], make_classifier())[1]
    'TF-IDF of character 1- and 2-grams + LogisticRegression'
    """
    sample = texts[:: max(1, len(texts) // _SAMPLE)]
    words = TfidfVectorizer(ngram_range=(1, 2))
    analyse = words.build_analyzer()
    spaced = unspaced_share(sample) <= 0.5 and any(analyse(text) for text in sample)
    counter = words if spaced else TfidfVectorizer(ngram_range=(1, 2), analyzer="char")
    inner = uncalibrated(classifier)
    takes_sparse = get_tags(inner).input_tags.sparse
    last = clone(inner) if takes_sparse else make_classifier()
    unit = "word" if spaced else "character"
    description = f"TF-IDF of {unit} 1- and 2-grams + {type(last).__name__}"
    if not takes_sparse:
        description += f" ({type(inner).__name__} takes no sparse matrix)"
    return make_pipeline(counter, last), description


def unspaced_share(texts: Sequence[str]) -> float:
    """Return the share of letters that belong to scripts written without spaces.

    Examples
    --------
    >>> unspaced_share(["hello"]), unspaced_share(["你好"])
    (0.0, 1.0)
    """
    letters = unspaced = 0
    for text in texts:
        for character in text:
            if character.isalpha():
                letters += 1
                code = ord(character)
                unspaced += code >= 0x0E00 and any(a <= code <= b for a, b in _UNSPACED)
    return unspaced / letters if letters else 0.0
