from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import pytest

from tests.classify.examples import hashing, labelled_texts
from toolkit.classify import Prediction, predict_texts, train_classifier
from toolkit.errors import MissingTextError
from toolkit.saved.row_log import RowLog, logged

MADE_BY = {"model": "abc"}


@pytest.fixture(scope="module")
def model():
    texts, labels = labelled_texts(10)
    made = train_classifier(texts, labels, vectorizer=hashing(), dimensions=(), baselines=False)
    return made.pipeline


def run(model, texts, path: Path, **how):
    def answer(chunk, start):
        return [astuple(one) for one in predict_texts(model, chunk, start=start, **how)]

    with RowLog(path, MADE_BY) as log:
        found = [Prediction(*row) for row in logged(texts, answer, log, chunk_size=4)]
    return found, log.taken


def test_a_repeated_run_takes_everything_and_is_the_same(model, tmp_path: Path):
    texts = labelled_texts(10)[0]
    expected = list(predict_texts(model, texts, top_k=2, threshold=0.5))
    assert run(model, texts, tmp_path / "p", top_k=2, threshold=0.5) == (expected, 0)
    assert run(model, texts, tmp_path / "p", top_k=2, threshold=0.5) == (expected, 30)


def test_texts_that_changed_are_predicted_anew(model, tmp_path: Path):
    texts = labelled_texts(10)[0]
    run(model, texts, tmp_path / "p")
    changed = [*texts[:9], "rain", *texts[10:]]
    found, taken = run(model, changed, tmp_path / "p")
    assert taken == 8  # the chunks before the change
    assert found == list(predict_texts(model, changed))


@pytest.mark.parametrize("lost", [1, 5, 400])
def test_a_torn_file_gives_no_wrong_prediction(model, tmp_path: Path, lost: int):
    texts = labelled_texts(10)[0]
    path = tmp_path / "p"
    expected, _ = run(model, texts, path)
    path.write_bytes(path.read_bytes()[:-lost])
    found, taken = run(model, texts, path)
    assert found == expected
    assert 0 < taken < 30
    assert run(model, texts, path)[1] == 30


def test_positions_in_errors_count_from_the_first_text(model, tmp_path: Path):
    with pytest.raises(MissingTextError) as raised:
        run(model, ["rain"] * 6 + [None], tmp_path / "p")
    assert list(raised.value.positions) == [6]


@pytest.mark.parametrize("rows", [["a", "b"], 3, [[1], [2], [3]]])
def test_lines_that_hold_other_things_are_begun_anew(tmp_path: Path, rows: object):
    path = tmp_path / "p"
    with RowLog(path, MADE_BY) as log:
        log.put(["x", "\ud800 \x00"], [(1,), ((2, "b"), None)])
    head, line = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{head}\n{json.dumps(json.loads(line) | {'rows': rows})}\n")
    with RowLog(path, MADE_BY) as log:
        assert log.take(["x", "\ud800 \x00"]) is None
        log.put(["x", "\ud800 \x00"], [(1,), ((2, "b"), None)])
    with RowLog(path, MADE_BY) as log:
        assert log.take(["x", "\ud800 \x00"]) == [(1,), ((2, "b"), None)]
