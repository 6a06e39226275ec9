"""The vectorizer as users meet it: in pipelines, searches, frames, pickles and searches again."""

from __future__ import annotations

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.ollama_double.models import Model
from toolkit.backends.ollama import OllamaBackend
from toolkit.cache import EmbeddingCache
from toolkit.datasets import load, load_vectors
from toolkit.embedding.cached import CacheBackend
from toolkit.embedding.identities import forget_identities
from toolkit.errors import (
    CacheError,
    CacheMissError,
    DoublePrefixWarning,
    DriftWarning,
    EmbeddingWarning,
    InputTypeError,
    MissingTextError,
    ModelDriftError,
    ServerTooOldError,
    UnverifiedModelError,
    UsageError,
)
from toolkit.vectorizer import EmbeddingGemmaVectorizer

TEXTS = [f"text number {i}" for i in range(30)]
PACKS = {"backend": CacheBackend(packs_only=True)}


@pytest.fixture
def vectorizer(ollama_double):
    return EmbeddingGemmaVectorizer(host=ollama_double.host)


# --- the job --------------------------------------------------------------------------------------


def test_vectors_are_those_of_each_text_alone_with_its_prompt(ollama_double, vectorizer):
    vectors = vectorizer.transform(TEXTS)
    assert vectors.shape == (30, 768)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    sent = ollama_double.texts_received
    assert all(f"task: classification | query: {text}" in sent for text in TEXTS)
    alone = EmbeddingGemmaVectorizer(host=ollama_double.host, cache=False)
    assert np.array_equal(vectors[:5], np.vstack([alone.transform([t]) for t in TEXTS[:5]]))


def test_every_text_is_sent_once_ever(ollama_double, vectorizer):
    vectorizer.fit(TEXTS)
    before = len(ollama_double.texts_received)
    vectorizer.transform(TEXTS + TEXTS[::-1])
    assert len(ollama_double.texts_received) - before == 30
    clone(vectorizer).transform(TEXTS[::-1])
    pickle.loads(pickle.dumps(vectorizer)).transform(TEXTS)
    vectorizer.set_params(dimensions=128).transform(TEXTS)
    forget_identities()
    vectorizer.transform(TEXTS)
    assert len(ollama_double.texts_received) - before == 30
    assert vectorizer.report_.hits == 30


def test_smaller_dimensions_are_cut_from_the_full_vectors(vectorizer):
    full = vectorizer.transform(TEXTS)
    for size in (512, 256, 128, 100):
        short = vectorizer.set_params(dimensions=size).transform(TEXTS)
        cut = full[:, :size] / np.linalg.norm(full[:, :size], axis=1, keepdims=True)
        assert short.shape == (30, size)
        assert np.allclose(short, cut, atol=1e-6)
    with pytest.raises(UsageError, match="dimensions=769 is more than the 768"):
        vectorizer.set_params(dimensions=769).transform(TEXTS)


def test_prompts_are_part_of_what_is_cached(ollama_double, vectorizer):
    one = vectorizer.transform(["a"])
    two = vectorizer.set_params(task="clustering").transform(["a"])
    three = vectorizer.set_params(prompt="My own {brace}: {text}").transform(["a"])
    assert not np.array_equal(one, two)
    assert not np.array_equal(two, three)
    assert "My own {brace}: a" in ollama_double.texts_received
    vectorizer.set_params(prompt=None, task=None).transform(["{text} {0} %s"])
    assert "{text} {0} %s" in ollama_double.texts_received


def test_a_doubled_prefix_is_warned_of_once(vectorizer):
    with pytest.warns(DoublePrefixWarning, match="2 texts .* position 1") as caught:
        vectorizer.transform(["a", "task: classification | query: b", "title: none | text: c"])
    assert len(caught) == 1


