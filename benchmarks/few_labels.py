"""What few labels or none can do: the parts of classification.py about zero-shot and few-shot.

The shipped packs hold the vectors of texts, not of label names and descriptions. So the shipped
EmbeddingGemma vectors allow everything with examples (few-shot, learning curve), and zero-shot
needs a model at hand: Ollama if it answers, and the `embedded` backend, which is no EmbeddingGemma
and is named as what it is.
"""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, learning_curve
from sklearn.pipeline import make_pipeline

from toolkit import EmbeddingGemmaVectorizer, ZeroShotClassifier
from toolkit.classify import make_classifier
from toolkit.classify.baselines import tfidf_baseline
from toolkit.datasets import load
from toolkit.embedding.cached import CacheBackend
from toolkit.errors import BackendError

SHOTS = 8
REPEATS = 10
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
LANGUAGES = ("en", "de", "zh-CN")
_HERE = tempfile.TemporaryDirectory(prefix="toolkit-benchmark-")
NO_SERVER = (
    "not measured: no Ollama server answered, and the shipped packs hold no vectors of label "
    "names or descriptions"
)

# Written from the labels' own names and a look at three sentences of each, before any score was
# seen.
INTENTS = {
    "HassCancelAllTimers": "cancel all timers",
    "HassCancelTimer": "cancel a timer",
    "HassClimateSetTemperature": "set the temperature",
    "HassDecreaseTimer": "take time off a running timer",
    "HassFanSetSpeed": "set the speed of a fan",
    "HassGetCurrentDate": "what is the date today",
    "HassGetCurrentTime": "what time is it",
    "HassGetState": "is a device on, open or locked",
    "HassIncreaseTimer": "add time to a running timer",
    "HassPauseTimer": "pause a timer",
    "HassRespond": "say hello, small talk with the assistant",
    "HassSetPosition": "move blinds, shutters or doors to a position in percent",
    "HassSetVolume": "set the volume to a level",
    "HassSetVolumeRelative": "turn the volume up or down by some amount",
    "HassStartTimer": "start a timer",
    "HassTimerStatus": "how much time is left on a timer",
    "HassTurnOff": "turn something off",
    "HassTurnOn": "turn something on",
    "HassUnpauseTimer": "resume a paused timer",
}


@cache
def sources() -> dict[str, EmbeddingGemmaVectorizer]:
    """Return what vectors of known texts come from; each embeds a text once in a run."""
    return {
        "embeddinggemma": EmbeddingGemmaVectorizer(
            backend=CacheBackend(packs_only=True), cache=False
        ),
        "embedded": EmbeddingGemmaVectorizer(backend="embedded", cache=_HERE.name),
    }


@cache
def describing_sources() -> dict[str, EmbeddingGemmaVectorizer | None]:
    """Return what can embed the labels, too; None for Ollama if it does not answer."""
    server = EmbeddingGemmaVectorizer()
    try:
        server.fit(["is anybody there?"])
    except BackendError:
        return {"embeddinggemma": None, "embedded": sources()["embedded"]}
    return {"embeddinggemma": server, "embedded": sources()["embedded"]}


def vectors(source: str, texts: Any) -> NDArray[np.float32]:
    return sources()[source].transform(texts)


def few_shot() -> dict[str, Any]:
    """Return SDG accuracies from 8 passages a goal, the others to test on, over 10 draws."""
    data = load("sdg")
    X = {name: vectors(name, data.data) for name in sources()}
    scores: dict[str, list[float]] = {}
    for repeat in range(REPEATS):
        shown, rest = _draw(data.target, repeat)
        y, truth = data.target[shown], data.target[rest]
        examples = {label: data.data[shown[y == label]].tolist() for label in data.target_names}
        for name, vectorizer in sources().items():
            nearest = ZeroShotClassifier(examples, vectorizer=vectorizer).fit()
            _add(scores, f"{name}, ZeroShotClassifier", nearest.score(data.data[rest], truth))
            trained = make_classifier().fit(X[name][shown], y)
            _add(scores, f"{name}, LogisticRegression(C=10)", trained.score(X[name][rest], truth))
            mteb = LogisticRegression(max_iter=100, random_state=42).fit(X[name][shown], y)
            _add(scores, f"{name}, MTEB's classifier", mteb.score(X[name][rest], truth))
        words, _ = tfidf_baseline(data.data[shown].tolist(), make_classifier())
        words.fit(data.data[shown], y)
        _add(scores, "tfidf, LogisticRegression(C=10)", words.score(data.data[rest], truth))
    print(f"SDG passages, {SHOTS} a goal, {REPEATS} draws")
    return {name: _summed(name, found) for name, found in scores.items()}


