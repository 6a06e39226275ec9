"""The scikit-learn transformer: texts in, EmbeddingGemma vectors out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from numbers import Integral
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from toolkit.backends.ollama import OllamaBackend
from toolkit.backends.openai_compatible import OpenAIBackend
from toolkit.embedding.cached import CacheBackend, find_cached_source
from toolkit.embedding.choosing import choose_backends
from toolkit.embedding.dimensions import check_dimensions
from toolkit.embedding.engine import EngineSettings, embed
from toolkit.embedding.failures import warn_missing, warn_without_server
from toolkit.embedding.keys import hash_texts
from toolkit.embedding.rendering import warn_double_prefix
from toolkit.embedding.report import EmbeddingReport
from toolkit.embedding.spaces import Source, check_drift, find_source, open_cache
from toolkit.embedding.texts import check_texts, check_titles
from toolkit.errors import UsageError
from toolkit.identity import ModelIdentity
from toolkit.prompts import Prompt

__all__ = ["EmbeddingGemmaVectorizer"]

# Beside the estimators, not in them: transform leaves an estimator as it is.
_reports: WeakKeyDictionary[EmbeddingGemmaVectorizer, EmbeddingReport] = WeakKeyDictionary()
_widths: WeakKeyDictionary[EmbeddingGemmaVectorizer, int] = WeakKeyDictionary()


class EmbeddingGemmaVectorizer(TransformerMixin, BaseEstimator):
    """Turn texts into unit vectors with EmbeddingGemma, each text once, ever.

    Texts go to a local Ollama server under the prompt of a task; every vector is checked, kept on
    disk, and served from there the next time: to another fold, another process or another year.
    The transformer learns nothing from data: ``transform`` works without ``fit``, and ``fit`` only
    notes which model made the vectors, so that a fitted pipeline can refuse vectors of another.

    Parameters
    ----------
    task : str or None, default="classification"
        What the vectors are for; it chooses the prompt. One of ``"classification"``,
        ``"clustering"``, ``"similarity"``, ``"retrieval_query"``, ``"retrieval_document"``,
        ``"question_answering"``, ``"fact_checking"``, ``"code_retrieval"``, ``"summarization"``,
        or a name of the model's own configuration (``"STS"``, ``"Classification"``, ...). None
        sends the texts as they are.
    model : str, default="embeddinggemma"
        Name of the model on the server, with or without tag.
    dimensions : int or None, default=None
        Length of the vectors; None for the full one (768). EmbeddingGemma was trained to be cut
        to 512, 256 and 128. The cache holds full vectors, so another value costs nothing.
    prompt : str or None, default=None
        A prompt of your own with ``{text}`` (and optionally ``{title}``) in it; wins over
        ``task``.
    backend : str or object, default="ollama"
        ``"ollama"``; ``"openai"`` (any server with OpenAI's ``/v1/embeddings``, at ``host``);
        ``"embedded"`` (a small built-in model of 512 dimensions, no server); ``"cache"`` (vectors
        made earlier and the bundled packs alone) or ``"cache:SPACE"``;
        :class:`~toolkit.OllamaBackend` or :class:`~toolkit.OpenAIBackend` with settings; or any
        object with the protocol of :class:`toolkit.backends.base.Backend`.
    host : str, list of str or None, default=None
        Address of the server, or of several; None for ``OLLAMA_HOST`` or
        ``http://127.0.0.1:11434`` (Ollama only).
    cache : bool or str or path, default=True
        Whether vectors are kept on disk, or where. True means ``TOOLKIT_CACHE_DIR`` or the user's
        cache folder.
    batch_size : int or "auto", default="auto"
        Texts a request; "auto" finds it from how long requests take.
    n_jobs : int or None, default=None
        Requests in flight; None means 2 a host.
    long_texts : {"truncate", "mean", "error"}, default="truncate"
        What to do about texts over the model's limit (2,048 tokens with the prompt): cut them,
        with a warning that counts them; average over their pieces; or refuse them.
    missing : {"error", "empty"}, default="error"
        What to do about None, NaN, NA and null: refuse them, or embed an empty text.
    on_error : {"raise", "nan"}, default="raise"
        What to do about texts that could not be embedded, after all others were: raise an error
        that lists them, or return rows of NaN with a warning that counts them.
    on_drift : {"raise", "warn"}, default="raise"
        What to do when the vectors are of another space than those it was fitted on.
    verbose : int, default=0
        0 shows a progress bar in a terminal only; 1 always, with a summary; 2 says more; -1
        shows nothing.

    Attributes
    ----------
    identity_ : ModelIdentity
        What makes the vectors: model, digests, versions, and canary vectors.
    n_features_out_ : int
        Length of the vectors.
    prompt_ : str
        The prompt, with ``{text}`` where the text goes.
    report_ : EmbeddingReport
        Counts and seconds of the last ``transform``.

    See Also
    --------
    sklearn.feature_extraction.text.TfidfVectorizer : Word counts; the baseline to beat.

    Notes
    -----
    Prompts, dimensions and the 2,048 tokens are those of the model card of
    ``google/embeddinggemma-300m``.

    Examples
    --------
    With vectors that come with the package, so that no server is needed:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from toolkit import EmbeddingGemmaVectorizer
    >>> from toolkit.datasets import load
    >>> sdg = load("sdg")
    >>> clf = make_pipeline(
    ...     EmbeddingGemmaVectorizer(task="classification", backend="cache", cache=False),
    ...     LogisticRegression(C=10, max_iter=2000),
    ... )
    >>> clf = clf.fit(sdg.data, sdg.target)
    >>> clf[0].transform(sdg.data[:2]).shape
    (2, 768)
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012 - scikit-learn's convention
        "task": [str, None],
        "model": [str],
        "dimensions": [Interval(Integral, 1, None, closed="left"), None],
        "prompt": [str, None],
        "backend": [
            str,
            OllamaBackend,
            OpenAIBackend,
            CacheBackend,
            HasMethods(["identify", "embed"]),
        ],
        "host": [str, list, tuple, None],
        "cache": ["boolean", str, HasMethods("__fspath__")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "long_texts": [StrOptions({"truncate", "mean", "error"})],
        "missing": [StrOptions({"error", "empty"})],
        "on_error": [StrOptions({"raise", "nan"})],
        "on_drift": [StrOptions({"raise", "warn"})],
        "verbose": ["boolean", Interval(Integral, -1, None, closed="left")],
    }

    def __init__(
        self,
        task: str | None = "classification",
        *,
        model: str = "embeddinggemma",
        dimensions: int | None = None,
        prompt: str | None = None,
        backend: Any = "ollama",
        host: str | Sequence[str] | None = None,
        cache: Any = True,
        batch_size: int | Literal["auto"] = "auto",
        n_jobs: int | None = None,
        long_texts: Literal["truncate", "mean", "error"] = "truncate",
        missing: Literal["error", "empty"] = "error",
        on_error: Literal["raise", "nan"] = "raise",
        on_drift: Literal["raise", "warn"] = "raise",
        verbose: int = 0,
    ) -> None:
        self.task = task
        self.model = model
        self.dimensions = dimensions
        self.prompt = prompt
        self.backend = backend
        self.host = host
        self.cache = cache
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.long_texts = long_texts
        self.missing = missing
        self.on_error = on_error
        self.on_drift = on_drift
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> EmbeddingGemmaVectorizer:
        """Note which model makes the vectors; nothing is embedded.

        Parameters
        ----------
        X : iterable of str, of length n_samples
            Texts; they are checked, and with ``backend="cache"`` they tell which space is meant.
        y : None
            Ignored.

        Returns
        -------
        self : EmbeddingGemmaVectorizer

        Raises
        ------
        ServerUnavailableError
            If no server answers.
        ModelNotFoundError
            If the server does not have the model.
        InputTypeError, MissingTextError
            If ``X`` holds anything but texts.
        """
        self._validate_params()
        texts = check_texts(X, missing=self.missing).texts
        source, prompt = self._find_source(texts, None)
        self.identity_ = source.identity
        self.prompt_ = prompt.template
        self.n_features_out_ = check_dimensions(self.dimensions, source.identity)
        return self

    def transform(self, X: Any, titles: Any = None) -> NDArray[np.float32]:
        """Return the vectors of texts.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, one-column frame or generator of str
            Texts, ``n_samples`` of them.
        titles : list, tuple, ndarray or Series of str, of length n_samples, optional
            A title for each text, for prompts with ``{title}`` (``task="retrieval_document"``);
            a missing one is sent as ``none``. In a pipeline, ask for them with
            ``set_transform_request(titles=True)``.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), dtype float32
            Unit vectors.

        Raises
        ------
        EmbeddingError
            If some texts could not be embedded and ``on_error="raise"``; all others are in the
            cache.
        ModelDriftError
            If the vectors are of another space than at ``fit`` and ``on_drift="raise"``.
        CacheMissError
            With ``backend="cache"``, if texts have no vector.
        ServerUnavailableError
            If no server answers.
        InputTypeError, MissingTextError
            If ``X`` holds anything but texts.

        Examples
        --------
        >>> from toolkit.datasets import load
        >>> texts = load("sdg").data[:3]
        >>> EmbeddingGemmaVectorizer(backend="cache", cache=False, dimensions=128).transform(
        ...     texts).shape
        (3, 128)
        """
        self._validate_params()
        report = _reports[self] = EmbeddingReport()
        checked = check_texts(X, missing=self.missing, copy=False)
        if checked.missing:
            warn_missing(len(checked.missing), len(checked.texts))
        fitted: ModelIdentity | None = getattr(self, "identity_", None)
        titled = None if titles is None else check_titles(titles, len(checked.texts))
        source, prompt = self._find_source(checked.texts, fitted, titled)
        if titled is not None and not prompt.takes_title:
            raise UsageError(
                "titles are given, and this model takes no prompt to put them in; leave them out, "
                "or write them into the texts"
                if prompt.template == "{text}" and (self.task, self.prompt) != (None, None)
                else f"titles are given, and the prompt {prompt.template!r} has no place for "
                "them; use task='retrieval_document' or a prompt with {title}"
            )
        if fitted is not None:
            check_drift(fitted, source.identity, on_drift=self.on_drift)
        check_dimensions(self.dimensions, source.identity)
        warn_double_prefix(checked.texts, self.model, prompt)
        vectors = embed(
            checked.texts,
            prompt=prompt,
            source=source,
            titles=titled,
            settings=EngineSettings(
                batch_size=self.batch_size,
                n_jobs=self.n_jobs,
                long_texts=self.long_texts,
                on_error=self.on_error,
                dimensions=self.dimensions,
                verbose=int(self.verbose),
            ),
            report=report,
        )
        _widths[self] = vectors.shape[1]
        if source.unavailable is not None:
            warn_without_server(source.identity)
        if self.verbose > 0:
            tqdm.write(report.text(self.verbose), file=sys.stderr)
        return vectors

    def fit_transform(self, X: Any, y: Any = None, titles: Any = None) -> NDArray[np.float32]:
        """Fit, then return the vectors of the same texts; a generator is read once.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, one-column frame or generator of str
            Texts, ``n_samples`` of them.
        y : None
            Ignored.
        titles : list, tuple, ndarray or Series of str, of length n_samples, optional
            As in ``transform``.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), dtype float32
            Unit vectors.
        """
        X = list(X) if isinstance(X, Iterator) else X
        return self.fit(X, y).transform(X, titles=titles)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns, ``embeddinggemma000`` and on, once it was used.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str objects, of shape (n_features_out,)
        """
        # Without fit, ``set_output`` asks for the names of what transform has just returned.
        count = None if hasattr(self, "n_features_out_") else _widths.get(self)
        if count is None:
            check_is_fitted(self, "n_features_out_")
            count = self.n_features_out_
        width = len(str(count - 1))
        stem = type(self).__name__.lower().removesuffix("vectorizer")
        return np.asarray([f"{stem}{i:0{width}d}" for i in range(count)], dtype=object)

    @property
    def report_(self) -> EmbeddingReport:
        """Counts and seconds of the last ``transform``."""
        try:
            return _reports[self]
        except KeyError:
            raise AttributeError("report_ is there after the first transform") from None

    @property
    def _n_features_out(self) -> int:
        return self.n_features_out_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    # --- inside ----------------------------------------------------------------------------------

    def _find_source(
        self,
        texts: Sequence[str],
        fitted: ModelIdentity | None,
        titles: Sequence[str | None] | None = None,
    ) -> tuple[Source, Prompt]:
        cache = open_cache(self.cache)
        chosen, prompt = choose_backends(
            self.backend, model=self.model, host=self.host, task=self.task, prompt=self.prompt
        )
        if isinstance(chosen, CacheBackend):
            keys = partial(hash_texts, texts, prompt, titles)  # needed if there are several
            return find_cached_source(chosen, self.model, keys, cache, fitted=fitted), prompt
        return find_source(chosen, cache, fitted=fitted), prompt