def test_hostile_texts(vectorizer):
    texts = [
        "", " ", "\0", "a\0b", "\ud800", "a\udfffb", "\ufeff", "\u202eabc",
        "<script>alert(1)</script>", "{text}", "'; DROP TABLE entries; --",
        "👩🏽‍🚀" * 50, "שלום עולם", "\r\n\t", "a" * 5000,
    ]  # fmt: skip
    vectors = vectorizer.transform(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(vectors, vectorizer.transform(texts))
    assert vectorizer.report_.hits == len(texts)
    # A lone surrogate is sent, and cached, as the U+FFFD the server would make of it.
    assert np.array_equal(vectorizer.transform(["a\ud800b"]), vectorizer.transform(["a\ufffdb"]))


def test_a_generator_is_read_once(vectorizer):
    assert vectorizer.fit_transform(text for text in TEXTS).shape == (30, 768)


def test_nothing_gives_an_empty_matrix(vectorizer):
    assert vectorizer.transform([]).shape == (0, 768)
    assert vectorizer.set_params(dimensions=128).transform([]).shape == (0, 128)


def test_missing_and_wrong_inputs(vectorizer):
    with pytest.raises(MissingTextError, match="position 1"):
        vectorizer.transform(["a", None])
    with pytest.raises(InputTypeError, match="single str"):
        vectorizer.fit("text")
    with pytest.warns(EmbeddingWarning, match="1 of 2 texts missing"):
        assert vectorizer.set_params(missing="empty").transform(["a", None]).shape == (2, 768)


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "clasification"},
        {"model": 5},
        {"model": ""},
        {"dimensions": 0},
        {"dimensions": 1.5},
        {"backend": "olama"},
        {"backend": 5},
        {"host": 5},
        {"host": "http://a:b"},
        {"cache": 5},
        {"batch_size": 0},
        {"n_jobs": 0},
        {"long_texts": "cut"},
        {"missing": "drop"},
        {"on_error": "ignore"},
        {"prompt": "no place for it"},
    ],
)
def test_wrong_parameters_are_named(vectorizer, wrong):
    (name,) = wrong
    with pytest.raises((ValueError, UsageError), match=name if name != "host" else "host"):
        vectorizer.set_params(**wrong).fit(TEXTS)


def test_titles_of_documents(ollama_double):
    one = EmbeddingGemmaVectorizer("retrieval_document", host=ollama_double.host)
    one.transform(["red", "blue", "green"], titles=pd.Series(["Mars", None, "Earth"]))
    sent = ollama_double.texts_received
    for text in (
        "title: Mars | text: red",
        "title: none | text: blue",
        "title: Earth | text: green",
    ):
        assert text in sent
    one.transform(["blue"])
    assert one.report_.hits == 1
    with pytest.raises(MissingTextError, match="2 titles for 1 texts"):
        one.transform(["a"], titles=["b", "c"])
    with pytest.raises(UsageError, match="no place for them"):
        one.set_params(task="classification").transform(["a"], titles=["b"])
    without_prompts = EmbeddingGemmaVectorizer("retrieval_document", backend="embedded")
    with pytest.raises(UsageError, match="takes no prompt to put them in; leave them out"):
        without_prompts.transform(["a"], titles=["b"])


def test_titles_are_routed_through_a_pipeline(ollama_double):
    with config_context(enable_metadata_routing=True):
        one = EmbeddingGemmaVectorizer("retrieval_document", host=ollama_double.host)
        pipeline = make_pipeline(one.set_transform_request(titles=True), LogisticRegression())
        pipeline.fit(["red", "blue"], [0, 1], titles=["Mars", "Earth"])
        pipeline.predict(["dry"], titles=["Venus"])
    sent = ollama_double.texts_received
    assert "title: Mars | text: red" in sent
    assert "title: Venus | text: dry" in sent


# --- which model it is ----------------------------------------------------------------------------


def test_fit_notes_the_model(vectorizer):
    vectorizer.fit(TEXTS)
    assert vectorizer.identity_.model == "embeddinggemma"
    assert vectorizer.identity_.engine_version == "0.32.15"
    assert vectorizer.identity_.canary is not None
    assert vectorizer.prompt_ == "task: classification | query: {text}"
    assert vectorizer.n_features_out_ == 768
    names = vectorizer.get_feature_names_out()
    assert (names[0], names[-1]) == ("embeddinggemma000", "embeddinggemma767")


def test_another_build_at_predict_time_is_refused(ollama_double, vectorizer):
    vectorizer.set_params(backend=OllamaBackend(allow_unverified=True)).fit(TEXTS)
    ollama_double.models.change("embeddinggemma", build="causal")
    ollama_double.version = "0.32.16"
    forget_identities()
    with pytest.warns(DriftWarning), pytest.raises(ModelDriftError, match="fit it again"):
        vectorizer.transform(TEXTS)
    vectorizer.set_params(on_drift="warn")
    forget_identities()
    with (
        pytest.warns(DriftWarning, match="another space"),
        pytest.warns(DriftWarning, match="causal attention"),
    ):
        vectorizer.transform(TEXTS)


