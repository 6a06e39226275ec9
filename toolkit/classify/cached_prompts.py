"""The same texts under other prompts, as far as their vectors are in the cache already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from toolkit.errors import CacheMissError, EmbeddingWarning, ToolkitError
from toolkit.identity import compatible
from toolkit.prompts import TASKS

__all__ = ["CachedPrompts"]


@dataclass
class CachedPrompts:
    """Looks for the texts' vectors under every task's prompt; asks no server.

    Parameters
    ----------
    vectorizer : estimator
        Fitted; the prompts of another than an ``EmbeddingGemmaVectorizer`` are not known.
    texts : list of str
        The texts.

    Attributes
    ----------
    missing : dict of str to int
        After iterating: tasks whose prompt was left out, with how many texts have no vector
        under it.
    """

    vectorizer: BaseEstimator
    texts: list[str]
    missing: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield task and full vectors of each other prompt that all texts have a vector under."""
        own = getattr(self.vectorizer, "identity_", None)
        seen = {getattr(self.vectorizer, "prompt_", None)}
        if own is None or "task" not in self.vectorizer.get_params(deep=False):
            return
        for task in TASKS:
            other = clone(self.vectorizer).set_params(
                backend="cache", task=task, prompt=None, dimensions=None, verbose=0
            )
            try:
                with catch_warnings():
                    simplefilter("ignore", EmbeddingWarning)
                    other.fit(self.texts)
                    if other.prompt_ in seen:
                        continue
                    seen.add(other.prompt_)
                    if not compatible(other.identity_, own):
                        self.missing[task] = len(self.texts)
                        continue
                    X = other.transform(self.texts)
            except CacheMissError as error:
                self.missing[task] = len(error.positions) or len(self.texts)
            except ToolkitError:  # no space at hand, or several
                self.missing[task] = len(self.texts)
            else:
                if np.isfinite(X).all():
                    yield task, X
