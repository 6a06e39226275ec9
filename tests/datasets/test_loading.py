"""Loading: the shape of a Bunch, subsets, frames, groups."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.datasets import info, load, names
from toolkit.errors import UsageError


@pytest.mark.parametrize("name", names())
def test_bunch(name: str):
    bunch = load(name)
    n = info(name).rows
    assert bunch.data.shape == bunch.target.shape == bunch.ids.shape == (n,)
    assert bunch.data.dtype == bunch.target.dtype == object
    assert all(type(text) is str for text in bunch.data)
    # Like `classes_` of a fitted classifier.
    assert bunch.target_names == np.unique(bunch.target).tolist()
    assert bunch.DESCR.startswith(f"# {name}: ")
    assert Path(bunch.filename).is_file()
    assert bunch.frame is None
    for column in set(info(name).columns) - {"id", "text", "label"}:
        assert bunch[column].shape == (n,)
    assert ("groups" in bunch) == (info(name).group_column is not None)


@pytest.mark.parametrize("name", names())
def test_texts_and_target_alone_are_the_same_data(name: str):
    X, y = load(name, return_X_y=True)
    bunch = load(name)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def test_as_frame():
    bunch = load("factbook", subset="sample", as_frame=True)
    assert isinstance(bunch.frame, pd.DataFrame)
    assert list(bunch.frame.columns) == list(info("factbook").columns)
    pd.testing.assert_series_equal(bunch.data, bunch.frame["text"])
    pd.testing.assert_series_equal(bunch.target, bunch.frame["label"])
    assert bunch.frame["id"].tolist() == bunch.ids.tolist()
    X, y = load("factbook", subset="sample", as_frame=True, return_X_y=True)
    pd.testing.assert_series_equal(X, bunch.data)
    pd.testing.assert_series_equal(y, bunch.target)


def test_first_rows_are_those_of_the_source():
    sdg = load("sdg")
    assert sdg.ids[:3].tolist() == ["f3f788f", "b6ee209", "042dd99"]
    assert sdg.data[0].startswith("In the case of poor families, this type of integration has")
    assert load("udhr", subset="eng").data[0] == (
        "All human beings are born free and equal in dignity and rights. They are endowed with "
        "reason and conscience and should act towards one another in a spirit of brotherhood."
    )


def test_sdg_labels_are_names_of_goals():
    sdg = load("sdg")
    several = {one: goals for one, goals in zip(sdg.ids, sdg.labels, strict=True) if goals[1:]}
    assert several == {"c5d8c2a": ("SDG07 Clean Energy", "SDG17 Partnerships")}
    assert all(own in goals for own, goals in zip(sdg.target, sdg.labels, strict=True))


def test_factbook_sample_is_part_of_the_whole():
    whole, sample = load("factbook"), load("factbook", subset="sample")
    assert sample.data.shape == (1670,)
    texts = dict(zip(whole.ids, whole.data, strict=True))
    assert all(texts[one] == text for one, text in zip(sample.ids, sample.data, strict=True))
    counts = Counter(sample.target)
    assert counts.pop("Transportation") == 70
    assert set(counts.values()) == {200}
    assert len(sample.region) == len(sample.field) == 1670


@pytest.mark.parametrize(
    ("name", "subset", "rows"),
    [
        ("assist_intents", "de", 521),
        ("assist_intents", ["en", "de", "zh-CN"], 1480),
        ("assist_intents", ("zh-CN", "de", "en", "de"), 1480),
        ("emoji_multilingual", "hi", 1579),
        ("udhr", ["eng", "cmn_hans"], 60),
    ],
)
def test_subset_by_language(name: str, subset: str | list[str], rows: int):
    bunch = load(name, subset=subset)
    assert len(bunch.data) == rows
    assert set(bunch.lang) == ({subset} if isinstance(subset, str) else set(subset))
    assert len(bunch.groups) == rows
    # In the order of the file, whatever the order of the languages.
    whole = load(name)
    np.testing.assert_array_equal(whole.ids[np.isin(whole.lang, list(set(bunch.lang)))], bunch.ids)


def test_groups_of_assist_intents_are_of_one_language_and_intent():
    intents = load("assist_intents")
    of_group: dict[str, set[tuple[str, str]]] = {}
    for group, lang, label in zip(intents.groups, intents.lang, intents.target, strict=True):
        of_group.setdefault(group, set()).add((lang, label))
    assert len(of_group) == 1046
    assert all(len(both) == 1 for both in of_group.values())


def test_groups_of_emoji_span_languages():
    emoji = load("emoji_multilingual", subset=["en", "ja"])
    assert set(Counter(emoji.groups).values()) == {2}
    # Aligned ids: a language, then the emoji's code points.
    codes = {
        lang: {one.split("-", 1)[1] for one in emoji.ids[emoji.lang == lang]}
        for lang in ("en", "ja")
    }
    assert codes["en"] == codes["ja"]


def test_groups_of_udhr_leave_every_article_to_both_sides():
    from sklearn.model_selection import GroupKFold

    udhr = load("udhr")
    np.testing.assert_array_equal(udhr.groups, udhr.lang)
    np.testing.assert_array_equal(udhr.article, udhr.target)
    for train, test in GroupKFold(5).split(udhr.data, udhr.target, udhr.groups):
        assert set(udhr.target[train]) == set(udhr.target[test]) == set(udhr.target_names)
        assert not set(udhr.lang[train]) & set(udhr.lang[test])


@pytest.mark.parametrize(
    ("name", "subset", "message"),
    [
        ("sdg", "en", r"'sdg' has no subsets; leave out subset='en'"),
        ("factbook", "smaple", r"no subset 'smaple' \(did you mean 'sample'\?\).*: sample\."),
        ("assist_intents", "zh", r"no subset 'zh'.*ca, de, el, en.*zh-CN"),
        ("udhr", ["eng", "english"], r"no subset 'english' \(did you mean .*arb, ces"),
        ("udhr", [], r"subset is empty"),
        ("udhr", 3, r"a name or a list of names, not int.*arb"),
    ],
)
def test_wrong_subset_lists_what_there_is(name: str, subset: object, message: str):
    with pytest.raises(UsageError, match=message):
        load(name, subset=subset)  # type: ignore[call-overload]


def test_unknown_name():
    with pytest.raises(UsageError, match="Data sets: assist_intents, emoji_multilingual"):
        load("newsgroups")


def test_import_is_light():
    code = (
        "import sys, toolkit.datasets as d; d.info('sdg'); "
        "print([m for m in ('sklearn', 'pandas', 'ollama', 'umap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