def test_a_harmless_upgrade_keeps_the_space(ollama_double, vectorizer):
    vectors = vectorizer.fit(TEXTS).transform(TEXTS)
    ollama_double.version = "0.33.0"
    forget_identities()
    assert np.array_equal(vectorizer.transform(TEXTS), vectors)
    assert vectorizer.report_.hits == 30
    (space,) = EmbeddingCache().spaces()
    assert [seen.engine_version for seen in space.sightings()] == ["0.32.15", "0.33.0"]


def test_builds_of_the_official_name(ollama_double_factory):
    # Without a cache: the doubles say they are the same weights on the same version.
    causal = ollama_double_factory(models=[Model(build="causal")])
    with pytest.raises(UnverifiedModelError, match=r"causal.*allow_unverified"):
        EmbeddingGemmaVectorizer(host=causal.host, cache=False).fit(TEXTS)
    with pytest.warns(DriftWarning, match="causal"):
        EmbeddingGemmaVectorizer(
            host=causal.host, backend=OllamaBackend(allow_unverified=True), cache=False
        ).fit(TEXTS)
    windowless = ollama_double_factory(models=[Model(build="no_window")])
    with pytest.warns(DriftWarning, match="without a sliding window"):
        EmbeddingGemmaVectorizer(host=windowless.host, cache=False).fit(TEXTS)
    random = ollama_double_factory(models=[Model(build="random")])
    with pytest.raises(UnverifiedModelError, match="ollama pull embeddinggemma"):
        EmbeddingGemmaVectorizer(host=random.host, cache=False).fit(TEXTS)
    own = ollama_double_factory(models=[Model("me/embeddinggemma", build="random")])
    EmbeddingGemmaVectorizer(host=own.host, model="me/embeddinggemma").fit(TEXTS)


@pytest.mark.parametrize("version", ["0.11.10", "0.12.6"])
def test_old_servers_are_refused(ollama_double_factory, version):
    double = ollama_double_factory(version)
    with pytest.raises(ServerTooOldError, match=r"0\.12\.7 or later"):
        EmbeddingGemmaVectorizer(host=double.host).fit(TEXTS)


def test_a_development_build_is_judged_by_its_vectors(ollama_double_factory):
    double = ollama_double_factory("0.0.0", models=[Model(build="right")])
    assert EmbeddingGemmaVectorizer(host=double.host).fit(TEXTS).identity_.engine_version == "0.0.0"


def test_a_quantised_build_is_a_space_of_its_own(ollama_double_factory):
    double = ollama_double_factory(models=[Model(), Model("embeddinggemma:q8", weights="8" * 64)])
    EmbeddingGemmaVectorizer(host=double.host).transform(TEXTS)
    EmbeddingGemmaVectorizer(host=double.host, model="embeddinggemma:q8").transform(TEXTS)
    assert [len(space) for space in EmbeddingCache().spaces()] == [30, 30]


def test_the_official_quantised_tags_are_accepted(ollama_double_factory):
    """Other weights than the published ones, so their vectors are near them and no more."""
    tag = "embeddinggemma:300m-qat-q4_0"

    def fit(**changes):
        model = Model(tag, **{"quantization": "Q4_0", "noise": 0.4} | changes)
        host = ollama_double_factory(models=[model]).host
        return EmbeddingGemmaVectorizer(model=tag, host=host, cache=False).fit(TEXTS)

    assert fit(build="right").identity_.quantization == "Q4_0"
    with pytest.warns(DriftWarning, match="without a sliding window"):
        fit(build="no_window", noise=0.2)
    with pytest.raises(UnverifiedModelError, match="causal"):
        fit(build="causal")
    with pytest.raises(UnverifiedModelError, match="no known build"):
        fit(build="random")
    with pytest.raises(UnverifiedModelError, match="no known build"):
        fit(build="right", quantization="BF16")


def test_the_second_model_goes_by_its_own_name(ollama_double_factory):
    name = "embeddinggemma-2:270m-q8_0-text"
    double = ollama_double_factory(models=[Model(name, build="random", context_length=8192)])
    vectorizer = EmbeddingGemmaVectorizer(model=name, host=double.host).fit(TEXTS)
    assert vectorizer.identity_.context_length == 8192
    vectorizer.transform(["a"])
    assert double.texts_received[-1] == "task: classification | query: a"


def test_what_verbose_says(ollama_double, capsys):
    def said(verbose):
        one = EmbeddingGemmaVectorizer(host=ollama_double.host, cache=False, verbose=verbose)
        one.transform(TEXTS)
        return capsys.readouterr().err

    assert said(0) == said(-1) == ""
    assert "30 texts, 30 unique: 0 from the cache, 30 embedded in" in said(1)
    assert "a request" not in said(1)
    assert "100%" in said(1), "the bar"
    assert re.search(r"at most \d+ texts or [\d,]+ characters a request", said(2))


