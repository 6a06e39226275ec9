from __future__ import annotations

from toolkit.classify.model_card import model_card
from toolkit.classify.model_info import ModelInfo
from toolkit.identity import ModelIdentity

HOSTILE = "x|y\n# heading ![i](http://evil.example/p.png) <script>alert(1)</script> `code`"


def _info(**changes: object) -> ModelInfo:
    scores = {"mean": 0.75, "sd": 0.05, "folds": [0.7, 0.8]}
    values = {
        "file": "model.skops",
        "sha256": "0" * 64,
        "classes": ["fruit", "vehicle"],
        "dimension": 256,
        "prompt": "task: classification | query: {text}",
        "identity": ModelIdentity("ollama", "embeddinggemma", 768),
        "metrics": {"accuracy": scores, "macro_f1": scores},
        "by_dimension": {d: {"accuracy": scores, "macro_f1": scores} for d in ("256", "128")},
        "baselines": {
            "tfidf": {"description": "TF-IDF", "accuracy": scores, "macro_f1": scores},
        },
        "provenance": {"classifier": "LogisticRegression", "splits": "KFold(5)", "rows": 60},
        "versions": {"scikit-learn": "1.9.1"},
        "date": "2026-11-24T10:00:00+00:00",
    }
    return ModelInfo(**values | changes)  # type: ignore[arg-type]


def test_a_card_says_what_how_good_and_from_where():
    card = model_card(_info(), report=True)
    assert card.startswith("# Text classifier: 2 classes\n")
    assert "`task: classification | query: {text}`" in card
    assert "| LogisticRegression, 256 dimensions | 0.750 ± 0.050 | 0.750 ± 0.050 |" in card
    assert "| LogisticRegression, 128 dimensions |" in card
    assert "fruit, vehicle" in card
    assert "report.html" in card
    assert "- Versions: `scikit-learn 1.9.1`" in card
    assert 'load_model("path/to/this/folder")' in card


def test_another_model_is_named_at_the_top():
    card = model_card(_info(notice="Not EmbeddingGemma: vectors of something else."))
    assert card.splitlines()[2] == "> **Not EmbeddingGemma: vectors of something else.**"


def test_labels_and_sources_cannot_change_the_card():
    info = _info(
        classes=[HOSTILE, "b"],
        provenance={"classifier": "X", "source": HOSTILE, "notes": [HOSTILE], "command": HOSTILE},
        prompt="`{text}`\n# no heading",
    )
    card = model_card(info)
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert headings == [
        "# Text classifier: 2 classes",
        "## Use",
        "## Scores",
        "## Classes",
        "## Where it comes from",
    ]
    for line in card.splitlines():
        outside = "".join(line.split("`")[::2])
        assert "<script" not in outside
        assert "![i](" not in outside


def test_a_pickle_says_so():
    card = model_card(_info(file="model.joblib"))
    assert "trusted=True" in card
    assert "opening it runs whatever it contains" in card


def test_a_model_without_scores_has_no_score_table():
    card = model_card(_info(metrics={}, by_dimension={}, baselines={}, provenance={}))
    assert "## Scores" not in card
