"""The script that makes the data files: the same source gives the same bytes."""

from __future__ import annotations

import csv
import gzip
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.cache.packs import read_pack
from toolkit.datasets.catalog import CATALOG
from toolkit.embedding.keys import hash_texts
from toolkit.prompts import resolve_prompt

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_datasets.py"
TEXTS = ["one", "two", "three", "two"]


@pytest.fixture(scope="module")
def script() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four rows of each data set, the second and the last with one text."""
    folder = tmp_path / "source"
    (folder / "vectors").mkdir(parents=True)
    vectors = np.random.default_rng(0).normal(size=(4, 768))
    vectors[3] = vectors[1]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for dataset in CATALOG:
        rows = [
            {column: f"{column} {i}" for column in dataset.columns} | {"text": text}
            for i, text in enumerate(TEXTS)
        ]
        write_rows(folder / f"{dataset.name}.csv.gz", rows)
        if dataset.name == "factbook":
            write_rows(folder / "factbook_sample.csv.gz", rows[1:])
        for shipped in dataset.vectors:
            np.savez(
                folder / "vectors" / f"{Path(shipped.filename).stem}.npz",
                ids=np.array([row["id"] for row in rows]),
                vectors=vectors.astype(np.float16),
            )
    return folder


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_running_twice_gives_identical_files(
    script: SimpleNamespace, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    assert script.main([str(source), "--out", str(out)]) == 0
    made = files_of(out)
    assert len(made) == 5 + 4 + 1  # rows, packs, the list of the sample
    (out / "sdg" / "README.md").write_text("written by hand")
    assert script.main([str(source), "--out", str(out)]) == 0
    assert files_of(out) == made | {"sdg/README.md": b"written by hand"}
    assert script.main([str(source), "--out", str(tmp_path / "elsewhere")]) == 0
    assert files_of(tmp_path / "elsewhere") == made
    assert "4 rows, 3 distinct texts" in capsys.readouterr().out


def test_packs_hold_the_given_numbers(script: SimpleNamespace, source: Path, tmp_path: Path):
    script.main([str(source), "--out", str(tmp_path / "out")])
    pack = read_pack(tmp_path / "out" / "sdg" / "sdg-clustering.safetensors")
    rows = pack.lookup(hash_texts(TEXTS, resolve_prompt("embeddinggemma", "clustering")))
    assert rows.tolist() == [0, 1, 2, 1]
    given = np.load(source / "vectors" / "sdg-clustering.npz")["vectors"].astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    np.testing.assert_allclose(pack.read(rows), given, atol=1e-6)


def test_factbook_sample_is_a_list_of_ids(script: SimpleNamespace, source: Path, tmp_path: Path):
    script.main([str(source), "--out", str(tmp_path / "out")])
    listed = (tmp_path / "out" / "factbook" / "sample_ids.txt").read_bytes()
    assert listed == b"id 1\nid 2\nid 3\n"


def test_vectors_that_do_not_belong_to_the_rows(
    script: SimpleNamespace, source: Path, tmp_path: Path
):
    path = source / "vectors" / "sdg-clustering.npz"
    arrays = dict(np.load(path))
    arrays["vectors"][3] = arrays["vectors"][0]
    np.savez(path, **arrays)
    with pytest.raises(SystemExit, match="rows 3 and 1 have one text but other vectors"):
        script.main([str(source), "--out", str(tmp_path / "out")])