def by_shots() -> dict[str, Any]:
    """Return SDG accuracies from 1 to 8 passages a goal, by prototypes and by training."""
    data = load("sdg")
    X = vectors("embeddinggemma", data.data)
    scores: dict[str, list[float]] = {}
    for shots in (1, 2, 4, SHOTS):
        for repeat in range(REPEATS):
            shown, rest = _draw(data.target, repeat, shots=shots)
            y, truth = data.target[shown], data.target[rest]
            examples = {label: data.data[shown[y == label]].tolist() for label in data.target_names}
            nearest = ZeroShotClassifier(examples, vectorizer=sources()["embeddinggemma"]).fit()
            score = nearest.score(data.data[rest], truth)
            _add(scores, f"{shots} a goal, ZeroShotClassifier", score)
            trained = make_classifier().fit(X[shown], y)
            score = trained.score(X[rest], truth)
            _add(scores, f"{shots} a goal, LogisticRegression(C=10)", score)
    print(f"SDG passages, EmbeddingGemma, 1 to {SHOTS} a goal, {REPEATS} draws")
    return {name: _summed(name, found) for name, found in scores.items()}


def few_shot_across_languages() -> dict[str, Any]:
    """Return accuracies on every language from 5 English sentences an intent, over 10 draws."""
    english = load("assist_intents", subset="en")
    others = {language: load("assist_intents", subset=language) for language in LANGUAGES}
    scores: dict[str, list[float]] = {}
    for repeat in range(REPEATS):
        # 5 and not 8: the smallest intent has 5 English sentences.
        shown, rest = _draw(english.target, repeat, shots=5)
        examples = {
            label: english.data[shown[english.target[shown] == label]].tolist()
            for label in english.target_names
        }
        for name, vectorizer in sources().items():
            clf = ZeroShotClassifier(examples, vectorizer=vectorizer).fit()
            for language, data in others.items():
                rows = rest if language == "en" else np.arange(len(data.data))
                _add(scores, f"{name}, {language}", clf.score(data.data[rows], data.target[rows]))
    print(f"Intents from 5 English sentences each, {REPEATS} draws")
    return {name: _summed(name, found) for name, found in scores.items()}


def zero_shot() -> dict[str, Any]:
    """Return accuracies from the labels' names and descriptions alone."""
    sdg = load("sdg")
    goals = {label: label.partition(" ")[2] for label in sdg.target_names}
    found: dict[str, Any] = {"goals": goals, "intents": INTENTS}
    print("No examples at all")
    for name, vectorizer in describing_sources().items():
        if vectorizer is None:
            found[name] = NO_SERVER
            print(f"  {name:38}{NO_SERVER}")
            continue
        clf = ZeroShotClassifier(goals, vectorizer=vectorizer).fit()
        found[name] = {
            "model": vectorizer.fit(["a"]).identity_.describe(),
            "sdg, from the goals' names": _said(name, "sdg", clf.score(sdg.data, sdg.target)),
        }
        clf = ZeroShotClassifier(INTENTS, vectorizer=vectorizer).fit()
        for language in LANGUAGES:
            data = load("assist_intents", subset=language)
            score = clf.score(data.data, data.target)
            found[name][f"intents in {language}, described in English"] = _said(
                name, language, score
            )
    return found


def growing() -> dict[str, Any]:
    """Return the SDG accuracy by number of training passages: the learning curve."""
    data = load("sdg")
    words, description = tfidf_baseline(data.data.tolist(), make_classifier())
    inputs: dict[str, tuple[BaseEstimator, Any]] = {
        name: (make_pipeline(make_classifier()), vectors(name, data.data)) for name in sources()
    }
    inputs["tfidf"] = (words, data.data)
    found: dict[str, Any] = {"tfidf is": description}
    print("SDG passages, learning curve (training passages: accuracy)")
    for name, (model, X) in inputs.items():
        sizes, _, scores = learning_curve(
            model,
            X,
            data.target,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
            train_sizes=SHARES,
            shuffle=True,
            random_state=0,
        )
        found[name] = {
            str(size): {"accuracy": round(row.mean(), 4), "sd": round(row.std(ddof=1), 4)}
            for size, row in zip(sizes.tolist(), scores, strict=True)
        }
        curve = "  ".join(f"{size}: {one['accuracy']:.3f}" for size, one in found[name].items())
        print(f"  {name:18}{curve}", flush=True)
    return found


def _draw(
    y: NDArray[Any], seed: int, *, shots: int = SHOTS
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    shown = np.concatenate(
        [
            rng.choice(np.flatnonzero(y == label), min(shots, int((y == label).sum()) - 1), False)
            for label in np.unique(y)
        ]
    )
    return shown, np.setdiff1d(np.arange(len(y)), shown)


def _add(scores: dict[str, list[float]], name: str, score: float) -> None:
    scores.setdefault(name, []).append(float(score))


def _summed(name: str, scores: list[float]) -> dict[str, float]:
    one = {
        "accuracy": round(float(np.mean(scores)), 4),
        "sd": round(float(np.std(scores, ddof=1)), 4),
    }
    print(f"  {name:46}{one['accuracy']:8.4f} ± {one['sd']:.4f}", flush=True)
    return one


def _said(name: str, what: str, score: float) -> float:
    print(f"  {name:18}{what:20}{score:8.4f}", flush=True)
    return round(float(score), 4)
