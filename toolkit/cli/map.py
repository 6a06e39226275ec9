"""``toolkit map``: a map of texts, as a page, a picture or a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import (
    CompareOptions,
    EmbeddingOptions,
    InputOptions,
    cache_parameter,
)
from toolkit.cli.options import (
    INPUT,
    OUTPUT,
    Force,
    Keep,
    RandomState,
    Source,
    SpreadsheetSafe,
    option,
)
from toolkit.cli.reports import command_line
from toolkit.cli.vectorizing import check_embedding
from toolkit.cli.vectors_of import both_embedded, embed_table
from toolkit.errors import UsageError
from toolkit.typography import rounded

if TYPE_CHECKING:
    from toolkit.visualize import EmbeddingMapDisplay, MapComparison

__all__ = ["map_texts"]

PICTURES = (".png", ".svg", ".pdf")
PAGES = (".html", ".htm")


@command
def map_texts(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    compare: CompareOptions,
    out: Annotated[
        list[Path],
        option(
            "--out",
            "-o",
            metavar="FILE",
            panel=OUTPUT,
            help=".html (a page to explore, offline), .png, .svg, .pdf, or a table of places "
            "(.csv, .tsv, .jsonl, .parquet); repeat it for several.",
        ),
    ],
    label_column: Annotated[
        str | None,
        option(
            "--label-column",
            metavar="NAME",
            panel=INPUT,
            help="The column of categories that gives the colours and names.",
        ),
    ] = None,
    color_by: Annotated[
        str | None,
        option(
            "--color-by",
            "--colour-by",
            metavar="NAME",
            panel=INPUT,
            help="Colour the map by a column of numbers, times or categories; on the page the "
            "reader can choose another.",
        ),
    ] = None,
    title: Annotated[
        str | None,
        option("--title", metavar="TEXT", panel=OUTPUT, help="The map's title."),
    ] = None,
    keep: Keep = None,
    spreadsheet_safe: SpreadsheetSafe = False,
    random_state: RandomState = 0,
    force: Force = False,
) -> None:
    """Draw a map on which texts of similar meaning lie close together (UMAP).

    How far the picture can be believed is measured, and said on it.

    Examples:

      toolkit map reviews.csv --label-column stars --out map.html
      toolkit map dataset:sdg --backend cache -o map.html -o map.png
      toolkit map reviews.csv --color-by date -o map.html
      toolkit map dataset:sdg --backend cache --compare-dimensions 128 -o two.html
    """
    for path in out:
        _check(path, force)
    other = compare.second(embedding)
    if other is not None:
        check_embedding(other)
    from toolkit.datasets.tables import read_texts

    kept = list(dict.fromkeys([*(keep or ()), *([] if color_by is None else [color_by])]))
    data = read_texts(
        source,
        inputs.table_format(),
        column=inputs.text_column,
        labels=label_column,
        keep=kept,
        missing=embedding.missing,
        missing_labels="keep",
        keep_option=" or ".join(["--keep"] * bool(keep) + ["--color-by"] * (color_by is not None)),
    )
    found = embed_table(data, embedding, "clustering", fewest=4)
    drawn: EmbeddingMapDisplay | MapComparison
    options: dict[str, Any] = {
        "title": title or f"Map of {Path(data.source).name}",
        "random_state": random_state,
        "verbose": console.verbosity,
        "cache": cache_parameter(embedding.cache),
        "progress": lambda _: console.say("Projecting the map (UMAP) …"),
    }
    from toolkit.visualize import EmbeddingMapDisplay, MapComparison

    if other is None:
        drawn = EmbeddingMapDisplay.from_embeddings(found.X, **options, **found.shown(data))
        colored = drawn
        made = found.made(data.source) | {"command": command_line()}
    else:
        first, second = both_embedded(found, embed_table(data, other, "clustering"))
        titles = compare.titles(embedding, "clustering")
        made = first.made(data.source) | {"command": command_line()}
        others = second.made(data.source)
        made["notice"] = made["notice"] or others.pop("notice")
        made |= {f"{k} of the second": v for k, v in others.items() if v != made[k]}
        drawn = MapComparison.from_embeddings(
            first.X, second.X, titles=titles, **options, **first.shown(data)
        )
        colored = drawn.first
    drawn.provenance = made
    if color_by is not None:
        # An unfit column is said before anything is written.
        note = colored.coloring(color_by).note
        if note:
            console.say(f"{note}.")
    console.say(drawn.caption)
    for path in out:
        _write(drawn, path, force, spreadsheet_safe, color_by)
        console.say(f"Map: {path}")


def _check(path: Path, force: bool) -> None:
    from toolkit.datasets.output_files import check_output
    from toolkit.datasets.table_writers import check_table_output

    ending = path.suffix.lower()
    if ending in (*PICTURES, *PAGES):
        check_output(path, force=force)
        return
    try:
        check_table_output(path, force=force)
    except UsageError as error:
        if "cannot tell" not in str(error):
            raise
        raise UsageError(
            f"cannot tell the format of {str(path)!r} from its name; end it in .html, .png, .svg, "
            ".pdf, .csv, .tsv, .jsonl or .parquet"
        ) from None


def _write(
    display: EmbeddingMapDisplay | MapComparison,
    path: Path,
    force: bool,
    safe: bool,
    color_by: str | None,
) -> None:
    from toolkit.datasets.output_files import output_file
    from toolkit.datasets.table_writers import write_table

    ending = path.suffix.lower()
    if ending in PAGES:
        display.to_html(path, overwrite=force, color_by=color_by)
    elif ending in PICTURES:
        import matplotlib as mpl

        mpl.use("Agg")  # no window, wherever this runs
        with output_file(path, force=force) as place:
            display.plot(color_by=color_by)
            figure = display.figure_.get_figure(root=True)
            assert figure is not None  # noqa: S101 - just drawn
            figure.savefig(place, dpi=150, format=ending[1:])
    else:
        frame = display.to_frame()
        columns = {name: frame[name].tolist() for name in frame.columns}
        for name in columns.keys() & {"x", "y", "x_2", "y_2"}:
            columns[name] = [rounded(place) for place in columns[name]]
        write_table(path, columns, force=force, safe=safe)
