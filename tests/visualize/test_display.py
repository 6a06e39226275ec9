from __future__ import annotations

import json
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from toolkit.cluster import CentroidClusterer
from toolkit.errors import DataError, InputTypeError, MissingTextError, UsageError
from toolkit.visualize import EmbeddingMapDisplay, MapComparison
from toolkit.visualize.interactive import SVG_LIMIT
from toolkit.visualize.static import point_alpha, point_area
from toolkit.visualize.web import stratified_sample

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():  # type: ignore[no-untyped-def]
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def blobs(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return rng.uniform(-9, 9, size=(k, 2))[labels] + rng.normal(size=(n, 2)) * 0.6, labels


class Lengths(TransformerMixin, BaseEstimator):
    """A stand-in for a vectorizer: three numbers of a text."""

    def fit(self, X, y=None):  # type: ignore[no-untyped-def]
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X):  # type: ignore[no-untyped-def]
        return np.array([[len(t), t.count("a") + 1, t.count("b")] for t in X], dtype=float)


TEXTS = ["a" * i + "b" * (j + 1) for i in (1, 2, 3) for j in (10, 20, 30, 40)]


def test_from_embeddings_measures_the_projection() -> None:
    X = np.random.default_rng(0).normal(size=(60, 8))
    display = EmbeddingMapDisplay.from_embeddings(X, projector=PCA(2, random_state=0))
    assert display.quality is not None
    assert display.quality.n_neighbors == 15
    assert "Trustworthiness" in display.caption
    assert display.projection["method"] == "PCA"
    bare = EmbeddingMapDisplay.from_embeddings(X, projector=PCA(2), quality=False)
    assert "Trustworthiness" not in bare.caption


def test_from_embeddings_by_umap_is_reproducible() -> None:
    X = np.random.default_rng(0).normal(size=(40, 8))
    options = {"verbose": 0, "cache": False}  # kept places would be equal whatever UMAP does
    a, b = (EmbeddingMapDisplay.from_embeddings(X, **options).points for _ in range(2))
    np.testing.assert_array_equal(a, b)
    small = EmbeddingMapDisplay.from_embeddings(X[:4], verbose=0)
    assert small.quality is not None
    assert small.quality.n_neighbors == 1


