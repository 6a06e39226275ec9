"""``toolkit embed``: texts in, vectors out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from toolkit.cli.commands import command
from toolkit.cli.console import console
from toolkit.cli.option_groups import EmbeddingOptions, InputOptions
from toolkit.cli.options import OUTPUT, Force, Keep, NoText, Source, option
from toolkit.cli.streamed_rows import note_part
from toolkit.cli.vectorizing import make_vectorizer
from toolkit.typography import counted

if TYPE_CHECKING:
    from toolkit.vectorizer import EmbeddingGemmaVectorizer

__all__ = ["embed"]

CHUNK = 4096
COUNTS = ("texts", "hits", "embedded", "truncated", "averaged", "retried", "failed", "seconds")


@command
def embed(
    source: Source,
    inputs: InputOptions,
    embedding: EmbeddingOptions,
    out: Annotated[
        Path | None,
        option(
            "--out",
            "-o",
            metavar="FILE",
            panel=OUTPUT,
            default="JSON Lines on standard output",
            help="Where the vectors go: .npy, .npz, .parquet, .jsonl, or .safetensors (a vector "
            "pack).",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        option(
            "--report",
            metavar="FILE.json",
            panel=OUTPUT,
            help="Counts, seconds and what made the vectors.",
        ),
    ] = None,
    keep: Keep = None,
    no_text: NoText = False,
    force: Force = False,
) -> None:
    """Turn texts into vectors: one row each, in their order, at constant memory.

    Vectors are kept in the cache, so a second run, or one that goes on after an interruption,
    asks the server for nothing twice.

    Examples:

      toolkit embed reviews.csv --out vectors.npy
      toolkit embed dataset:sdg --backend cache --out sdg.parquet --dimensions 256
      echo "why is the sky blue?" | toolkit embed -
    """
    from toolkit.datasets.output_files import check_output
    from toolkit.datasets.tables import check_texts_present, find_column, open_table, text_column
    from toolkit.datasets.vector_files import check_vector_output, open_vector_writer
    from toolkit.errors import DataError, UsageError

    ending = check_vector_output(out, force=force)
    if keep and ending in (".npy", ".npz", ".safetensors"):
        raise UsageError(f"--keep is for .parquet and .jsonl; a {ending} file holds vectors alone")
    if ending == ".safetensors" and embedding.dimensions is not None:
        raise UsageError(
            "a pack holds full vectors, from which every smaller dimension is cut; leave out "
            "--dimensions"
        )
    if report is not None:
        check_output(report, force=force)
    vectorizer = make_vectorizer(embedding, "classification")
    counts: dict[str, float] = dict.fromkeys(COUNTS, 0)
    with open_table(source, inputs.table_format()) as table:
        column, chosen = text_column(table, inputs.text_column)
        if chosen:
            console.say(f"Texts are in the column {column!r} ({chosen}).")
        kept = [find_column(table, name, "--keep") for name in keep or ()]
        with open_vector_writer(out, force=force, with_texts=not no_text) as writer:
            for chunk in table.chunks([column, *kept], CHUNK):
                check_texts_present(chunk, column, missing=embedding.missing)
                texts = chunk.columns[column]
                if not chunk.start:
                    vectorizer.fit(texts)
                    writer.describe(vectorizer.identity_, vectorizer.prompt_)
                try:
                    vectors = _vectors(vectorizer, texts, chunk.start)
                except KeyboardInterrupt as stop:
                    note_part(stop, table, chunk.start, len(texts) == CHUNK)
                    raise
                done = vectorizer.report_
                if ending == ".safetensors" and done.truncated + done.averaged:
                    raise DataError(
                        "over the model's limit: "
                        f"{counted(done.truncated + done.averaged, 'text')}. A pack holds vectors "
                        "of whole texts only; leave these out, or write .npz"
                    )
                for name in COUNTS:
                    counts[name] += getattr(done, name)
                writer.write(vectors, texts, {name: chunk.columns[name] for name in kept})
            if not counts["texts"]:
                raise DataError(f"{table.name} has no rows")
    console.say(_summary(counts, vectorizer, out))
    if report is not None:
        _write_report(report, force, source, out, counts, vectorizer)


def _vectors(vectorizer: EmbeddingGemmaVectorizer, texts: list[Any], start: int) -> Any:
    from toolkit.errors import EmbeddingError

    try:
        return vectorizer.transform(texts)
    except EmbeddingError as error:
        if not start:
            raise
        # The message counts from the chunk's first text.
        failed = {start + position: reason for position, reason in error.failed.items()}
        raise EmbeddingError(
            f"in the rows from {start + 1:,} on (positions count from there): {error}",
            failed,
            start + error.completed,
        ) from error


def _summary(
    counts: dict[str, float], vectorizer: EmbeddingGemmaVectorizer, out: Path | None
) -> str:
    where = "standard output" if out is None or str(out) == "-" else str(out)
    vectors = counted(int(counts["texts"]), "vector")
    line = f"{vectors} of {vectorizer.n_features_out_} values to {where}: "
    embedded = f"{counts['embedded']:,} embedded"
    if counts["embedded"]:
        embedded += f" in {counts['seconds']:.1f} s"
    if counts["hits"] + counts["embedded"] + counts["failed"] == counts["texts"]:
        line += f"{counts['hits']:,} from the cache, {embedded}"
    else:  # distinct texts are counted, of 4,096 rows at a time
        line += f"{embedded}, the others repeated or from the cache"
    for name, words in (
        ("truncated", "cut at the model's limit"),
        ("averaged", "averaged over their pieces"),
        ("failed", "failed"),
    ):
        line += f", {counts[name]:,} {words}" if counts[name] else ""
    return f"{line}.\nMade by {vectorizer.identity_.describe()}."


def _write_report(
    path: Path,
    force: bool,
    source: str,
    out: Path | None,
    counts: dict[str, float],
    vectorizer: EmbeddingGemmaVectorizer,
) -> None:
    import json

    from toolkit import __version__
    from toolkit.datasets.output_files import output_file

    content = {
        "input": source,
        "output": str(out) if out is not None else "-",
        "counts": counts,
        "dimensions": vectorizer.n_features_out_,
        "prompt": vectorizer.prompt_,
        "identity": vectorizer.identity_.to_dict(),
        "version": __version__,
    }
    with output_file(path, force=force) as place:
        place.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
