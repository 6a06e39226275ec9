"""
Train a text classifier
=======================

Cross-validate a classifier of the 615 passages about the Sustainable Development Goals, look at
its report, save it, and load it again. The vectors come with the data set, so this needs no
server; for texts of your own, change the four constants.
"""

import time
from pathlib import Path

from toolkit import ClassifierReport, EmbeddingGemmaVectorizer, load_model, save_model
from toolkit.classify import predict_texts, train_classifier
from toolkit.datasets import load

# A data set of the project. For a CSV file of your own:
#     frame = pandas.read_csv("tickets.csv")
#     texts, labels = frame["text"].tolist(), frame["label"].tolist()
DATA = "sdg"
# "cache" answers from vectors made earlier and from those that come with the data sets. "ollama"
# asks the server on this machine for new ones: `ollama pull embeddinggemma` first.
BACKEND = "cache"
CLASSIFIER = "logistic_regression"  # or "linear_svm", "knn", "nearest_centroid", an estimator
FOLDER = Path("build/sdg-classifier")

# %%
# Every text is embedded once; cross-validation, the smaller dimensions and the final fit use the
# same vectors. A word-count baseline with the same classifier runs on the same folds.
data = load(DATA)
start = time.perf_counter()
result = train_classifier(
    data.data,
    data.target,
    vectorizer=EmbeddingGemmaVectorizer(task="classification", backend=BACKEND),
    classifier=CLASSIFIER,
    source=f"dataset:{DATA}",
    command="python examples/train_classifier.py",
)
print(result.summary())
print(f"trained in {time.perf_counter() - start:.0f} s")

# %%
# The report is one HTML file that works offline: classes, confusions, confident mistakes.
report = ClassifierReport(result, title="SDG passages by goal")
save_model(result, FOLDER, force=True, report=report.to_html())
print(f"wrote {FOLDER}: {', '.join(sorted(path.name for path in FOLDER.iterdir()))}")

# %%
# Loading checks the folder before it builds anything from it. Texts of known vectors can be
# predicted without a server; new ones need one:
# ``model.set_params(vectorizer__backend="ollama")``.
model = load_model(FOLDER)
for text, said in zip(
    data.data[:3], predict_texts(model, data.data[:3], threshold=0.5), strict=True
):
    label = said.label or "(not sure)"
    print(f"{label} ({said.probability:.2f}): {text[:60]}...")
