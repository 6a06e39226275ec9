"""What one process is embedding, the others wait for."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from tests import midway
from tests.ollama_double import faults
from tests.ollama_double.fault import Fault
from toolkit.cache import EmbeddingCache, claims
from toolkit.embedding import patience
from toolkit.embedding.keys import hash_texts
from toolkit.embedding.patience import Patience
from toolkit.embedding.rendering import render_text
from toolkit.errors import EmbeddingError, EmbeddingWarning
from toolkit.identity import CANARY_NAMES, reference_texts
from toolkit.prompts import resolve_prompt
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"unique text {i}" for i in range(200)]
PROMPT = resolve_prompt("embeddinggemma", "classification")

EMBED = """
import sys
from toolkit.vectorizer import EmbeddingGemmaVectorizer
texts = [f"unique text {i}" for i in range(200)]
EmbeddingGemmaVectorizer(host=sys.argv[1], batch_size=10).fit(texts).transform(texts)
"""


def received(double) -> list[str]:
    return [text for text in double.texts_received if "unique text" in text]


def slow(double, seconds: float) -> None:
    double.faults.add(Fault(faults.delay(seconds), containing="unique text", times=None))


def make(double, **options) -> EmbeddingGemmaVectorizer:
    return EmbeddingGemmaVectorizer(host=double.host, batch_size=10, **options).fit(TEXTS)


def test_a_grid_search_by_two_processes_sends_each_text_once(ollama_double, tmp_path):
    """200 texts, 5 folds, 4 values of C, 3 dimensions, the refit; then with another shuffle."""
    slow(ollama_double, 0.05)
    # By name: joblib's workers may have begun in another test, with its environment.
    cache = str(tmp_path / "vectors")
    y = np.arange(200) % 2
    pipeline = make_pipeline(
        EmbeddingGemmaVectorizer(host=ollama_double.host, batch_size=10, cache=cache),
        LogisticRegression(max_iter=200),
    )
    grid = {
        "embeddinggemmavectorizer__dimensions": [128, 256, 768],
        "logisticregression__C": [0.1, 1, 10, 100],
    }
    sent: list[list[str]] = []
    for shuffle in (0, 1):
        folds = StratifiedKFold(5, shuffle=True, random_state=shuffle)
        search = GridSearchCV(pipeline, grid, cv=folds, n_jobs=2, error_score="raise")
        search.fit(TEXTS, y)
        assert search.best_estimator_[0].report_.embedded == 0, "the refit embeds nothing"
        sent.append(list(ollama_double.texts_received))
    assert sorted(received(ollama_double)) == sorted(
        render_text(text, None, PROMPT) for text in TEXTS
    )
    # Beside them only the canaries, which two processes that begin at once may both ask for.
    canaries = {reference_texts()[name] for name in CANARY_NAMES}
    others = [text for text in sent[0] if "unique text" not in text]
    assert set(others) == canaries
    # Each is asked alone, and the short ones once more together.
    assert len(canaries) <= len(others) <= 2 * 2 * len(canaries)
    assert sent[1] == sent[0], "a second search sends nothing"


def test_threads_send_each_text_once(ollama_double):
    slow(ollama_double, 0.02)
    one = make(ollama_double)
    results: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        order = np.random.default_rng(number).permutation(200)
        found = one.transform([TEXTS[i] for i in order])
        results[number] = found[np.argsort(order)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(results[0], other) for other in results.values())
    assert sorted(received(ollama_double)) == sorted(set(received(ollama_double)))
    assert len(received(ollama_double)) == 200


def test_a_killed_process_holds_nobody_up(ollama_double, monkeypatch):
    # Far from what a busy machine takes: else half a minute, and two.
    monkeypatch.setattr(claims, "DEAD_AFTER", 400.0)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 400.0)
    # It comes so far and no further: what it asks for after that is never answered.
    ollama_double.faults.add(Fault(faults.hang(), containing="unique text", times=None, skip=6))
    process = subprocess.Popen(
        [sys.executable, "-c", EMBED, ollama_double.host], cwd=Path(__file__).parents[2]
    )
    midway.wait_until_held(20)
    waiting = Patience.wait

    def end_and_wait(self: Patience, *, progress: bool) -> None:
        """The other ends as soon as somebody waits for it."""
        if process.poll() is None:
            ollama_double.faults.clear()
            process.kill()
            process.wait()  # else it is still known to the system
        waiting(self, progress=progress)

    monkeypatch.setattr(Patience, "wait", end_and_wait)
    one = make(ollama_double)
    started = time.monotonic()
    found = one.transform(TEXTS)
    assert time.monotonic() - started < claims.DEAD_AFTER
    assert process.returncode is not None, "nobody waited for it"
    assert np.isfinite(found).all()
    assert one.report_.hits + one.report_.embedded == 200
    assert one.report_.hits >= 20
    assert one.report_.embedded >= 100


def test_what_another_gave_up_is_tried_again(ollama_double):
    """The first fails on a text; the second, which waited for it, asks itself."""
    slow(ollama_double, 0.05)
    bad = ollama_double.faults.add(Fault(faults.zero_vectors("unique text 7"), times=None))
    first, second = make(ollama_double), make(ollama_double)
    errors: list[Exception] = []

    def work() -> None:
        try:
            first.transform(TEXTS)
        except EmbeddingError as error:
            errors.append(error)
            ollama_double.faults.remove(bad)

    thread = threading.Thread(target=work)
    thread.start()
    while not received(ollama_double):
        time.sleep(0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmbeddingWarning)
        second.set_params(on_error="nan")
        found = second.transform(TEXTS)
    thread.join()
    assert len(errors) == 1
    assert np.isfinite(np.delete(found, [7, *range(70, 80)], axis=0)).all()
    counts = [received(ollama_double).count(PROMPT.template.format(text=t)) for t in TEXTS]
    assert counts[0] == counts[150] == 1


def test_nobody_waits_for_ever(ollama_double, monkeypatch):
    """A claim whose holder lives and brings nothing."""
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.3)
    one = make(ollama_double)
    one.transform(["something else"])
    (space,) = EmbeddingCache().spaces()
    with space.claim(hash_texts(TEXTS[:50], PROMPT)) as claim:
        assert claim.mine.all()
        assert np.isfinite(one.transform(TEXTS)).all()
    assert one.report_.embedded == 200


# Not within the threads: the filters of warnings belong to the whole process.
@pytest.mark.filterwarnings("ignore::toolkit.errors.EmbeddingWarning")
@pytest.mark.parametrize("long_texts", ["truncate", "mean"])
def test_long_texts_are_waited_for_too(ollama_double, long_texts):
    ollama_double.faults.add(Fault(faults.delay(0.1), times=None))
    texts = [f"unique text {i} " + "word " * 3000 for i in range(3)]
    results = []

    def work() -> None:
        one = make(ollama_double, long_texts=long_texts)
        results.append((one.transform(texts), one.report_))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (first, report), (second, other) = results
    assert np.array_equal(first, second)
    assert sorted([report.embedded, other.embedded]) == [0, 3]
    assert sorted([report.hits, other.hits]) == [0, 3]
