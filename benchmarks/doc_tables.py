"""Write the tables of the documentation from the checked-in figures.

    python benchmarks/doc_tables.py [--check]

Each stands between a comment that names it and one that ends it. Run it after the benchmark that
made the figures; `--check` only says whether the pages are up to date, and a test does the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from record import results_file

Make = Callable[[Mapping[str, Any]], str]

DOCS = Path(__file__).parent.parent / "docs"
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
    parser = argparse.ArgumentParser(description="Write the tables of the documentation.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    stale = 0
    for name, tables in PAGES.items():
        page = DOCS / name
        before = page.read_text(encoding="utf-8")
        after = renewed(before, name, tables)
        if after != before:
            stale += 1
            print(f"{name} differs from the figures" if options.check else f"{name} renewed")
        if not options.check:
            page.write_text(after, encoding="utf-8")
    return int(options.check and stale > 0)


def renewed(page: str, name: str, tables: Mapping[str, tuple[str, Make]]) -> str:
    """Return a page with every table made anew."""
    for table, (benchmark, make) in tables.items():
        text = make(json.loads(results_file(benchmark).read_text(encoding="utf-8")))
        pattern = rf"(<!-- table: {table} -->\n).*?^(<!-- end -->)"
        page, found = re.subn(
            pattern, lambda m, t=text: f"{m[1]}{t}\n{m[2]}", page, flags=re.DOTALL | re.MULTILINE
        )
        if found != 1:
            raise SystemExit(f"{name} has no place for the table {table}")
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


def parameters(figures: Mapping[str, Any]) -> str:
    head = ["", "the default reaches", "what comes nearest, or is better", "farthest below"]
    rows = []
    for name, changes in figures["clusterers"].items():
        (_, default), *others = changes.items()
        ranked = sorted(others, key=lambda one: -one[1]["ami_above"])
        shown = [
            f"{change}: {row['ami_above']:+.3f}, better on {row['better_on']}, worse on "
            f"{row['worse_on']}"
            for change, row in (ranked[0], ranked[-1])
        ]
        rows.append([f"`{name}`", f"{default['ami']:.3f}", *shown])
    return markdown(head, rows)


def trees(figures: Mapping[str, Any]) -> str:
    ways = list(next(iter(figures["results"].values()))["2x"])
    head = ["vectors", "labels", "k-means at once", *(f"{way}: 2 ×, 4 ×" for way in ways)]
    results = figures["results"]
    rows = [
        [name, str(one["labels"]), f"{one['k-means at once']:.2f}"]
        + [f"{one['2x'][way]:.2f}, {one['4x'][way]:.2f}" for way in ways]
        for name, one in results.items()
    ]
    means = [fmean(one["k-means at once"] for one in results.values())]
    rows.append(["mean", "", f"{means[0]:.2f}"])
    for way in ways:
        two, four = (fmean(one[n][way] for one in results.values()) for n in ("2x", "4x"))
        rows[-1].append(f"{two:.2f}, {four:.2f}")
    return markdown(head, rows)


def over_time(figures: Mapping[str, Any]) -> str:
    n = figures["shuffles"]
    head = ["texts", "labels", f"random months, {n} trials: words told", "trials with any"]
    head += ["without a test, one trial: words", "telling months: periods with words"]
    rows = []
    for name, one in figures["results"].items():
        shuffled, drifting = one["shuffled"], one.get("drifting")
        cells = [f"{one['texts']:,} of {name}", one["labels"], shuffled["words"]]
        cells += [shuffled["with any word"], f"{shuffled['without a test']:,}"]
        cells.append(f"{drifting['with words']} of {drifting['periods']}" if drifting else "")
        rows.append([str(cell) for cell in cells])
    return markdown(head, rows)


def samples(figures: Mapping[str, Any]) -> str:
    sizes = list(figures["results"][0]["samples"])
    head = ["vectors", "clusters", *(f"sample of {int(size):,}" for size in sizes[:-1]), "all"]
    head[-1] += f" {int(sizes[-1]):,}"
    rows = [
        [one["vectors"], str(one["clusters"])]
        + [f"{one['samples'][size]['jaccard']:.2f}" for size in sizes]
        for one in figures["results"]
    ]
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


def ways(figures: Mapping[str, Any]) -> str:
    head = ["", "read a second", "of the limit", "the cache reads faster by"]
    head += ["written a second, 64 a batch", "bytes a vector"]
    rows = []
    for name, one in figures["ways"].items():
        shown = {"toolkit": "**this cache**", "toolkit, 128 dimensions": "its first 128 dimensions"}
        rows.append(
            [
                shown.get(name, name),
                f"{one['read_a_second']:,}",
                f"{one['to_limit']:.0%}" if one["to_limit"] >= 0.01 else f"{one['to_limit']:.1%}",
                "" if name.startswith("toolkit") else f"× {one['toolkit_is']:.3g}",
                f"{one['written_a_second']:,}" if "written_a_second" in one else "",
                f"{one['stored_bytes_a_vector']:,}" if "stored_bytes_a_vector" in one else "",
            ]
        )
    return markdown(head, rows)


def growth(figures: Mapping[str, Any]) -> str:
    head = ["entries", "read", "of a gather", "128 dimensions", "transform, all found", "of a read"]
    head += ["written", "opened in"]
    rows = [
        [
            f"{one['entries']:,}",
            *(
                f"{one[key]:.0%}"
                if key.startswith(("read_to", "transform_to"))
                else f"{one[key]:,}"
                for key in (
                    "read_a_second",
                    "read_to_gather",
                    "read_128_a_second",
                    "transform_a_second",
                    "transform_to_read",
                    "written_a_second",
                )
            ),
            f"{one['open_ms']:.1f} ms",
        ]
        for one in figures["growth"]
    ]
    return markdown(head, rows)


def stages(figures: Mapping[str, Any]) -> str:
    jobs = list(figures["jobs"].values())
    head = ["stage"]
    for job in jobs:
        head += [f"{job['texts']:,} texts: seconds", "extra MB"]
    rows = []
    for name in jobs[0]["stages"]:
        cells = []
        for job in jobs:
            found = job["stages"][name]
            cells += [f"{found['seconds']:,.1f}", f"{found['extra_mb']:,.0f}"]
        rows.append([name, *cells])
    # Where Chromium was there to open it.
    for moment in jobs[0].get("report_opened") or ():
        cells = [cell for job in jobs for cell in (f"{job['report_opened'][moment]:.2f}", "")]
        rows.append([f"report opened until {moment}", *cells])
    return markdown(head, rows)


PAGES: dict[str, dict[str, tuple[str, Make]]] = {
    "clustering.md": {
        "clusterers": ("clusterers", clusterers),
        "parameters": ("parameters", parameters),
        "trees": ("tree", trees),
        "over time": ("over_time", over_time),
        "samples": ("stability_sample", samples),
        "numbers": ("choosing_k", numbers),
        "rules": ("choosing_k", rules),
        "how sure": ("choosing_k", how_sure),
        "stages": ("scale", stages),
    },
    "cache.md": {"ways": ("cache", ways), "growth": ("cache", growth)},
}

if __name__ == "__main__":
    sys.exit(main())
