"""Make the data files under datasets/ from a folder of raw material.

    python scripts/make_datasets.py SOURCE_FOLDER [--out datasets]

SOURCE_FOLDER has the rows (`sdg.csv.gz`, `factbook.csv.gz`, `factbook_sample.csv.gz`,
`assist_intents.csv.gz`, `emoji_multilingual.csv.gz`, `udhr.csv.gz`: UTF-8, header row) and, in
`vectors/`, the EmbeddingGemma vectors of some of them (`<rows>-<task>.npz` with `ids` and
`vectors`, float16). This script copies the rows, replaces the factbook sample by the list of its
ids, and turns the vectors into packs: keys of prompt and text, vectors, and a header that says what
made them. Where two rows have one text, the pack has it once. The result depends on nothing but the
source: running it again gives identical files. Read-me files and licences beside the data are
written by hand and left alone.

How the vectors were made
-------------------------
With the original weights of EmbeddingGemma (google/embeddinggemma-300m, `model.safetensors`, sha256
cbf5a78393b6a033e0b8a63a57549964f7ed5c6fbeb4ba0694214f36123f2fd2), by sentence-transformers 6.2.0 on
transformers 5.23.0 and PyTorch 2.13.0, on a CPU in float32. Each text had the model's own prompt in
front (`task: classification | query: ` or `task: clustering | query: `). The vectors have all 768
dimensions, are scaled to unit length and then rounded to float16; the largest rounding error of a
value is 1.2e-4. The same installation reproduces the similarities of the model card's example
(query "Which planet is known as the Red Planet?": 0.3008, 0.6361, 0.4927, 0.4889; the card says
0.3011, 0.6359, 0.4930, 0.4889). Weights are not part of this project, and vectors are outputs of
the model, in which Google claims no rights.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import shutil
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.cache.packs import read_pack, write_pack
from toolkit.datasets.catalog import CATALOG, DatasetInfo, ShippedVectors
from toolkit.embedding.keys import hash_texts, unique_texts
from toolkit.identity import CANARY_NAMES, Canary, ModelIdentity
from toolkit.prompts import resolve_prompt

WEIGHTS = "cbf5a78393b6a033e0b8a63a57549964f7ed5c6fbeb4ba0694214f36123f2fd2"
PROVENANCE = (
    f"google/embeddinggemma-300m model.safetensors sha256 {WEIGHTS}, sentence-transformers 6.2.0, "
    "transformers 5.23.0, PyTorch 2.13.0 CPU, fp32; float16 on disk"
)
SAME_TEXT_COSINE = 0.9999
"""Vectors of one text agree at least so well, or ids and vectors do not belong together."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Make the data files under datasets/ from a folder of raw material."
    )
    parser.add_argument("source", type=Path, help="folder with *.csv.gz and vectors/*.npz")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "datasets",
        help="folder to write to (default: the checkout's datasets/)",
    )
    options = parser.parse_args(arguments)
    identity = pack_identity()
    for dataset in CATALOG:
        folder = options.out / dataset.name
        folder.mkdir(parents=True, exist_ok=True)
        copy_rows(dataset, options.source, folder)
        for shipped in dataset.vectors:
            make_pack(dataset, shipped, options.source, folder, identity)
    return 0


def pack_identity() -> ModelIdentity:
    """Return what made the vectors, with the reference vectors of the canary texts."""
    with (files("toolkit") / "reference" / "vectors.npz").open("rb") as file:
        reference = np.load(file)
        vectors = dict(zip(reference["names"].tolist(), reference["right"], strict=True))
    return ModelIdentity(
        backend="pack",
        model="embeddinggemma",
        dimension=768,
        engine="sentence-transformers",
        engine_version="6.2.0",
        context_length=2048,
        provenance=PROVENANCE,
        canary=Canary.of({name: vectors[name] for name in CANARY_NAMES}),
    )


def copy_rows(dataset: DatasetInfo, source: Path, folder: Path) -> None:
    name = f"{dataset.name}.csv.gz"
    shutil.copyfile(source / name, folder / name)
    report(folder / name, f"{len(read_rows(source / name)):,} rows")
    if dataset.subset_column is None:
        for part in dataset.subsets:
            sample = [row["id"] for row in read_rows(source / f"{dataset.name}_{part}.csv.gz")]
            path = folder / f"{part}_ids.txt"
            path.write_text("".join(f"{one}\n" for one in sample), encoding="utf-8", newline="\n")
            report(path, f"{len(sample):,} ids")


def make_pack(
    dataset: DatasetInfo,
    shipped: ShippedVectors,
    source: Path,
    folder: Path,
    identity: ModelIdentity,
) -> None:
    texts_by_id = {row["id"]: row["text"] for row in read_rows(source / f"{dataset.name}.csv.gz")}
    with np.load(source / "vectors" / f"{Path(shipped.filename).stem}.npz") as arrays:
        texts = [texts_by_id[one] for one in arrays["ids"].tolist()]
        vectors = arrays["vectors"]
    prompt = resolve_prompt(identity.model, shipped.task)
    keys = hash_texts(texts, prompt)
    first, inverse = unique_texts(keys)
    check_duplicates(vectors, first[inverse])
    path = folder / shipped.filename
    write_pack(
        path,
        keys[first],
        vectors[first].astype(np.float32),
        identity,
        prompt.template,
        provenance=PROVENANCE,
    )
    report(path, f"{len(texts):,} rows, {len(read_pack(path)):,} distinct texts")


def check_duplicates(vectors: NDArray[np.float16], same_as: NDArray[np.intp]) -> None:
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = np.einsum("ij,ij->i", exact, exact[same_as])
    if cosines.min() < SAME_TEXT_COSINE:
        row = int(cosines.argmin())
        raise SystemExit(
            f"rows {row} and {same_as[row]} have one text but other vectors "
            f"(cosine {cosines[row]:.5f}): ids and vectors do not belong together"
        )


def read_rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def report(path: Path, what: str) -> None:
    print(f"{path}: {what}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
