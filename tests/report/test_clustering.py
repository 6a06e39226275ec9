from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from tests.cluster.examples import HOSTILE, blobs, noisy_result, sdg_result, worded_texts
from toolkit import ClusterReport
from toolkit.cluster import ClusterResult, cluster_texts, find_substructure
from toolkit.errors import ToolkitWarning, UsageError
from toolkit.identity import ModelIdentity
from toolkit.visualize import EmbeddingMapDisplay


@pytest.fixture(scope="module")
def sdg() -> ClusterReport:
    return ClusterReport(sdg_result(), title="Passages in clusters")


@pytest.fixture(scope="module")
def noise() -> ClusterReport:
    return ClusterReport(noisy_result())


def test_key_numbers_are_the_results(sdg: ClusterReport):
    numbers = {label: (value, note) for label, value, note in sdg.key_numbers}
    result = sdg.result
    assert numbers["Clusters"] == ("17", "as asked for")
    assert numbers["Texts in a cluster"] == ("100%", "615 of 615")
    assert numbers["Silhouette"][0] == f"{result.quality.silhouette:.2f}"
    assert numbers["Stability"][0] == f"{result.stability.jaccard:.2f}"
    again = sum(c.jaccard >= 0.75 for c in result.stability.clusters)
    assert f"{again} of 17 come out again" in numbers["Stability"][1]
    assert f"{again} of 17 clusters" in " ".join(result.findings())
    assert numbers["Agreement"][0] == f"{result.agreement.all_texts.v_measure:.2f}"


def test_the_table_says_of_which_texts_stability_was_measured(sdg: ClusterReport):
    assert "from 80% of the texts (Jaccard" in sdg.to_html()
    measured = replace(sdg.result.stability, n_used=500)
    sampled = ClusterReport(replace(sdg.result, stability=measured))
    assert "from 80% of a sample of 500 texts (Jaccard" in sampled.to_html()


def test_what_is_there_is_not_said_to_be_none():
    X, _ = blobs((448, 2), spread=0.02)
    texts = [f"the ship number {i}" for i in range(448)] + ["a drum", "the drum"]
    page = ClusterReport(cluster_texts(texts, X, n_clusters=2, stability=0)).to_html()
    assert "2 texts (&lt;1%), cohesion" in page
    assert "(0%), cohesion" not in page


def test_page_has_every_cluster_every_finding_and_every_doubt(sdg: ClusterReport):
    from markupsafe import escape

    html = sdg.to_html()
    for cluster, name in enumerate(sdg.result.names):
        assert f'id="cluster-{cluster}"' in html
        assert str(escape(name)) in html
    for sentence in (*sdg.result.findings(), *sdg.doubts):
        assert str(escape(sentence)) in html
    for name, value in sdg.facts:
        assert str(escape(name)) in html
        assert str(escape(value)) in html
    assert 'id="map"' not in html
    assert 'id="noise"' not in html


def test_the_table_has_keywords_whatever_the_names_are(sdg: ClusterReport):
    first = [word.term for word in sdg.result.keywords[0]]
    assert sdg.result.names[0] == ", ".join(first[:3])
    assert sdg.clusters[0]["words"] == first[3:7]
    called = replace(sdg.result, names=["Power", *sdg.result.names[1:]])
    named = ClusterReport(called)
    assert named.clusters[0]["words"] == first[:4]
    page = named.to_html()
    row = page[page.index(">Power</bdi></a>") :].split("</th>")[0]
    assert all(f"<bdi>{word}</bdi>" in row for word in first[:4])
    quality = sdg.result.quality.clusters[0]
    assert f"cohesion {quality.cohesion:.2f}, silhouette" in page
    assert f"(separation {quality.separation:.2f})" in page


def test_how_the_map_was_made_is_told(sdg: ClusterReport):
    points = np.random.default_rng(0).normal(size=(len(sdg.result.texts), 2))
    made = {"method": "UMAPProjector", "n_neighbors": 15, "metric": "cosine"}
    report = ClusterReport(sdg.result, EmbeddingMapDisplay(points, projection=made))
    assert dict(report.facts)["Map"] == "UMAPProjector(n_neighbors=15, metric='cosine')"
    assert "Map" not in dict(sdg.facts)


def test_noise_is_shown_with_examples_and_coverage(noise: ClusterReport):
    html = noise.to_html()
    assert 'id="noise"' in html
    for example in noise.noise_examples:
        assert example["text"] in html
    assert len(noise.scores) == 2
    assert noise.scores[1][0].startswith("the 9")
    assert noise.contingency.columns == (0, 1, 2, 3, -1)
    assert sum(c.count for row in noise.contingency.rows for c in row.cells) == (
        noise.result.agreement.n_labelled
    )


