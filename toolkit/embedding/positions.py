"""Positions in a long input of which only one piece is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.errors import EmbeddingError, InputTypeError, MissingTextError

__all__ = ["counted_from"]


@contextmanager
def counted_from(start: int, length: int) -> Iterator[None]:
    """Count the positions in errors about a piece of the input over all of the input.

    Parameters
    ----------
    start : int
        Position of the piece's first text.
    length : int
        Texts in the piece.

    Raises
    ------
    MissingTextError, InputTypeError, EmbeddingError
        Those that came up inside, their positions moved by ``start``.

    Examples
    --------
    >>> with counted_from(1000, 500):
    ...     raise MissingTextError("text 3 is missing", [3])
    Traceback (most recent call last):
    toolkit.errors.MissingTextError: in the texts 1000 to 1499 (counted from 1000 below): text 3
    is missing
    """
    try:
        yield
    except MissingTextError as error:
        positions = [start + p for p in error.positions]
        raise MissingTextError(_shifted(error, start, length), positions) from error
    except InputTypeError as error:
        raise InputTypeError(_shifted(error, start, length)) from error
    except EmbeddingError as error:
        failed = {start + p: reason for p, reason in error.failed.items()}
        done = start + error.completed
        raise EmbeddingError(_shifted(error, start, length), failed, done) from error


def _shifted(error: Exception, start: int, length: int) -> str:
    if not start:
        return str(error)
    return f"in the texts {start} to {start + length - 1} (counted from {start} below): {error}"
