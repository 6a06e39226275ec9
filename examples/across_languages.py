"""
Train on English, predict German and Chinese
============================================

EmbeddingGemma puts a sentence and its translation close together, so that labels in one language
serve for others. The same is tried with word counts, which know nothing of a language they were
not trained on. Commands to a voice assistant, 19 intents; the vectors come with the project.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline

from toolkit import EmbeddingGemmaVectorizer
from toolkit.datasets import load

train = load("assist_intents", subset="en")
models = {
    "EmbeddingGemma": EmbeddingGemmaVectorizer(task="classification", backend="cache"),
    "TF-IDF": TfidfVectorizer(ngram_range=(1, 2)),
}
for name, vectorizer in models.items():
    models[name] = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=2000))
    models[name].fit(train.data, train.target)

# %%
print(f"trained on {len(train.data)} English commands")
for language in ("de", "zh-CN"):
    test = load("assist_intents", subset=language)
    for name, model in models.items():
        print(f"  {language:5}  {name:14} accuracy {model.score(test.data, test.target):.3f}")

# %%
# One number hides much: which intents carry over to Chinese, and which do not?
test = load("assist_intents", subset="zh-CN")
predicted = models["EmbeddingGemma"].predict(test.data)
report = classification_report(test.target, predicted, output_dict=True, zero_division=0)
recalls = sorted((report[label]["recall"], label) for label in test.target_names)
print("\nleast found in Chinese:")
for recall, label in recalls[:3]:
    wrong = (test.target == label) & (predicted != label)
    example = f"   {test.data[wrong][0]} -> {predicted[wrong][0]}" if wrong.any() else ""
    print(f"  {label}: {recall:.2f}{example}")
