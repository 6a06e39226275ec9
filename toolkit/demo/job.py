"""The demo itself, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.datasets.output_folder import OutputFolder
from toolkit.demo.result import DemoResult
from toolkit.demo.telling import EMBEDDED, Teller, beginning
from toolkit.errors import (
    OptionalDependencyError,
    ServerUnavailableError,
    ToolkitError,
    UsageError,
)

if TYPE_CHECKING:
    from sklearn.utils import Bunch

    from toolkit.classify import Prediction, TrainingResult
    from toolkit.embedding.spaces import Source
    from toolkit.identity import ModelIdentity
    from toolkit.vectorizer import EmbeddingGemmaVectorizer
    from toolkit.visualize import EmbeddingMapDisplay

__all__ = ["SENTENCES", "run_demo"]

SENTENCES = (
    "Half of the rural households still have no electricity.",
    "Girls leave school two years earlier than boys.",
    "Coral reefs are bleaching as the ocean warms.",
)
"""What is predicted unless the user gives sentences."""

GETTING_OLLAMA = (
    "For EmbeddingGemma's own answer: install Ollama (https://ollama.com/download), run "
    "`ollama pull embeddinggemma`, and then this demo again."
)
DIMENSIONS = (768, 512, 256, 128)
"""What EmbeddingGemma was trained to be cut to; the built-in model was not."""

MODEL_FILES = ("model.skops", "model.json", "README.md")


def run_demo(
    out: str | Path = "demo",
    *,
    sentences: Sequence[str] = SENTENCES,
    backend: str | None = None,
    host: str | Sequence[str] | None = None,
    model: str = "embeddinggemma",
    cache: Any = True,
    force: bool = False,
    say: Callable[[str], object] = print,
) -> DemoResult:
    """Classify, predict, cluster and map the SDG passages, and leave the results in a folder.

    Parameters
    ----------
    out : str or Path, default="demo"
        The folder. One that an earlier run made is emptied of what that run made.
    sentences : sequence of str
        New sentences to predict.
    backend : {"ollama", "embedded"}, optional
        What makes the vectors of the new sentences. None asks Ollama and, where it does not
        answer rightly, says so and shows the built-in model; ``"ollama"`` shows nothing else;
        ``"embedded"`` does not ask Ollama.
    host : str or sequence of str, optional
        Ollama's address.
    model : str, default="embeddinggemma"
        The model's name there.
    cache : bool or path, default=True
        Where vectors of new texts are kept.
    force : bool, default=False
        Whether a folder that the demo did not make may be used.
    say : callable, default=print
        Takes the lines that tell what is done.

    Returns
    -------
    DemoResult

    Raises
    ------
    UsageError
        If the folder holds something else, or the backend is unknown.
    """
    if backend not in (None, "ollama", "embedded"):
        raise UsageError(f"the demo's backend is ollama or embedded, not {backend!r}")
    if not sentences or not all(sentence.strip() for sentence in sentences):
        raise UsageError("a sentence is empty; give sentences to predict, or none for the usual")
    folder = OutputFolder(out, "toolkit demo", force=force)
    folder.clear()
    return _Demo(Teller(folder, say), list(sentences), host, model, cache).run(backend)


class _Demo:
    def __init__(
        self,
        teller: Teller,
        sentences: list[str],
        host: str | Sequence[str] | None,
        model: str,
        cache: Any,
    ) -> None:
        self.teller = teller
        self.sentences = sentences
        self.host = host
        self.model = model
        self.cache = cache
        self.result = DemoResult(teller.folder.path)

    def run(self, backend: str | None) -> DemoResult:
        from toolkit.datasets import load

        started = time.perf_counter()
        data = load("sdg")
        self.teller.say(
            f"{len(data.data)} passages of UN and OECD reports about the {len(data.target_names)} "
            "Sustainable Development Goals.\nTheir EmbeddingGemma vectors come with the toolkit: "
            "no server is needed for them."
        )
        trained = self.train(data)
        source = None if backend == "embedded" else self.find_ollama(trained)
        if source is not None:
            self.predict(trained, source)
        self.cluster_and_map(data)
        if source is None and backend != "ollama":
            self.show_embedded(data)
        self.teller.write_index()
        self.teller.say(
            f"\nDone in {time.perf_counter() - started:.0f} s. Open the .html files in a browser; "
            "they work offline."
        )
        self.result.files = [name for name, _ in self.teller.files]
        self.result.skipped = self.teller.skipped
        return self.result

    # --- classifier ------------------------------------------------------------------------------

    def train(self, data: Bunch) -> TrainingResult:
        self.teller.step("Train a classifier, cross-validated beside TF-IDF on the same folds")
        result = self._train(data, _shipped("classification"), DIMENSIONS)
        for dimension, scores in result.by_dimension.items():
            self.result.accuracy[str(dimension)] = scores["accuracy"].mean
        self.result.accuracy["tfidf"] = result.baselines["tfidf"].scores["accuracy"].mean
        self.report_classifier(
            result, "classifier-report.html", "SDG goals from EmbeddingGemma vectors"
        )
        # The saved model asks a server for vectors of new texts: the pack has none of those.
        result.pipeline[0].set_params(backend="ollama", model=self.model, cache=True)
        self.save_model(result, "model", "the saved classifier, for `toolkit predict`")
        return result

    def _train(
        self, data: Bunch, vectorizer: Any, dimensions: Sequence[int] = ()
    ) -> TrainingResult:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold

        from toolkit.classify import train_classifier

        result = train_classifier(
            data.data,
            data.target,
            vectorizer=vectorizer,
            classifier=LogisticRegression(C=10, max_iter=2000),
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
            dimensions=dimensions,
            source="dataset:sdg",
            command="toolkit demo",
        )
        for line in result.summary().splitlines():
            # Rows of the table stay as they are, sentences are wrapped.
            (self.teller.show if "  " in line else self.teller.tell)(line)
        return result

    def report_classifier(self, result: TrainingResult, name: str, title: str) -> None:
        from toolkit.report import ClassifierReport

        place = self.teller.claim(name, "how good the classifier is, and where it errs")
        ClassifierReport(result, title=title).to_html(place)

    def save_model(self, result: TrainingResult, name: str, what: str) -> None:
        from toolkit.classify import save_model

        for file in MODEL_FILES:
            place = self.teller.folder.claim(f"{name}/{file}")
        save_model(result, place.parent, force=True)
        self.teller.note(f"{name}/", what)

    # --- new sentences ---------------------------------------------------------------------------

    def find_ollama(self, trained: TrainingResult) -> Source | None:
        """Return Ollama's space if it is the classifier's, else say why not."""
        from toolkit.backends.ollama import OllamaBackend
        from toolkit.backends.registry import make_backends
        from toolkit.embedding.spaces import check_drift, find_source, open_cache

        count = len(self.sentences)
        self.teller.step(f"Predict {count} new sentence{'s' * (count > 1)}")
        fitted: ModelIdentity = trained.pipeline[0].identity_
        try:
            backends = make_backends(OllamaBackend(), model=self.model, host=self.host)
            source = find_source(backends, open_cache(self.cache))
            check_drift(fitted, source.identity, on_drift="raise")
        except ServerUnavailableError as error:
            # Its message goes on with parameters and options that are no help here.
            self.go_without(f"{str(error).partition('. ')[0]}.")
            return None
        except ToolkitError as error:
            self.go_without(beginning(str(error)))
            return None
        said = f"With {source.identity.describe()}, whose test vectors are the classifier's own."
        self.teller.tell(said)
        return source

    def go_without(self, reason: str) -> None:
        self.teller.tell(f"Not with EmbeddingGemma now: {reason}")
        self.teller.tell(GETTING_OLLAMA)
        self.teller.skip("predictions with EmbeddingGemma", reason)

    def predict(self, trained: TrainingResult, source: Source) -> None:
        from toolkit.classify import load_model

        model = load_model(self.teller.folder.path / "model")
        model[0].set_params(host=self.host, cache=self.cache)
        self._predict(model, "predictions.csv", "embeddinggemma", source.identity)

    def _predict(self, model: Any, name: str, kind: str, identity: ModelIdentity) -> None:
        from toolkit.classify import predict_texts
        from toolkit.datasets.table_writers import write_table

        found: list[Prediction] = list(predict_texts(model, self.sentences))
        for sentence, prediction in zip(self.sentences, found, strict=True):
            probability = f"{prediction.probability:.2f}"
            self.teller.show(f"{probability}  {prediction.label:30}  {sentence}")
        self.result.predictions[kind] = [
            (sentence, str(p.label), float(p.probability or 0))
            for sentence, p in zip(self.sentences, found, strict=True)
        ]
        columns = {
            "text": self.sentences,
            "label": [p.label for p in found],
            "probability": [p.probability for p in found],
            "vectors": [identity.describe()] * len(found),
        }
        write_table(
            self.teller.claim(name, "the new sentences and their goals"), columns, force=True
        )

    # --- clusters and map ------------------------------------------------------------------------

    def cluster_and_map(self, data: Bunch) -> None:
        from toolkit.cluster import cluster_texts
        from toolkit.datasets.table_writers import write_table
        from toolkit.report import ClusterReport
        from toolkit.visualize import EmbeddingMapDisplay

        self.teller.step("Cluster the same passages, without their labels")
        vectorizer = _shipped("clustering")
        X = vectorizer.fit(data.data).transform(data.data)
        clusters = cluster_texts(
            data.data,
            X,
            clusterer="kmeans",
            n_clusters=len(data.target_names),
            labels_true=data.target,
            random_state=0,
            identity=vectorizer.identity_,
            prompt=vectorizer.prompt_,
            source="dataset:sdg",
            command="toolkit demo",
        )
        self.teller.tell(clusters.summary())
        self.teller.step(
            "Draw a map (UMAP; the first time on a machine it compiles, up to a minute)"
        )
        by_goal = EmbeddingMapDisplay.from_embeddings(
            X,
            texts=data.data,
            labels=data.target,
            title="SDG passages on EmbeddingGemma vectors, coloured by goal",
            random_state=0,
            verbose=0,
        )
        self.teller.tell(by_goal.caption)
        by_goal.to_html(self.teller.claim("map.html", "the map, to explore"))
        _save_picture(by_goal, self.teller.claim("map.png", "the map, to look at"))
        by_cluster = by_goal.recolor(
            clusters.labels, names=clusters.names, title="SDG passages by cluster"
        )
        title = "Clusters of the SDG passages on EmbeddingGemma vectors"
        ClusterReport(clusters, map=by_cluster, title=title).to_html(
            self.teller.claim("cluster-report.html", "the clusters: keywords, examples, quality")
        )
        names = clusters.assignments()["name"].tolist()
        columns = {"id": data.ids, "cluster": clusters.labels, "name": names, "goal": data.target}
        place = self.teller.claim("clusters.csv", "the cluster of each passage")
        write_table(place, {**columns, "text": data.data}, force=True)

    # --- the built-in model ----------------------------------------------------------------------

    def show_embedded(self, data: Bunch) -> None:
        from toolkit.classify import load_model
        from toolkit.vectorizer import EmbeddingGemmaVectorizer

        self.teller.step(
            "The same job on the embedded backend, a small built-in model: NOT EmbeddingGemma"
        )
        vectorizer = EmbeddingGemmaVectorizer(backend="embedded", cache=self.cache)
        try:
            result = self._train(data, vectorizer)
        except OptionalDependencyError as error:
            self.teller.tell(f"Left out: {error}")
            self.teller.skip("embedded backend", str(error))
            return
        identity = result.pipeline[0].identity_
        self.result.accuracy["embedded"] = result.scores["accuracy"].mean
        self.result.accuracy["embedded tfidf"] = result.baselines["tfidf"].scores["accuracy"].mean
        self.report_classifier(
            result,
            f"{EMBEDDED}/embedded-classifier-report.html",
            "SDG goals on the embedded backend (not EmbeddingGemma)",
        )
        name = f"{EMBEDDED}/embedded-model"
        self.save_model(result, name, "the saved classifier, for `toolkit predict`")
        model = load_model(self.teller.folder.path / name)
        model[0].set_params(cache=self.cache)
        self._predict(model, f"{EMBEDDED}/embedded-predictions.csv", "embedded", identity)


def _shipped(task: str) -> EmbeddingGemmaVectorizer:
    """Return a vectorizer that knows the shipped vectors and nothing else."""
    from toolkit.embedding.cached import CacheBackend
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

    return EmbeddingGemmaVectorizer(task, backend=CacheBackend(packs_only=True), cache=False)


def _save_picture(display: EmbeddingMapDisplay, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")  # no window, wherever this runs
    figure = display.plot().ax_.get_figure(root=True)
    assert figure is not None  # noqa: S101 - just drawn
    figure.savefig(path, dpi=150)
