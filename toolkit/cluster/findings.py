"""What a clustering says, and what to doubt about it, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from toolkit.cluster.clusterers import parameters_named
from toolkit.cluster.empty_texts import mostly_empty
from toolkit.cluster.stability import STABLE, WEAK
from toolkit.cluster.stop_words import stop_word_set
from toolkit.typography import counted, format_number, format_share, isolated, shorten

if TYPE_CHECKING:
    from toolkit.cluster.choose_k import ChosenK
    from toolkit.cluster.keywords import Keyword
    from toolkit.cluster.result import ClusterResult
    from toolkit.cluster.stability import Stability

__all__ = ["clusters_wanted", "describe", "doubts"]

# Silhouette: Kaufman and Rousseeuw (1990), "Finding Groups in Data", table 4: above 0.7 strong,
# 0.5 reasonable, 0.25 weak structure. Texts rarely reach 0.25 in hundreds of dimensions (SDG: 0.12
# at a V-measure of 0.61), hence one more step.
_SEPARATION = (
    (0.5, "clearly apart"),
    (0.25, "apart, with some overlap"),
    (0.1, "overlapping, as topics of texts mostly do"),
    (-1.0, "hardly apart"),
)

# Of fewer, a handful of other texts would have changed every figure.
_FEW_TEXTS = 30


def describe(result: ClusterResult) -> list[str]:
    """Return what was found: how many, how good, how stable, how much noise, which labels.

    Parameters
    ----------
    result : ClusterResult
        What to describe.

    Returns
    -------
    list of str
        Sentences.
    """
    quality = result.quality
    n, k = len(result.texts), result.n_clusters
    sizes = [cluster.size for cluster in quality.clusters]
    found = []
    if k == 1:
        whole = f"All {n:,} texts" if sizes[0] == n else f"{sizes[0]:,} of {n:,} texts"
        found.append(f"{whole} form one cluster.")
    else:
        found.append(
            f"{n:,} texts, {k} clusters of {min(sizes):,} to {max(sizes):,} texts each."
            if min(sizes) < max(sizes)
            else f"{n:,} texts, {k} clusters of {counted(sizes[0], 'text')} each."
        )
    if k > 3:
        largest = [
            f"{isolated(shorten(result.names[c.cluster], 80))} ({c.size:,})"
            for c in quality.clusters[:3]
        ]
        found.append(f"The largest are about: {'; '.join(largest)}.")
    if quality.noise:
        found.append(
            f"{counted(quality.noise, 'text')} ({format_share(1 - quality.coverage)}) "
            f"{_are(quality.noise)} in no cluster (noise)."
        )
    if k > 1 and max(sizes) == 1:
        found.append("How far they are apart cannot be measured: the silhouette of one text is 0.")
    elif k > 1:
        word = next(w for limit, w in _SEPARATION if quality.silhouette >= limit)
        closer = "no clustered text is"
        if quality.below_zero:
            closer = f"{format_share(quality.below_zero)} of the clustered texts are"
        found.append(
            f"The clusters are {word}: mean silhouette {format_number(quality.silhouette, 2)} "
            "(on a scale from \u22121 to 1); "
            f"{closer} closer to another cluster."
        )
    found += _edits(result)
    found += _stability(result)
    found += _agreement(result)
    return found


def _edits(result: ClusterResult) -> list[str]:
    edits = result.edits
    if edits is None:
        return []
    text = f"Edited by hand: {counted(len(edits.decisions), 'decision')}"
    if edits.moved:
        text += (
            f", from {counted(edits.n_clusters_before, 'cluster')} with a mean silhouette of "
            f"{format_number(edits.silhouette_before, 2)}"
        )
    return [f"{text}."]


def _stability(result: ClusterResult) -> list[str]:
    stability = result.stability
    if stability is None:
        return []
    when = f"when {_examined(stability, result)} are clustered again"
    if result.n_clusters == 1:
        jaccard = format_number(stability.jaccard, 2)
        return [
            f"The cluster is {stability.verdict}: Jaccard similarity {jaccard} {when} (1 is the "
            "same)."
        ]
    again = [c.cluster for c in stability.clusters if c.jaccard >= STABLE]
    sizes = [cluster.size for cluster in result.quality.clusters]
    with_texts = ""
    if 0 < len(again) < result.n_clusters:
        share = sum(sizes[cluster] for cluster in again) / sum(sizes)
        with_texts = f", with {share:.0%} of the clustered texts,"
    text = (
        f"As a whole they are {stability.verdict}: {when}, {len(again)} of {result.n_clusters} "
        f"clusters{with_texts} {'comes' if len(again) == 1 else 'come'} out again (Jaccard "
        f"similarity {STABLE} or more)"
    )
    if stability.n_seeds and not math.isnan(stability.seed_ari):
        seed_ari = format_number(stability.seed_ari, 2)
        text += (
            f"; another random seed agrees with an adjusted Rand index of {seed_ari} (1 is the "
            "same, 0 is chance)"
        )
    return [f"{text}."]


def _examined(stability: Stability, result: ClusterResult) -> str:
    """Return what was clustered again: a share of all texts, or of a sample."""
    used = stability.n_used
    whole = "the texts" if used == len(result.texts) else f"a sample of {used:,} texts"
    return f"{stability.share:.0%} of {whole}"


def _agreement(result: ClusterResult) -> list[str]:
    agreement = result.agreement
    if agreement is None:
        return []
    scores = agreement.all_texts
    some = agreement.n_labelled < len(result.labels)
    if len(agreement.classes) == 1:
        label = shorten(str(agreement.classes[0]), 80)
        return [f"All known labels are the same, {isolated(label)}: nothing to compare with."]
    text = f"Compared with {counted(len(agreement.classes), 'known label')}"
    text += f" that {counted(agreement.n_labelled, 'text')} have: " if some else ": "
    counts = agreement.contingency
    if counts.any():
        usual = counts.max(axis=0).sum() / counts.sum()
        these = "clustered ones" if some else "clustered texts"
        largest = counts.sum(axis=1).max() / counts.sum()
        text += (
            f"{usual:.0%} of the {these} have their cluster's most frequent label "
            f"({largest:.0%} have the most frequent of all), "
        )
    text += (
        f"adjusted Rand index {format_number(scores.ari, 2)}, "
        f"V-measure {format_number(scores.v_measure, 2)} (1 is perfect)"
    )
    if agreement.coverage < 1 and agreement.clustered is not None:
        text += (
            f" over all labelled texts; {format_number(agreement.clustered.ari, 2)} and "
            f"{format_number(agreement.clustered.v_measure, 2)} over the "
            f"{agreement.coverage:.0%} of them that are in a cluster"
        )
    return [f"{text}."]


def doubts(result: ClusterResult) -> list[str]:
    """Return what a reader should doubt.

    Parameters
    ----------
    result : ClusterResult
        What to doubt.

    Returns
    -------
    list of str
        Sentences; empty if there is nothing.
    """
    quality, stability = result.quality, result.stability
    found = []
    if len(result.texts) < _FEW_TEXTS:
        found.append(
            f"There are only {counted(len(result.texts), 'text')}: figures of so few say little."
        )
    if result.chosen is not None:
        found += _number(result.chosen)
    wanted = clusters_wanted(result)
    if result.n_clusters < wanted:
        found.append(
            f"{wanted} clusters were asked for, and the clusterer found {result.n_clusters}."
        )
    if quality.coverage < 0.8:
        found.append(
            f"Only {quality.coverage:.0%} of the texts are in a cluster; what is said of the "
            "clusters is not said of the others."
        )
    if quality.below_zero > 0.2:
        found.append(
            f"{quality.below_zero:.0%} of the clustered texts are closer to another cluster than "
            "to their own: treat single assignments with care."
        )
    if stability is not None:
        weak = [c.cluster for c in stability.clusters if c.jaccard < WEAK]
        if weak:
            found.append(
                f"{len(weak)} of {counted(result.n_clusters, 'cluster')} ({_numbers(weak)}) did "
                "not reliably come out "
                f"again from {_examined(stability, result)}: read them as a tendency, not as "
                "groups that exist."
            )
        if stability.seed_ari < 0.8:
            found.append(
                "The result changes with the random seed: another one puts a good part of the "
                "texts together differently (adjusted Rand index "
                f"{format_number(stability.seed_ari, 2)})."
            )
        if stability.n_used < len(result.texts):
            found.append(
                f"Stability was measured on a random sample of {stability.n_used:,} texts."
            )
    elif result.edits is not None and result.edits.stability_before is not None:
        found.append(
            "Stability was measured before the clusters were edited (mean Jaccard similarity "
            f"{format_number(result.edits.stability_before, 2)}); it says nothing about the edited "
            "ones."
        )
    elif result.n_clusters > 1:
        found.append("Stability was not measured.")
    if result.agreement is not None and result.agreement.all_texts.flatters:
        scores = result.agreement.all_texts
        found.append(
            f"The V-measure of {format_number(scores.v_measure, 2)} flatters: with "
            f"{counted(len(result.agreement.classes), 'label')} for "
            f"{counted(result.agreement.n_labelled, 'text')} chance alone gives a part of it. "
            f"Adjusted for chance it is {format_number(scores.ami, 2)} (adjusted mutual "
            "information; 0 is chance)."
        )
    largest = quality.clusters[0]
    if largest.share > 0.5 and result.n_clusters > 2:
        found.append(
            f"Cluster 0 has {largest.share:.0%} of all texts: probably a collection of the rest."
        )
    repeated = sum(cluster.duplicates or 0 for cluster in quality.clusters)
    if repeated > 0.1 * len(result.texts):
        found.append(
            f"{repeated:,} texts repeat another of their cluster: sizes and quality are partly "
            "those of the copies."
        )
    empty = mostly_empty(result.texts, result.labels)
    unread = [c for c in quality.clusters if c.cluster in empty]
    if unread:
        bare, all_there = sum(empty.values()), sum(c.size for c in unread)
        found.append(
            f"{'All' if bare == all_there else f'{bare:,} of the'} {all_there:,} "
            f"texts of {counted(len(unread), 'cluster')} "
            f"({_numbers([c.cluster for c in unread])}) are empty."
        )
    copies = [c for c in quality.clusters if 2 * (c.duplicates or 0) > c.size and c not in unread]
    if copies:
        kinds = sum(c.size - (c.duplicates or 0) for c in copies)
        found.append(
            f"{counted(len(copies), 'cluster')} ({_numbers([c.cluster for c in copies])}) "
            f"{_are(len(copies))} mostly copies: {counted(kinds, 'different text')} among "
            f"{sum(c.size for c in copies):,}. What is said there of size and quality is said of "
            "the copies."
        )
    wordless = [
        c.cluster for c in quality.clusters if not result.keywords[c.cluster] and c not in unread
    ]
    if wordless:
        found.append(
            f"No word is typical of {counted(len(wordless), 'cluster')} ({_numbers(wordless)})."
        )
    little = {i: w for i, words in enumerate(result.keywords) if (w := _function_words(words))}
    if little:
        such = " and ".join(f"“{word}”" for word in next(iter(little.values()))[:2])
        found.append(
            f"The first keywords of {counted(len(little), 'cluster')} ({_numbers([*little])}) are "
            f"words such as {such}, which say little: read the examples. Given as stop words, they "
            "would leave room for others."
        )
    named = result.provenance.get("names")
    if named is not None:
        found.append(
            f"{named['named']} of the {counted(named['of'], 'name')} "
            f"{'was' if named['named'] == 1 else 'were'} made by the language model "
            f"{named['model']} from keywords and a few texts; the keywords and examples say what "
            "is there."
        )
    if result.provenance.get("model") is None:
        found.append("Which model made the vectors was not recorded.")
    return found


def _function_words(keywords: Sequence[Keyword]) -> list[str]:
    """Return those of the first three that are stop words of English, if most of them are."""
    first = [word.term for word in keywords[:3]]
    found = [term for term in first if term in stop_word_set("english")]
    return found if 2 * len(found) > len(first) else []


def clusters_wanted(result: ClusterResult) -> int:
    """Return how many clusters the clusterer was told to make; 0 if it was not."""
    if result.edits is not None:
        return 0
    told = parameters_named(result.estimator, "n_clusters").values()
    return max((int(n) for n in told if isinstance(n, Integral)), default=0)


def _number(chosen: ChosenK) -> list[str]:
    """Return what to doubt about a number that was chosen."""
    if chosen.n_clusters == 1:
        return [str(chosen)]
    end = chosen.candidates[-1].n_clusters if chosen.at_the_end else 0
    if chosen.sure:
        return [f"No more than {end} clusters were tried: more may be better."] * bool(end)
    more = f" No more than {end} were tried, so larger ones may be as good." if end else ""
    return [
        f"The number of clusters, {chosen.n_clusters}, was chosen by score and is open: "
        f"{', '.join(map(str, chosen.nearly))} {'is' if len(chosen.nearly) == 1 else 'are'} about "
        f"as good. It is the smallest of them; take a larger one for more detail.{more}"
    ]


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _numbers(values: Sequence[int], limit: int = 12) -> str:
    shown = ", ".join(map(str, values[:limit]))
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit} more"
