"""What a call to embed did, counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.typography import counted

__all__ = ["EmbeddingReport"]


@dataclass
class EmbeddingReport:
    """Counts and seconds of one call.

    Parameters
    ----------
    texts : int
        Texts in the input.
    unique : int
        Distinct ones.
    hits : int
        Distinct texts whose vector was in the cache.
    embedded : int
        Distinct texts embedded by the backend.
    truncated : int
        Distinct texts over the model's limit that were cut.
    averaged : int
        Distinct texts over the limit whose pieces were averaged.
    retried : int
        Requests that were sent again.
    failed : int
        Distinct texts that could not be embedded.
    requests : int
        Requests sent to the backend for texts.
    batch_size : int
        Texts a request at the end of the job.
    batch_characters : int
        Most characters a request at the end of the job.
    seconds : float
        Wall time of the call.
    where : str
        What the vectors are of, in one line.

    Examples
    --------
    >>> print(EmbeddingReport(texts=10, unique=8, hits=5, embedded=3, seconds=0.5))
    10 texts, 8 unique: 5 from the cache, 3 embedded in 0.5 s (6.0 texts/s)
    """

    texts: int = 0
    unique: int = 0
    hits: int = 0
    embedded: int = 0
    truncated: int = 0
    averaged: int = 0
    retried: int = 0
    failed: int = 0
    requests: int = 0
    batch_size: int = 0
    batch_characters: int = 0
    seconds: float = 0.0
    where: str = field(default="", repr=False)

    @property
    def texts_per_second(self) -> float:
        """Texts embedded per second; 0 if none were."""
        return self.embedded / self.seconds if self.embedded and self.seconds else 0.0

    def text(self, verbose: int = 1) -> str:
        """Return what is said of the call at a level of ``verbose``."""
        batches = f"{self.batch_size:,} texts or {self.batch_characters:,} characters"
        return f"{self}\nat most {batches} a request" if verbose > 1 else str(self)

    def __str__(self) -> str:
        line = (
            f"{counted(self.texts, 'text')}, {self.unique:,} unique: {self.hits:,} from the cache"
        )
        if self.embedded or not self.hits:
            line += f", {self.embedded:,} embedded in {self.seconds:.1f} s"
            if self.embedded:
                line += f" ({self.texts_per_second:.1f} texts/s)"
        for count, words in (
            (self.truncated, "cut at the model's limit"),
            (self.averaged, "averaged over their pieces"),
            (self.retried, "requests sent again"),
            (self.failed, "failed"),
        ):
            if count:
                line += f", {count:,} {words}"
        return line