def test_known_labels_stand_in_the_order_of_their_clusters(sdg: ClusterReport):
    best = [max(range(17), key=lambda i, r=row: r.cells[i].count) for row in sdg.contingency.rows]
    assert best == sorted(best)


def test_a_label_of_a_few_of_the_texts_is_not_called_what_they_mostly_are():
    X, labels = blobs((30, 20))
    known = [f"kind {i % 5}" for i in range(50)]
    result = cluster_texts(worded_texts(labels), X, n_clusters=2, labels_true=known, stability=0)
    html = ClusterReport(result).to_html()
    assert "main label <bdi>kind 0</bdi> (20%)" in html
    assert ", mostly" not in html


def test_labels_of_a_few_texts_each_neither_flatter_nor_fill_the_page():
    X, labels = blobs((50, 50, 50))
    names = [f"package {i // 2}" for i in np.random.default_rng(0).permutation(len(X))]
    names[:4] = ["usual"] * 4
    report = ClusterReport(
        cluster_texts(worded_texts(labels), X, n_clusters=3, labels_true=names, stability=0)
    )
    scores = report.result.agreement.all_texts
    assert scores.v_measure > scores.ami + 0.2
    assert abs(scores.ami) < 0.1
    name, value, note = report.key_numbers[-1]
    assert (name, float(value.replace("\u2212", "-"))) == ("Agreement", round(scores.ami, 2))
    assert "adjusted mutual information" in note
    assert sum("flatters" in doubt for doubt in report.doubts) == 1
    n_classes = len(report.result.agreement.classes)
    assert len(report.contingency.rows) == 60
    assert report.contingency.left_out == n_classes - 60
    assert "usual" in {row.label for row in report.contingency.rows}
    assert f"{n_classes - 60} more are not." in report.to_html()


def test_agreement_that_chance_does_not_explain_is_the_v_measure(sdg: ClusterReport):
    assert sdg.key_numbers[-1][2].startswith("V-measure")
    assert not any("flatters" in doubt for doubt in sdg.doubts)
    assert sdg.contingency.left_out == 0


def test_times_that_cannot_be_read_are_doubted(sdg: ClusterReport):
    times = ["17.05.2024" if i % 2 else "2024-05-17" for i in range(615)]
    with pytest.warns(ToolkitWarning, match=r"307 of 615 times cannot be read, .*'17\.05\.2024'"):
        report = ClusterReport(sdg.result, times=times)
    assert any("307 texts of 615 have no date" in doubt for doubt in report.doubts)


def test_more_columns_than_a_page_has_room_for_become_a_list():
    X, labels = blobs((6,) * 45, dimension=50)
    result = cluster_texts(
        [f"text {i}" for i in range(len(X))], X, n_clusters=45, labels_true=labels, stability=0
    )
    report = ClusterReport(result)
    assert report.contingency.wide
    assert "Mostly in clusters" in report.to_html()
    assert all(row.where[0][1] == row.size for row in report.contingency.rows)


def test_a_bare_result_of_one_cluster_still_makes_a_report():
    X, _ = blobs((12,))
    result = cluster_texts([f"red apple {i}" for i in range(12)], X, n_clusters=1, stability=0)
    report = ClusterReport(result)
    html = report.to_html()
    assert "in 1 cluster," in report.subtitle
    assert "Agreement with known labels" not in html
    assert "Stability was not measured." not in report.doubts, "one comes out again always"
    assert "nan" not in report.to_markdown()
    assert json.loads(report.to_json())["silhouette"] is None
    assert result.findings()[0] == "All 12 texts form one cluster."
    numbers = {label: note for label, _, note in report.key_numbers}
    assert numbers["Clusters"] == "as asked for"
    assert numbers["Silhouette"] == "needs another cluster to compare with"
    assert "silhouette –" not in html


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_fewer_clusters_than_asked_for_are_not_as_asked_for():
    X = np.repeat(np.eye(3), 4, axis=0)
    report = ClusterReport(
        cluster_texts(["red", "blue", "green"] * 4, X, n_clusters=5, stability=0)
    )
    assert report.key_numbers[0] == ("Clusters", "3", "5 were asked for")
    assert ("Number of clusters", "3 of 5 given") in report.facts


