"""Write the tables of docs/clustering.md from the checked-in figures.

    python benchmarks/clustering_tables.py [--check]

Each stands between a comment that names it and one that ends it. Run it after
`benchmarks/clusterers.py` or `benchmarks/choosing_k.py`; `--check` only says whether the page is
up to date, and a test does the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from record import results_file

PAGE = Path(__file__).parent.parent / "docs" / "clustering.md"
GOOD_FOR = {
    "kmeans": "a first look",
    "minibatch-kmeans": "very many texts",
    "bisecting-kmeans": "many clusters",
    "agglomerative": "up to 20,000 texts",
    "spectral": "clusters of about one size",
    "hdbscan": "an unknown number, and texts that belong nowhere",
    "umap-kmeans": "",
}
WORDS = {
    "no clusters": "No clusters stand out",
    "sure": "no other number is as good",
    "open": "the number is open",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables of docs/clustering.md.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    before = PAGE.read_text(encoding="utf-8")
    after = renewed(before)
    if options.check:
        print("up to date" if after == before else f"{PAGE.name} differs from the figures")
        return int(after != before)
    PAGE.write_text(after, encoding="utf-8")
    return 0


def renewed(page: str) -> str:
    """Return the page with every table made anew."""
    for name, make in TABLES.items():
        benchmark = "clusterers" if name == "clusterers" else "choosing_k"
        figures = json.loads(results_file(benchmark).read_text(encoding="utf-8"))
        pattern = rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)"
        table = make(figures)
        page, found = re.subn(pattern, lambda m, t=table: f"{m[1]}{t}{m[2]}", page, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"{PAGE.name} has no place for the table {name}")
    return page


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("|  |", "| |")


def clusterers(figures: Mapping[str, Any]) -> str:
    results = figures["results"]
    sets = [name for name in results if name != "factbook"]
    sets.insert(1, "factbook")
    head = ["name", *(f"`{name}`" for name in sets), "comes out again on `sdg`", "good for"]
    rows = []
    for name, row in results["sdg"].items():
        cells = []
        for one in sets:
            found = results[one][name]
            cell = f"{found['v_measure']['mean']:.2f} ± {found['v_measure']['sd']:.2f}"
            covered = found["coverage"]["mean"]
            cells.append(cell if covered == 1 else f"{cell} ({covered:.0%} of the texts)")
        again = f"{row['jaccard']:.2f}" if "jaccard" in row else ""
        shown = f"`{name}`" if name in GOOD_FOR else name
        if name == "kmeans":
            shown += " (default)"
        rows.append([shown, *cells, again, GOOD_FOR.get(name, "")])
    return markdown(head, rows)


def numbers(figures: Mapping[str, Any]) -> str:
    head = ["vectors", "labels", "chosen", "about as good", "before", "adjusted Rand index with"]
    head[-1] += " that number"
    head.append("with the number of labels")
    rows = [
        [
            name,
            str(one["labels"]),
            str(one["chosen"]),
            ", ".join(map(str, one["about_as_good"])) or "none",
            str(one["by_rule"]["silhouette and stability"]),
            f"{one['ari_of_chosen']:.2f}",
            f"{one['ari_of_number_of_labels']:.2f}",
        ]
        for name, one in figures["results"].items()
    ]
    return markdown(head, rows)


def rules(figures: Mapping[str, Any]) -> str:
    found = figures["rules"]
    head = ["", *found]
    names = list(next(iter(found.values()))["mean_abs_log2_by_set"])
    rows = [
        [name, *(f"× {2 ** one['mean_abs_log2_by_set'][name]:.2f}" for one in found.values())]
        for name in names
    ]
    rows.append(
        ["mean of the sets", *(f"× {2 ** one['mean_abs_log2']:.2f}" for one in found.values())]
    )
    rows.append(["within a factor of 1.5", *(f"{one['within_1.5']:.0%}" for one in found.values())])
    return markdown(head, rows)


def how_sure(figures: Mapping[str, Any]) -> str:
    head = ["what is said", "cases", "within a factor of 1.5", "it or one named beside it within"]
    head[-1] += " a quarter"
    rows = [
        [
            f"“{WORDS[word]}”",
            str(found["runs"]),
            f"{found['within_1.5']:.0%}",
            f"{found['one_of_those_named_within_1.25']:.0%}",
        ]
        for word, found in figures["how_sure"].items()
    ]
    return markdown(head, rows)


TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "clusterers": clusterers,
    "numbers": numbers,
    "rules": rules,
    "how sure": how_sure,
}

if __name__ == "__main__":
    sys.exit(main())