# --- without a server -----------------------------------------------------------------------------


def test_shipped_vectors_need_no_server():
    sdg = load("sdg")
    vectors = EmbeddingGemmaVectorizer(**PACKS).fit_transform(sdg.data)
    assert np.array_equal(vectors, load_vectors("sdg", task="classification"))


def test_what_the_packs_do_not_hold_is_listed():
    with pytest.raises(CacheMissError, match=r"2 of 3 texts .* positions 0, 2") as caught:
        EmbeddingGemmaVectorizer(**PACKS).transform(["new", load("sdg").data[0], "newer"])
    assert caught.value.positions == (0, 2)


def test_a_model_trained_on_shipped_vectors_predicts_through_ollama(ollama_double):
    sdg = load("sdg")
    pipeline = make_pipeline(EmbeddingGemmaVectorizer(**PACKS), LogisticRegression(C=10))
    pipeline.fit(sdg.data[:60], sdg.target[:60])
    pipeline.set_params(
        embeddinggemmavectorizer__backend="ollama",
        embeddinggemmavectorizer__host=ollama_double.host,
    )
    assert pipeline.predict(["a sentence of my own"]).shape == (1,)
    (space,) = EmbeddingCache().spaces()
    assert len(space) == 1, "rows of packs are not merged into the server's space"


def test_several_spaces_that_hold_the_texts_must_be_told_apart(ollama_double):
    texts = load("sdg").data[:3]
    EmbeddingGemmaVectorizer(host=ollama_double.host).transform(texts)
    with pytest.raises(CacheError, match=r"several vector spaces.*\n.*3 of 3") as caught:
        EmbeddingGemmaVectorizer(backend="cache").transform(texts)
    (space,) = EmbeddingCache().spaces()
    assert space.id in str(caught.value)
    one = EmbeddingGemmaVectorizer(backend=f"cache:{space.id}").transform(texts)
    other = EmbeddingGemmaVectorizer(backend="cache:pack").transform(texts)
    assert not np.array_equal(one, other)


def test_embedded_backend_never_gets_prompts_and_is_never_embeddinggemma():
    one = EmbeddingGemmaVectorizer(backend="embedded").fit(TEXTS)
    vectors = one.transform(TEXTS)
    assert vectors.shape == (30, 512)
    assert one.prompt_ == "{text}"
    assert one.identity_.backend == "embedded"
    assert "embeddinggemma" not in one.identity_.model
    with pytest.warns(EmbeddingWarning, match="not known to be trained for shorter vectors"):
        one.set_params(dimensions=128).transform(TEXTS)
    one.set_params(dimensions=None, backend=CacheBackend(packs_only=True))
    with pytest.raises((CacheError, ModelDriftError)):
        one.transform(load("sdg").data[:2])


def test_a_third_partys_backend():
    class Lengths:
        """Vectors of two values by the text's length."""

        max_tokens, preferred_batch, uses_prompts = None, 8, True

        def identify(self):
            from toolkit.identity import ModelIdentity

            return ModelIdentity("lengths", "lengths", 2)

        def embed(self, texts):
            angle = np.array([len(text) for text in texts]) / 1000.0
            return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    one = EmbeddingGemmaVectorizer(backend=Lengths(), model="embeddinggemma", task=None)
    vectors = one.fit_transform(["a", "bb"])
    assert np.allclose(vectors[:, 1], np.sin([0.001, 0.002]))
    one.transform(["a", "bb"])
    assert one.report_.hits == 2


# --- scikit-learn ---------------------------------------------------------------------------------


def test_pipelines_frames_and_unions(vectorizer):
    y = [0, 1] * 15
    assert make_pipeline(vectorizer, LogisticRegression()).fit(TEXTS, y).predict(TEXTS).shape == (
        30,
    )
    frame = pd.DataFrame({"n": range(30), "text": TEXTS}, index=range(100, 130))
    columns = ColumnTransformer([("text", vectorizer, "text"), ("n", "passthrough", ["n"])])
    assert columns.fit_transform(frame).shape == (30, 769)
    by_list = ColumnTransformer([("text", vectorizer, ["text"])])
    assert by_list.fit_transform(frame).shape == (30, 768)
    assert ColumnTransformer([("text", vectorizer, 1)]).fit_transform(frame).shape == (30, 768)
    union = FeatureUnion([("gemma", vectorizer), ("words", TfidfVectorizer())])
    assert union.fit_transform(TEXTS).shape[1] > 768