def test_a_single_cluster_among_noise_is_told_of_as_one():
    X, _ = blobs((12,))
    lone = -np.eye(X.shape[1])[1:]  # blobs has its texts around the first axis
    labels = np.r_[np.zeros(len(X)), np.full(len(lone), -1)]
    texts = [f"text {i}" for i in range(len(labels))]
    clusterer = DBSCAN(eps=0.6, min_samples=4)
    result = cluster_texts(texts, np.vstack([X, lone]), clusterer=clusterer, stability=3)
    assert result.labels.tolist() == labels.tolist()
    assert result.findings()[0] == f"12 of {len(texts)} texts form one cluster."
    assert any(said.startswith("The cluster is very stable: Jaccard") for said in result.findings())
    assert "1 of 1 clusters" not in ClusterReport(result).to_html()


def test_clusters_of_one_text_each_have_no_distance():
    texts = ["red", "blue", "green", "black"]
    found = cluster_texts(texts, np.eye(4), n_clusters=4, stability=0).findings()
    assert found[0] == "4 texts, 4 clusters of 1 text each."
    assert any("cannot be measured" in said for said in found)
    assert not any("hardly apart" in said for said in found)


def test_another_model_is_named_at_the_top_of_every_form():
    X, labels = blobs()
    result = cluster_texts(
        worded_texts(labels),
        X,
        n_clusters=3,
        stability=0,
        identity=ModelIdentity("embedded", "use-multilingual-v3", 512),
    )
    report = ClusterReport(result)
    notice = "Not EmbeddingGemma: vectors of use-multilingual-v3 through embedded"
    html, markdown = report.to_html(), report.to_markdown()
    assert html.index(notice) < html.index('class="cards"')
    assert markdown.splitlines()[4].startswith("> **Not EmbeddingGemma")
    assert json.loads(report.to_json())["notice"].startswith(notice)


def test_provenance_given_to_the_report_wins():
    report = ClusterReport(
        noisy_result(),
        provenance={
            "model": "embeddinggemma through ollama",
            "command": "toolkit cluster mine.csv --missing skip",
        },
    )
    assert ("Embedding model", "embeddinggemma through ollama") in report.facts
    # A line breaks between the words, not inside an option.
    assert "toolkit cluster mine.csv <span>--missing</span> skip" in report.to_html()
    assert not any("was not recorded" in doubt for doubt in report.doubts)


def test_a_map_is_coloured_by_cluster_whatever_it_showed():
    result = noisy_result()
    points = np.random.default_rng(0).normal(size=(len(result.texts), 2))
    display = EmbeddingMapDisplay(points, texts=result.texts, labels=["x"] * len(points))
    report = ClusterReport(result, display)
    assert report.map.coloring().name == "cluster"
    assert [group.name for group in report.map.groups_] == [
        *(f"{i} · {name}" for i, name in enumerate(result.names)),
        "in no cluster",
    ]
    assert report.clusters[0]["colors"][0] == report.map.colors[0]
    assert 'id="map"' in report.to_html()
    with pytest.raises(UsageError, match="labels for 3 texts"):
        ClusterReport(result, EmbeddingMapDisplay(points[:3]))


def test_the_number_of_an_arabic_name_stays_before_it_on_the_map():
    X, labels = blobs((30, 20))
    result = cluster_texts(worded_texts(labels), X, n_clusters=2, stability=0)
    named = replace(result, names=["ماء, نهر", "water"])
    shown = ClusterReport(named, EmbeddingMapDisplay(X[:, :2], texts=result.texts)).map
    assert shown is not None
    assert shown.names[0] == "\u200e0 · \u2068ماء, نهر\u2069"
    assert shown.names[1] == "1 · water"


def test_the_same_result_gives_the_same_page(sdg: ClusterReport):
    assert sdg.to_html() == ClusterReport(sdg_result(), title="Passages in clusters").to_html()


