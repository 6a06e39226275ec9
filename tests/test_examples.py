"""The examples run as they stand, without a server, and show what they are there for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))

# What each must print: what it is there to show. Figures leave room for another BLAS.
SHOWS = {
    "train_classifier": [
        r"at 768 dimensions +0\.774 ",
        r"wrote build/sdg-classifier: .*model\.skops",
    ],
    "cluster_report": [r"wrote build/sdg-clusters\.html"],
    "grid_search": [
        r"^accuracy: 0\.77\d",
        r"615 unique: 615 from the cache",
        r"^100 texts, 46 fits: 100 texts sent to the model",
        r"other folds: 0 more",
    ],
    "other_columns": [
        r"TF-IDF +accuracy 0\.5\d",
        r"EmbeddingGemma +accuracy 0\.(69|70)",
        r"embeddinggemma000 .* embeddinggemma767 +section",
    ],
    "across_languages": [
        r"de +EmbeddingGemma accuracy 0\.84\d",
        r"zh-CN +EmbeddingGemma accuracy 0\.85\d",
        r"de +TF-IDF +accuracy 0\.15\d",
    ],
    "zero_and_few_shot": [
        r"Wird es morgen regnen\? +weather",
        r"asdf 12 +\(not sure\)",
        r"de +accuracy 0\.8\d",
    ],
    "label_problems": [r"of the 22 most unlikely, (19|20|21|22) are spoilt"],
    "out_of_core": [r"^4,000 texts, 3,999 of them", r"800 from the cache", r"accuracy 0\.7\d"],
    "vector_pack": [
        r"^texts in the pack: 0$",
        r"^imported: 451 ",
        r"^from the cache: 451$",
        r"CacheMissError: .* position 2",
    ],
    "service": [
        r'"label": "HassCancelAllTimers"',
        r'\[\]\n  \{"error"',
        r"never embedded.*\n.*error",
    ],
    "drift": [r"ModelDriftError: ", r"DriftWarning, and accuracy 0\.[01]", r"anew: accuracy 0\.6"],
}


def test_each_example_has_a_test_and_a_place_in_the_docs():
    names = {path.stem for path in EXAMPLES}
    assert names == set(SHOWS)
    page = (ROOT / "docs" / "examples.md").read_text("utf-8")
    assert set(re.findall(r"^```\{literalinclude\} \.\./examples/(\w+)\.py", page, re.M)) == names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_shows(example):
    lines = example.read_text("utf-8").splitlines()
    assert lines[0] == '"""'
    assert lines[2] == "=" * len(lines[1])
    # As it is copied from the page: on one screen's width, with a last word to be read.
    assert max(map(len, lines)) <= 100
    assert any(line.lstrip().startswith("print(") for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ImportWarning", str(example)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for pattern in SHOWS[example.stem]:
        assert re.search(pattern, done.stdout, re.MULTILINE), f"{pattern}\n{done.stdout}"
    # What is said to be written is there.
    for path in re.findall(r"^wrote ([^\s:]+)", done.stdout, re.MULTILINE):
        assert (tmp_path / path).exists(), done.stdout