def test_from_estimator_takes_labels_from_the_pipeline() -> None:
    pipeline = make_pipeline(Lengths(), KMeans(3, n_init=3, random_state=0)).fit(TEXTS)
    options = {"projector": PCA(2), "quality": False}
    display = EmbeddingMapDisplay.from_estimator(pipeline, TEXTS, **options)
    assert display.to_frame()["label"].tolist() == pipeline[-1].labels_.tolist()
    fewer = EmbeddingMapDisplay.from_estimator(pipeline, TEXTS[:5], **options)
    assert fewer.to_frame()["label"].tolist() == pipeline.predict(TEXTS[:5]).tolist()
    bare = EmbeddingMapDisplay.from_estimator(Lengths(), iter(TEXTS), **options)
    assert "label" not in bare.to_frame()
    assert bare.texts == TEXTS


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        ("one text", InputTypeError),
        (pd.DataFrame({"text": TEXTS, "label": 1}), InputTypeError),
        ([None, *TEXTS], MissingTextError),
        ([3, *TEXTS], InputTypeError),
    ],
)
def test_what_are_no_texts_is_not_embedded(texts: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        EmbeddingMapDisplay.from_estimator(Lengths(), texts, projector=PCA(2))
    with pytest.raises(error):
        MapComparison.from_estimators(Lengths(), Lengths(), texts)


def test_a_one_column_frame_is_texts_and_missing_ones_are_as_the_vectorizer_takes_them() -> None:
    options = {"projector": PCA(2), "quality": False}
    frame = pd.DataFrame({"text": TEXTS})
    assert EmbeddingMapDisplay.from_estimator(Lengths(), frame, **options).texts == TEXTS
    lenient = Lengths()
    lenient.missing = "empty"
    display = EmbeddingMapDisplay.from_estimator(lenient, [None, *TEXTS], **options)
    assert display.texts == ["", *TEXTS]


def test_refusals() -> None:
    X = np.random.default_rng(0).normal(size=(20, 8))
    with pytest.raises(DataError, match="at least 4 texts, not 3"):
        EmbeddingMapDisplay.from_embeddings(X[:3])
    with pytest.raises(UsageError, match="these points have 8"):
        EmbeddingMapDisplay(X)
    with pytest.raises(UsageError, match="1 texts for 20 points"):
        EmbeddingMapDisplay(X[:, :2], texts=["a"])
    with pytest.raises(UsageError, match="2 year for 20 points"):
        EmbeddingMapDisplay(X[:, :2], columns={"year": [1, 2]})
    with pytest.raises(UsageError, match=r"gave shape \(20, 3\)"):
        EmbeddingMapDisplay.from_embeddings(X, projector=PCA(3))


def test_frame_and_recolor() -> None:
    points, labels = blobs(12, 3)
    display = EmbeddingMapDisplay(
        points, texts=TEXTS, labels=labels, names=["x", "y", "z"], columns={"text": range(12)}
    )
    frame = display.to_frame()
    assert list(frame) == ["x", "y", "label", "group", "text", "text_"]
    assert frame["group"].tolist()[:3] == ["x", "y", "z"]
    other = display.recolor(["p", "q"] * 6, colors={"p": "#111111"})
    assert other.colors["p"] == "#111111"
    assert other.points is display.points or (other.points == display.points).all()
    assert other.texts == TEXTS


def test_what_is_known_of_the_vectors_stays_with_a_recoloured_map_and_its_pictures() -> None:
    points, labels = blobs(12, 3)
    display = EmbeddingMapDisplay(points, labels=labels)
    assert "Not EmbeddingGemma" not in display.plot().ax_.get_xlabel()
    display.provenance = {"notice": "Not EmbeddingGemma: vectors of m.", "data": "in.csv"}
    other = display.recolor(["p", "q"] * 6)
    assert other.provenance == display.provenance
    for one in (display, other):
        assert one.plot().ax_.get_xlabel().startswith("Not EmbeddingGemma: vectors of m. Near")
        (said,) = [a.text for a in one.interactive().layout.annotations if "Near" in a.text]
        assert said.startswith("Not EmbeddingGemma: vectors of m. Near")
        # On a page it stands at the top, once.
        assert one.to_html().count("Not EmbeddingGemma") == 1


def test_a_vectorizer_that_says_what_it_is_gives_the_map_its_notice() -> None:
    from toolkit.identity import ModelIdentity

    options = {"projector": PCA(2), "quality": False}
    vectorizer = Lengths()
    assert EmbeddingMapDisplay.from_estimator(vectorizer, TEXTS, **options).provenance == {}
    vectorizer.identity_ = ModelIdentity("embedded", "other-model", 3)
    display = EmbeddingMapDisplay.from_estimator(vectorizer, TEXTS, **options)
    assert display.picture_caption.startswith("Not EmbeddingGemma: vectors of other-model")
    vectorizer.identity_ = ModelIdentity("ollama", "embeddinggemma:300m", 768)
    display = EmbeddingMapDisplay.from_estimator(vectorizer, TEXTS, **options)
    assert display.picture_caption == display.caption


def test_frame_of_texts_with_half_a_surrogate_pair() -> None:
    points, labels = blobs(12, 3)
    strange = ["\ud800"] * 12
    names = ["\ud801", "y", "z"]
    display = EmbeddingMapDisplay(
        points, texts=strange, labels=labels, names=names, columns={"note": strange, "n": range(12)}
    )
    frame = display.to_frame()
    assert frame["text"].tolist() == frame["note"].tolist() == strange
    assert "\ud801" in frame["group"].tolist()
    assert frame["n"].dtype.kind == "i"


def name_boxes(display: EmbeddingMapDisplay) -> list[mpl.transforms.Bbox]:
    display.figure_.canvas.draw()
    return [text.get_window_extent() for text in display.ax_.texts]


@pytest.mark.parametrize("k", [2, 17, 50])
def test_names_do_not_overlap(k: int) -> None:
    points, labels = blobs(1000, k)
    names = {i: f"group {i} with a long name {'of many words' * (i % 3)}" for i in range(k)}
    display = EmbeddingMapDisplay(points, labels=labels, names=names, title="t").plot()
    boxes = name_boxes(display)
    assert len(boxes) >= min(k, 35)
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            # Half a pixel of play: fonts are hinted anew when the figure is drawn.
            assert (
                a.x1 <= b.x0 + 0.5 or a.x0 >= b.x1 - 0.5 or a.y1 <= b.y0 + 0.5 or a.y0 >= b.y1 - 0.5
            )


def test_plot_layers_and_adapts() -> None:
    points, labels = blobs(400, 4)
    labels[:100] = -1
    display = EmbeddingMapDisplay(points, labels=labels, title="$5 and $10").plot()
    noise, rest = display.ax_.collections
    assert noise.get_zorder() < rest.get_zorder()
    assert len(noise.get_offsets()) == 100
    assert rest.get_sizes()[0] == pytest.approx(point_area(400))
    assert display.ax_.get_title(loc="left") == "$5 and $10"
    assert "Near means similar" in display.ax_.get_xlabel().replace("\n", " ")
    areas = [point_area(n) for n in (100, 1_000, 10_000, 100_000)]
    alphas = [point_alpha(n) for n in (100, 1_000, 10_000, 100_000)]
    assert areas == sorted(areas, reverse=True)
    assert alphas == sorted(alphas, reverse=True)


def test_plot_into_given_axes_with_odd_names(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    points, labels = blobs(60, 4)
    _, axes = plt.subplots(1, 2, figsize=(10, 5))
    names = ["$a$", "<b>", "_c^{", ""]
    display = EmbeddingMapDisplay(points, labels=labels, names=names).plot(axes[1], dark=True)
    assert display.ax_ is axes[1]
    display.figure_.savefig(tmp_path / "a.png")
    shown = [text.get_text() for text in axes[1].texts]
    assert {"$a$", "<b>", "_c^{"} <= set(shown)
    assert not axes[0].texts


def test_interactive_figure_shows_hostile_texts_as_text() -> None:
    points, labels = blobs(30, 3)
    labels[0] = -1
    hostile = '<a href="javascript:alert(1)">x</a>&lt;b&gt;'
    display = EmbeddingMapDisplay(
        points, labels=labels, texts=[hostile] * 30, names=[hostile, "b", "c"], title=hostile
    )
    figure = display.interactive()
    assert figure.data[0].name == "in no group"  # underneath
    raw = json.dumps(figure.to_plotly_json(), default=lambda a: a.tolist())
    assert "<a" not in raw
    assert "&lt;a href" in raw
    assert "&amp;lt;b&amp;gt;" in raw
    assert {trace.type for trace in figure.data} == {"scatter"}
    many, codes = blobs(SVG_LIMIT + 1, 3)
    assert EmbeddingMapDisplay(many, labels=codes).interactive().data[0].type == "scattergl"


def embedded(html: str, name: str = "map:map") -> dict[str, object]:
    found = re.search(rf'data-name="{name}">(.*?)</script>', html, flags=re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_page_is_complete_and_reproducible(tmp_path: Path) -> None:
    points, labels = blobs(12, 3)
    display = EmbeddingMapDisplay(points, texts=TEXTS, labels=labels, columns={"n": range(12)})
    html = display.to_html()
    assert display.to_html(tmp_path / "m.html").read_text("utf-8") == html
    with pytest.raises(UsageError):
        display.to_html(tmp_path / "m.html", overwrite=False)
    assert embedded(html)["texts"] == TEXTS
    assert len(html) < 75_000


def test_page_of_many_points_is_a_sample_that_says_so() -> None:
    points, labels = blobs(6_000, 3)
    display = EmbeddingMapDisplay(points, labels=labels, texts=["word " * 40] * 6_000)
    fragment = display.fragment(max_points=5_500)
    assert "A sample of 5,499 of the 6,000 texts is shown; the counts are of all." in fragment.html
    texts = fragment.data["map:map"]["texts"]
    assert set(texts) == {"gzip"}


def test_sample_keeps_small_groups() -> None:
    codes = np.repeat([0, 1, 2], [10_000, 25, 3])
    counts = np.bincount(codes[stratified_sample(codes, 1_000)])
    assert counts[1:].tolist() == [20, 3]
    assert 990 <= counts[0] <= 1_000


def test_texts_are_checked_like_everywhere():
    points = np.random.default_rng(0).normal(size=(4, 2))
    texts = ["a", None, "c", "d"]
    assert EmbeddingMapDisplay(points, texts=texts).texts == ["a", "", "c", "d"]
    column = np.array(["a", "b", "c", "d"], dtype=object)[:, None]
    assert EmbeddingMapDisplay(points, texts=column).texts == ["a", "b", "c", "d"]
    with pytest.raises(InputTypeError, match="single str"):
        EmbeddingMapDisplay(points, texts="abcd")


def test_labels_of_other_texts_give_no_colours():
    vectors = np.random.default_rng(0).normal(size=(60, 4))
    vectors[:30, 0] += 9
    vectors[30:, 1] += 9

    class Vectors(FunctionTransformer):
        def transform(self, X):
            return vectors[[int(text) for text in X]]

    order = [str(i) for i in range(60)]
    for last in (KMeans(2, n_init=1, random_state=0), CentroidClusterer(HDBSCAN(copy=True))):
        pipeline = make_pipeline(Vectors(), last).fit(order)
        options = {"projector": PCA(2), "quality": False}
        same = EmbeddingMapDisplay.from_estimator(pipeline, order, **options)
        np.testing.assert_array_equal(same.labels, last_labels := pipeline[-1].labels_)
        turned = order[30:] + order[:30]
        other = EmbeddingMapDisplay.from_estimator(pipeline, turned, **options)
        np.testing.assert_array_equal(other.labels, pipeline.predict(turned))
        assert (np.asarray(other.labels) != last_labels).mean() > 0.9


def test_a_long_title_stays_over_its_axes():
    points = np.random.default_rng(0).normal(size=(30, 2))
    display = EmbeddingMapDisplay(points, title="a title of many words " * 8)
    figure, axes = plt.subplots(1, 2, figsize=(10, 5))
    display.plot(ax=axes[0])
    figure.draw_without_rendering()
    title = axes[0]._left_title.get_window_extent()
    assert title.x1 <= axes[1].get_window_extent().x0
    plt.close(figure)


def test_what_stands_around_dark_axes_can_be_read_on_the_figure():
    points = np.random.default_rng(0).normal(size=(30, 2))
    display = EmbeddingMapDisplay(points, title="Title", columns={"n": range(30)})
    figure, ax = plt.subplots()
    display.plot(ax=ax, dark=True, color_by="n")
    written = [ax._left_title, ax.xaxis.label, *ax.get_legend().get_texts()]
    assert all(np.mean(to_rgb(text.get_color())) < 0.5 for text in written)
    figure.set_facecolor("black")
    display.plot(ax=ax, dark=True)
    assert np.mean(to_rgb(ax._left_title.get_color())) > 0.5
    plt.close(figure)


def test_names_of_a_figure_stand_where_their_groups_are():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(50, 2)) * 7
    labels = np.repeat(np.arange(50), 20)
    points = centres[labels] + rng.normal(size=(1000, 2)) / 2
    names = [f"topic {i}, water, energy" for i in range(50)]
    figure = EmbeddingMapDisplay(points, labels=labels, names=names).interactive()
    written = [a for a in figure.layout.annotations if "topic" in a.text]
    assert len(written) > 40
    span = np.ptp(points, axis=0)
    for one in written:
        number = int(one.text.split(",")[0].split()[-1])
        assert (abs(np.array([one.x, one.y]) - centres[number]) < span / 10).all()
        assert one.showarrow or one.ax is None
    assert any(one.showarrow for one in written)
