"""Classifiers on the shipped EmbeddingGemma vectors, beside a small model and word counts.

    python benchmarks/classification.py [--out benchmarks/results/classification.json]

- the SDG passages, every named classifier beside TF-IDF with the same one, five stratified folds;
- voice-assistant intents, trained on English and tested on German and on Chinese;
- the same intents within one language, sentence templates kept on one side of a split. Intents
  whose sentences come from a single template cannot be tested so; they are left out and listed;
- few labels or none (few_labels.py): 8 passages a goal over 10 draws, English examples for other
  languages, the learning curve, and zero-shot from names and descriptions;
- one table of all of it: EmbeddingGemma, the `embedded` backend, TF-IDF.

No server is needed, but for zero-shot with EmbeddingGemma: the shipped packs hold the vectors of
the texts, not of labels' names. If Ollama answers, the script embeds them, and the 615 passages
and 1,500 sentences with them, through it (some minutes on a processor; kept in the cache); if not,
the figures say "not measured".

Prints the figures, and writes them with the machine and the versions they were measured on.
BLAS is held to one thread (see benchmarks/foundation.py). Takes two to three minutes, most of it
for TF-IDF. Needs the extra `embedded`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import few_labels
import numpy as np
from record import results_file, write_record
from sklearn.model_selection import StratifiedKFold, cross_val_score
from threadpoolctl import threadpool_limits

from toolkit import EmbeddingGemmaVectorizer
from toolkit.classify import CLASSIFIERS, make_classifier, train_classifier
from toolkit.classify.baselines import tfidf_baseline
from toolkit.datasets import load, load_vectors

PUBLISHED = {
    "sdg": {"logistic_regression": 0.774, "tfidf with logistic_regression": 0.696},
    "intents from English": {"de": 0.845, "zh-CN": 0.858},
}
TOLERANCE = 0.005
LANGUAGES = ("de", "zh-CN")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure classifiers on the shipped vectors.")
    parser.add_argument(
        "--out",
        type=Path,
        default=results_file("classification"),
        help="where to write the figures (default: %(default)s)",
    )
    options = parser.parse_args()
    with threadpool_limits(1, user_api="blas"):
        results = {
            "sdg": sdg(),
            "intents from English": across_languages(),
            "intents within a language": within_language(),
            "sdg few-shot": few_labels.few_shot(),
            "sdg by shots": few_labels.by_shots(),
            "intents few-shot from English": few_labels.few_shot_across_languages(),
            "zero-shot": few_labels.zero_shot(),
            "sdg learning curve": few_labels.growing(),
        }
        results["table"] = table(results)
    record = {
        "benchmark": "classification",
        "what": "accuracy; sd is the sample standard deviation over the folds or the draws. "
        "Everything called embeddinggemma is from the shipped vectors, but for zero-shot; "
        "embedded is Google's Universal Sentence Encoder, not EmbeddingGemma",
        "cross_validation": "StratifiedKFold(5, shuffle=True, random_state=0); by template "
        "StratifiedGroupKFold(5, shuffle=True, random_state=0)",
        "classifiers": {name: repr(make_classifier(name)) for name in CLASSIFIERS},
        "results": results,
    }
    write_record(options.out, record, packages=("numpy", "scipy", "scikit-learn"), blas_threads=1)
    off = differences(results)
    if off:
        print(f"not within {TOLERANCE} of what is published: {', '.join(off)}", file=sys.stderr)
    return 1 if off else 0


def sdg() -> dict[str, Any]:
    """Return the cross-validated scores of every named classifier, with TF-IDF beside each."""
    data = load("sdg")
    found: dict[str, Any] = {}
    print("SDG passages, five folds")
    for name in CLASSIFIERS:
        begin = time.perf_counter()
        result = train_classifier(
            data.data,
            data.target,
            vectorizer=EmbeddingGemmaVectorizer(backend="cache", cache=False),
            classifier=name,
            dimensions=(),
        )
        seconds = round(time.perf_counter() - begin, 1)
        for label, scores in (
            (name, result.scores),
            (f"tfidf with {name}", result.baselines["tfidf"].scores),
        ):
            found[label] = {
                "accuracy": round(scores["accuracy"].mean, 4),
                "sd": round(scores["accuracy"].sd, 4),
                "macro_f1": round(scores["macro_f1"].mean, 4),
            }
            print(f"  {label:38}{found[label]['accuracy']:8.4f}", flush=True)
        found[name]["seconds, TF-IDF included"] = seconds
    folds = cross_val_score(
        make_classifier(),
        few_labels.vectors("embedded", data.data),
        data.target,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
    )
    found["embedded with logistic_regression"] = {
        "accuracy": round(float(folds.mean()), 4),
        "sd": round(float(folds.std(ddof=1)), 4),
    }
    print(f"  {'embedded with logistic_regression':38}{folds.mean():8.4f}", flush=True)
    return found


def across_languages() -> dict[str, Any]:
    """Return the accuracy in other languages of classifiers trained on English."""
    english = load("assist_intents", subset="en")
    X = load_vectors("assist_intents", task="classification", subset="en")
    small = make_classifier().fit(few_labels.vectors("embedded", english.data), english.target)
    found: dict[str, Any] = {}
    print("Intents, trained on English")
    for language in LANGUAGES:
        other = load("assist_intents", subset=language)
        Z = load_vectors("assist_intents", task="classification", subset=language)
        scores = {
            name: make_classifier(name).fit(X, english.target).score(Z, other.target)
            for name in CLASSIFIERS
        }
        scores["embedded with logistic_regression"] = small.score(
            few_labels.vectors("embedded", other.data), other.target
        )
        tfidf, _ = tfidf_baseline(english.data, make_classifier())
        tfidf.fit(english.data, english.target)
        scores["tfidf with logistic_regression"] = tfidf.score(other.data, other.target)
        found[language] = {name: round(float(score), 4) for name, score in scores.items()}
        for name, score in found[language].items():
            print(f"  {language:6}{name:32}{score:8.4f}", flush=True)
    return found


def within_language() -> dict[str, Any]:
    """Return the scores within each language with templates as groups."""
    found: dict[str, Any] = {}
    print("Intents within a language, by template")
    for language in ("en", *LANGUAGES):
        data = load("assist_intents", subset=language)
        templates = {
            label: len(set(data.groups[data.target == label])) for label in data.target_names
        }
        single = sorted(label for label, n in templates.items() if n < 2)
        rows = np.flatnonzero(~np.isin(data.target, single))
        result = train_classifier(
            data.data[rows],
            data.target[rows],
            groups=data.groups[rows],
            vectorizer=EmbeddingGemmaVectorizer(backend="cache", cache=False),
            dimensions=(),
        )
        small = train_classifier(
            data.data[rows],
            data.target[rows],
            groups=data.groups[rows],
            vectorizer=few_labels.sources()["embedded"],
            dimensions=(),
            baselines=False,
        )
        found[language] = {
            "accuracy": round(result.scores["accuracy"].mean, 4),
            "sd": round(result.scores["accuracy"].sd, 4),
            "macro_f1": round(result.scores["macro_f1"].mean, 4),
            "embedded accuracy": round(small.scores["accuracy"].mean, 4),
            "tfidf accuracy": round(result.baselines["tfidf"].scores["accuracy"].mean, 4),
            "tfidf": result.baselines["tfidf"].description,
            "rows": len(rows),
            "classes": len(result.classes),
            "left out, one template only": single,
            "notes": result.notes,
        }
        row = found[language]
        print(
            f"  {language:6}{row['accuracy']:8.4f}, embedded {row['embedded accuracy']:.4f}, "
            f"TF-IDF {row['tfidf accuracy']:.4f}, "
            f"{row['classes']} classes, {len(single)} left out",
            flush=True,
        )
    return found


def table(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return and print one line a task: EmbeddingGemma, the embedded backend, TF-IDF."""
    rows: list[dict[str, Any]] = []

    def add(task: str, gemma: float | None, embedded: float | None, tfidf: float | None) -> None:
        rows.append({"task": task, "embeddinggemma": gemma, "embedded": embedded, "tfidf": tfidf})

    def accuracy(part: str, name: str) -> float:
        return float(results[part][name]["accuracy"])

    method = "logistic_regression"
    add(
        "SDG, five folds",
        *(accuracy("sdg", n) for n in (method, f"embedded with {method}", f"tfidf with {method}")),
    )
    shots = "LogisticRegression(C=10)"
    add(
        f"SDG, {few_labels.SHOTS} a goal",
        *(
            accuracy("sdg few-shot", f"{n}, {shots}")
            for n in ("embeddinggemma", "embedded", "tfidf")
        ),
    )
    add(
        f"SDG, {few_labels.SHOTS} a goal, ZeroShotClassifier",
        *(accuracy("sdg few-shot", f"{n}, ZeroShotClassifier") for n in few_labels.sources()),
        None,
    )
    silent = isinstance(results["zero-shot"]["embeddinggemma"], str)
    for task in [key for key in results["zero-shot"]["embedded"] if key != "model"]:
        gemma = None if silent else results["zero-shot"]["embeddinggemma"][task]
        add(f"zero-shot {task}", gemma, results["zero-shot"]["embedded"][task], None)
    for language, one in results["intents from English"].items():
        names = (method, f"embedded with {method}", f"tfidf with {method}")
        add(f"intents, English to {language}", *(one[name] for name in names))
    for language in ("en", *LANGUAGES):
        few = (
            accuracy("intents few-shot from English", f"{n}, {language}")
            for n in few_labels.sources()
        )
        add(f"intents in {language} from 5 English sentences each", *few, None)
    for language, one in results["intents within a language"].items():
        names = ("accuracy", "embedded accuracy", "tfidf accuracy")
        add(f"intents within {language}, by template", *(one[name] for name in names))
    print(f"{'':58}{'EmbeddingGemma':>16}{'embedded':>10}{'TF-IDF':>8}")
    for row in rows:
        shown = [row[n] for n in ("embeddinggemma", "embedded", "tfidf")]
        cells = ["–" if value is None else f"{value:.3f}" for value in shown]
        print(f"{row['task']:58}{cells[0]:>16}{cells[1]:>10}{cells[2]:>8}")
    return rows


def differences(results: dict[str, Any]) -> list[str]:
    """Return which published figures were not measured again."""
    off = [
        f"sdg {name}"
        for name, published in PUBLISHED["sdg"].items()
        if abs(results["sdg"][name]["accuracy"] - published) > TOLERANCE
    ]
    across = results["intents from English"]
    off += [
        f"intents {language}"
        for language, published in PUBLISHED["intents from English"].items()
        if abs(across[language]["logistic_regression"] - published) > TOLERANCE
    ]
    return off


if __name__ == "__main__":
    sys.exit(main())
