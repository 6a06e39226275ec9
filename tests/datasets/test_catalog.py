"""What the catalogue says of a data set is what its files say."""

from __future__ import annotations

import re

import pytest

from toolkit.cache.bundled import data_root
from toolkit.datasets.catalog import CATALOG, DatasetInfo, closest, info, names
from toolkit.datasets.rows import read_columns
from toolkit.errors import UsageError

every_dataset = pytest.mark.parametrize("dataset", CATALOG, ids=lambda dataset: dataset.name)


def test_names_are_sorted_and_distinct():
    assert names() == sorted(set(names()))


@every_dataset
def test_facts_agree_with_the_rows(dataset: DatasetInfo):
    columns = read_columns(dataset)
    assert len(set(columns["label"])) == dataset.classes
    assert len(set(columns["id"])) == dataset.rows
    assert all(text and text == text.strip() for text in columns["text"])
    if "lang" in columns:
        assert sorted(set(columns["lang"])) == sorted(dataset.languages)
        assert dataset.subsets == dataset.languages
    if dataset.group_column is not None:
        assert len(set(columns[dataset.group_column])) < dataset.rows


@every_dataset
def test_folder_has_description_and_licences(dataset: DatasetInfo):
    folder = data_root() / dataset.name
    description = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{dataset.rows:,}" in description
    assert set(re.findall(r"LICENSE-[\w.-]+\.txt", description)) == {
        path.name for path in folder.glob("LICENSE-*")
    }
    for expression in re.split(r" AND ", dataset.license):
        licence = folder / f"LICENSE-{expression.removeprefix('LicenseRef-')}.txt"
        names_of_files = {path.name.lower() for path in folder.glob("LICENSE-*")}
        assert licence.name.lower() in names_of_files
    for column in dataset.columns:
        assert f"`{column}`" in description
    for shipped in dataset.vectors:
        assert f"`{shipped.filename}`" in description


def test_every_file_is_accounted_for():
    # Nothing ships by accident: the wheel takes the folder as it is.
    known = {"README.md"}
    for dataset in CATALOG:
        known |= {f"{dataset.name}/README.md", f"{dataset.name}/{dataset.name}.csv.gz"}
        known |= {f"{dataset.name}/{shipped.filename}" for shipped in dataset.vectors}
        if dataset.subset_column is None:
            known |= {f"{dataset.name}/{part}_ids.txt" for part in dataset.subsets}
    root = data_root()
    there = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {name for name in there if "/LICENSE-" not in name} == known


def test_unknown_name_lists_what_there_is():
    with pytest.raises(UsageError, match=r"no data set 'sgd' \(did you mean 'sdg'\?\)") as caught:
        info("sgd")
    for name in names():
        assert name in str(caught.value)


def test_closest_of_nothing_similar():
    assert closest("zzz", ["sdg"]) == ""