def test_set_output_keeps_the_index(vectorizer):
    series = pd.Series(TEXTS, index=[f"row {i}" for i in range(30)])
    frame = vectorizer.set_output(transform="pandas").fit_transform(series)
    assert list(frame.index) == list(series.index)
    assert frame.columns[3] == "embeddinggemma003"
    frame = clone(vectorizer).set_output(transform="polars").fit_transform(pl.Series(TEXTS))
    assert frame.shape == (30, 768)


def test_set_output_without_fit(vectorizer):
    with pytest.raises(NotFittedError):
        vectorizer.get_feature_names_out()
    vectorizer.set_output(transform="pandas")
    assert vectorizer.transform(TEXTS).columns[-1] == "embeddinggemma767"
    vectorizer.set_params(dimensions=128)
    assert vectorizer.transform(TEXTS).columns[-1] == "embeddinggemma127"


def test_pickles_are_small_and_hold_no_connection(vectorizer):
    vectorizer.fit_transform(TEXTS)
    data = pickle.dumps(vectorizer)
    assert len(data) < 25_000
    assert b"httpx" not in data
    assert b"sqlite" not in data


def test_secrets_stay_in_the_environment(ollama_double, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "s3cret")
    backend = OllamaBackend(headers={"Authorization": "Bearer ${MY_TOKEN}"})
    one = EmbeddingGemmaVectorizer(host=ollama_double.host, backend=backend).fit(TEXTS)
    one.transform(TEXTS)
    for place in (pickle.dumps(one), repr(one).encode(), one._repr_html_().encode()):
        assert b"s3cret" not in place
    monkeypatch.delenv("MY_TOKEN")
    elsewhere = one.set_params(host=ollama_double.host.replace("127.0.0.1", "localhost"))
    with pytest.raises(UsageError, match="environment variable MY_TOKEN, which is not set"):
        elsewhere.fit(TEXTS)


def test_a_grid_search_embeds_each_text_once(ollama_double):
    texts = [f"unique text {i}" for i in range(200)]
    y = np.arange(200) % 2
    pipeline = make_pipeline(
        EmbeddingGemmaVectorizer(host=ollama_double.host), LogisticRegression(max_iter=200)
    )
    grid = {
        "embeddinggemmavectorizer__dimensions": [128, 256, 768],
        "logisticregression__C": [0.1, 1, 10, 100],
    }
    for shuffle in (0, 1):
        folds = StratifiedKFold(5, shuffle=True, random_state=shuffle)
        GridSearchCV(pipeline, grid, cv=folds).fit(texts, y)
    canaries = 7 + 6  # each alone, and the short ones once more as a batch
    assert len(ollama_double.texts_received) == 200 + canaries


class NumericRows(EmbeddingGemmaVectorizer):
    """Renders rows of numbers to texts, so that scikit-learn's own checks can feed it."""

    def fit(self, X, y=None):
        return super().fit(self._texts(X, reset=True))

    def transform(self, X, titles=None):
        return super().transform(self._texts(X, reset=False), titles)

    def _texts(self, X, *, reset):
        from sklearn.utils.validation import validate_data

        X = validate_data(self, X, reset=reset)
        return [" ".join(map(str, row)) for row in X.tolist()]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False
        return tags


class _Digits:
    """A model small and quick enough for hundreds of fits: any text to a stable unit vector."""

    max_tokens, preferred_batch, uses_prompts, key = None, 64, True, "digits"

    def identify(self):
        from toolkit.identity import ModelIdentity

        return ModelIdentity("digits", "embeddinggemma", 8, weights="d" * 64)

    def embed(self, texts):
        seeds = [int.from_bytes(text.encode()[-6:].rjust(6, b"0"), "big") for text in texts]
        rows = np.stack([np.random.default_rng(seed).standard_normal(8) for seed in seeds])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None

    def __repr__(self):
        return "Digits()"


@parametrize_with_checks(
    [NumericRows(backend=_Digits(), cache=False)],
)
def test_scikit_learns_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoublePrefixWarning)
        check(estimator)


def test_mixins_stand_left_of_base_estimator():
    assert EmbeddingGemmaVectorizer.__mro__[1] is not BaseEstimator
    assert issubclass(EmbeddingGemmaVectorizer, TransformerMixin)
