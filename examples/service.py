"""
A saved model behind a service
==============================

Train once, save a folder, and load it where requests come in. Loading runs no code of the file. The
loop answers line by line, says when it is not sure, and survives a bad request. The vectors come
with the project; with Ollama running, use ``backend="ollama"``, and any sentence can be asked.
"""

import json
import tempfile
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from toolkit import EmbeddingGemmaVectorizer, load_model, save_model
from toolkit.classify import predict_texts
from toolkit.datasets import load
from toolkit.errors import ToolkitError

# %%
# Once, at training time.
intents = load("assist_intents", subset=["en", "de"])
english = intents.lang == "en"
vectorizer = EmbeddingGemmaVectorizer(task="classification", backend="cache")
classifier = LogisticRegression(C=10, max_iter=2000)
pipeline = Pipeline([("vectorizer", vectorizer), ("classifier", classifier)])
pipeline.fit(intents.data[english], intents.target[english])
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name) / "intents"
save_model(pipeline, folder)
print("saved:", ", ".join(sorted(path.name for path in folder.iterdir())))

# %%
# When the service starts. Where vectors come from belongs to the machine, so it is said here.
model = load_model(folder)
model.set_params(vectorizer__backend="cache", vectorizer__verbose=-1)
model.predict(intents.data[:1])  # warms up: files are opened, a server would load its model


def answer(line):
    """Return the answer to one request, a line of JSON."""
    try:
        text = json.loads(line)["text"]
        (said,) = predict_texts(model, [text], threshold=0.5, top_k=2)
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"a request is an object with a text: {type(error).__name__}"}
    except ToolkitError as error:  # no server, a bad text, vectors of another model
        return {"error": str(error).splitlines()[0]}
    best = {label: round(probability, 2) for label, probability in said.top}
    return {"label": said.label or None, "best": best}


# %%
# As requests come in.
requests = [json.dumps({"text": text}, ensure_ascii=False) for text in intents.data[~english][::90]]
requests += ['{"text": null}', "[]", "not JSON", '{"text": "never embedded"}']
for line in requests:
    print(line, json.dumps(answer(line), ensure_ascii=False), sep="\n  ")
temporary.cleanup()