def test_json_holds_everything(noise: ClusterReport, tmp_path: Path):
    path = tmp_path / "report.json"
    noise.to_json(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["labels"] == noise.result.labels.tolist()
    assert len(data["clusters"]) == data["n_clusters"] == 4
    first = data["clusters"][0]
    assert first["keywords"][0]["term"] == noise.result.keywords[0][0].term
    assert set(first["exemplars"]) == {"central", "diverse", "borderline"}
    assert data["agreement"]["clustered"]["ari"] == noise.result.agreement.clustered.ari
    assert data["stability"]["verdict"] == noise.result.stability.verdict
    assert data["provenance"]["source"] == "stray.csv"
    assert data["doubts"] == noise.doubts


def test_frame_is_the_results(noise: ClusterReport):
    assert noise.to_frame().equals(noise.result.to_frame())


def test_markdown_says_the_same(noise: ClusterReport):
    text = noise.to_markdown()
    for heading in ("# Clustering report", "## What to doubt", "## Clusters", "## In no cluster"):
        assert heading in text
    assert text.count("\n### ") == 4
    assert "| cluster | name | texts |" in text


def test_long_texts_are_cut_and_say_so():
    X, labels = blobs()
    texts = [text + " long" * 300 for text in worded_texts(labels)]
    report = ClusterReport(cluster_texts(texts, X, n_clusters=3, stability=0))
    shown = report.clusters[0]["exemplars"]["central"][0]
    assert len(shown["text"]) == 601
    assert shown["left_out"] == len(texts[shown["position"]]) - 600
    assert "more characters" in report.to_html()


@pytest.fixture(scope="module")
def hostile() -> ClusterResult:
    return hostile_result()


def hostile_result() -> ClusterResult:
    """Texts, labels and names that try to be more than text."""
    X, labels = blobs((30, 24, 16), dimension=8, spread=0.15)
    texts = [
        f"{HOSTILE[(i * 3 + label) % len(HOSTILE)]} {label}{label}"
        for i, label in enumerate(labels)
    ]
    return cluster_texts(
        texts,
        X,
        n_clusters=3,
        labels_true=[HOSTILE[i] for i in labels],
        stability=2,
        tokenizer=lambda text: [text],  # whole texts as keywords, and so as names of clusters
        min_df=1,
        source=HOSTILE[0],
        command=f"toolkit cluster {HOSTILE[6]}",
    )


def test_hostile_texts_stay_texts(hostile: ClusterResult):
    points = np.random.default_rng(0).normal(size=(len(hostile.texts), 2))
    report = ClusterReport(
        hostile, EmbeddingMapDisplay(points, texts=hostile.texts), title=HOSTILE[1]
    )
    html = report.to_html()
    for trick in (
        "<script>window",
        "<img src=x",
        "<svg onload",
        "<a href='java",
        "<iframe",
        "<base",
    ):
        assert trick not in html
    markdown = report.to_markdown()
    assert "<script" not in markdown
    assert "<img" not in markdown


def test_odd_texts_repeats_and_time_are_in_every_form():
    X, labels = blobs((30, 20, 10))
    texts = worded_texts(labels)
    texts[1] = texts[0].upper()
    X[7] = np.roll(X[7], 6) + 0.7 * np.eye(12, dtype=np.float32)[0]
    texts[8], X[8] = texts[7], X[7]
    result = cluster_texts(texts, X, n_clusters=3, stability=0)
    years: list[object] = [2018 + i % 3 for i in range(60)]
    years[5] = None
    report = ClusterReport(result, times=years)
    assert not any("no date" in doubt for doubt in report.doubts)
    assert report.outliers[0]["position"] == 7
    assert 8 not in [one["position"] for one in report.outliers]  # the same text
    assert [one["positions"] for one in report.duplicates] == [[0, 1], [7, 8]]
    assert report.over_time.periods == ["2018", "2019", "2020"]
    assert sum(cell.count for row in report.time_rows for cell in row.cells) == 59
    html, markdown, data = report.to_html(), report.to_markdown(), json.loads(report.to_json())
    for part in ('id="outliers"', 'id="duplicates"', 'id="time"', "1 text has no date"):
        assert part in html
    for part in ("## Odd ones out", "## Repeats", "## Over time", "| cluster | 2018 |"):
        assert part in markdown
    assert data["outliers"][0]["position"] == 7
    assert data["duplicates"][0]["count"] == 2
    assert data["over_time"]["totals"] == [20, 20, 19]
    assert data["over_time"]["words"] == [[], [], []]
    assert "No word of a cluster is certain to tell a year from the others." in html
    bare = ClusterReport(result).to_html()
    assert 'id="time"' not in bare


def drifting_report(*, of_the_report: bool = False) -> ClusterReport:
    """Texts whose largest cluster speaks of <fog> in the second of two months."""
    X, labels = blobs((60, 40, 20), spread=0.05)
    texts = worded_texts(labels)
    texts = [f"{text}{' <b>fog</b>' * (i % 2 and i < 60)}" for i, text in enumerate(texts)]
    times = [f"2{i % 2 + 1}.0{i % 2 + 4}.2026" for i in range(120)]
    dated = {"times": times, "time_format": "%d.%m.%Y"}
    words = {"n_clusters": 3, "stability": 0, "stop_words": ["b"]}
    if of_the_report:
        return ClusterReport(cluster_texts(texts, X, **words), **dated)
    return ClusterReport(cluster_texts(texts, X, **words, **dated))


def test_words_of_a_period_are_in_every_form():
    report = drifting_report()
    html, markdown, data = report.to_html(), report.to_markdown(), json.loads(report.to_json())
    assert html.count('<ul class="by-period">') == 1
    listed = html.split('<ul class="by-period">')[1].split("</ul>")[0]
    assert "<b>2026-05</b>" in listed
    assert "30 texts" in listed
    assert 'title="in 100% of these texts, 0.0% of the cluster\'s others"' in listed
    assert "Words that tell a month from others stand under the clusters." in html
    assert "Words over time:\n\n- 2026-05 (30 texts): fog" in markdown
    told = data["over_time"]["words"]
    assert [len(one) for one in told] == [1, 0, 0]
    assert (told[0][0]["period"], told[0][0]["texts"]) == (1, 30)
    assert [word["term"] for word in told[0][0]["words"]] == ["fog"]
    assert "by_period" not in data["clusters"][0]


def test_times_of_the_report_say_the_same_as_those_of_the_clustering():
    again = drifting_report(of_the_report=True)
    assert again.result.over_time is None
    # Its stop words, too.
    assert again.over_time.to_frame().equals(drifting_report().over_time.to_frame())


def test_map_and_sections_lead_to_each_other():
    result = noisy_result()
    points = np.random.default_rng(0).normal(size=(len(result.texts), 2))
    html = ClusterReport(result, EmbeddingMapDisplay(points, texts=result.texts)).to_html()
    assert '"link": "#cluster-0"' in html or '"link":"#cluster-0"' in html
    assert 'href="#map" data-map-group="#cluster-3"' in html
    assert "data-map-group=" not in ClusterReport(result).to_html()


def test_what_a_cluster_falls_into_is_in_every_form():
    X, labels = blobs((40, 35, 30), spread=0.05)
    two = np.vstack([X[:75] + np.eye(12, dtype=np.float32)[7], X[75:]])
    texts = worded_texts(labels)
    texts[0] = "<script>window.hurt = 9</script> harbour ship"
    result = cluster_texts(texts, two, n_clusters=2, stability=0)
    report = ClusterReport(result, substructure=find_substructure(result, two))
    page, markdown, data = report.to_html(), report.to_markdown(), json.loads(report.to_json())
    assert "Falls into 2 groups" in page
    assert "Falls into 2 groups" in markdown
    groups = data["clusters"][0]["substructure"]["groups"]
    assert [group["size"] for group in groups] == [40, 35]
    assert data["clusters"][1]["substructure"] is None
    for group in groups:
        assert group["name"] in page
        assert group["text"] == result.texts[group["example"]]
    assert "<script>window.hurt" not in page


def test_names_by_a_model_are_told_in_every_form():
    made = {"model": "<b>chatty</b>", "digest": "abcdef" * 8, "named": 3, "of": 4}
    result = noisy_result()
    named = replace(result, provenance={**result.provenance, "names": made})
    report = ClusterReport(named)
    assert ("Names", "<b>chatty</b> (digest abcdefabcdef): 3 of 4, else keywords") in report.facts
    assert any("3 of the 4 names were made by the language model" in d for d in report.doubts)
    assert "<b>chatty" not in report.to_html()
    assert json.loads(report.to_json())["provenance"]["names"] == made


def test_one_seed_is_not_several(sdg: ClusterReport):
    stability = sdg.result.stability
    said = [
        dict(ClusterReport(replace(sdg.result, stability=replace(stability, n_seeds=n))).facts)
        for n in (1, 2)
    ]
    assert said[0]["Stability"].endswith(", 1 other seed")
    assert said[1]["Stability"].endswith(", 2 other seeds")


def test_a_negative_silhouette_is_written_alike_everywhere(sdg: ClusterReport):
    worst = replace(sdg.result.quality.clusters[0], silhouette=-0.126)
    none = replace(sdg.result.quality.clusters[1], silhouette=-0.0001)
    clusters = (worst, none, *sdg.result.quality.clusters[2:])
    quality = replace(sdg.result.quality, silhouette=-0.0004, clusters=list(clusters))
    report = ClusterReport(replace(sdg.result, quality=quality))
    shown = {label: value for label, value, _ in report.key_numbers}
    assert shown["Silhouette"] == "0.00"
    assert "mean silhouette 0.00 (on a scale from \u22121 to 1);" in " ".join(
        report.result.findings()
    )
    for written in (report.to_html(), report.to_markdown()):
        assert "−0.13" in written
        assert "-0.13" not in written
        assert "-0.00" not in written
        assert "−0.00" not in written
