"""The file of a fitted pipeline: skops where it can be written so, joblib where it cannot.

skops writes no code, and types are checked before anything is built; a pipeline it cannot write
becomes a pickle, which runs whatever it contains when it is opened and is therefore only loaded
with ``trusted=True``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from toolkit.errors import ModelFileError
from toolkit.identity import ModelIdentity
from toolkit.saved.portability import named_servers

__all__ = [
    "JOBLIB_FILE",
    "SKOPS_FILE",
    "VECTORIZER_TYPES",
    "check_servers",
    "check_space",
    "dump_model",
    "read_model_file",
]

SKOPS_FILE = "model.skops"
JOBLIB_FILE = "model.joblib"

VECTORIZER_TYPES: tuple[str, ...] = (
    "toolkit.backends.embedded.EmbeddedBackend",
    "toolkit.backends.ollama.OllamaBackend",
    "toolkit.backends.openai_compatible.OpenAIBackend",
    "toolkit.embedding.cached.CacheBackend",
    "toolkit.embedding.report.EmbeddingReport",
    "toolkit.identity.Canary",
    "toolkit.identity.ModelIdentity",
    "toolkit.vectorizer.EmbeddingGemmaVectorizer",
)
"""What a fitted vectorizer is made of, beyond the types skops trusts."""


def dump_model(pipeline: BaseEstimator) -> tuple[str, bytes]:
    """Return file name and content: skops where it can write the pipeline and read it back.

    Parameters
    ----------
    pipeline : estimator
        Fitted.

    Returns
    -------
    (str, bytes)
        :data:`SKOPS_FILE` or :data:`JOBLIB_FILE`, and what to write there.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> dump_model(KMeans(2).fit([[0.0], [1.0]]))[0]
    'model.skops'
    """
    import skops.io

    try:
        content = skops.io.dumps(pipeline)
        skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
    except Exception:  # whatever an object of somebody else's raises: joblib can still write it
        buffer = io.BytesIO()
        joblib.dump(pipeline, buffer)
        return JOBLIB_FILE, buffer.getvalue()
    return SKOPS_FILE, content


def read_model_file(
    path: Path, digest: str, described_in: str, *, types: Sequence[str], trusted: bool
) -> BaseEstimator:
    """Return what a file holds, after checking its digest and the types in it.

    Parameters
    ----------
    path : Path
        The file; a name ending in ``.joblib`` is a pickle.
    digest : str
        The SHA-256 it must have.
    described_in : str
        Name of the file that says so.
    types : sequence of str
        Types that may be built beyond those skops trusts.
    trusted : bool
        Whether whoever wrote it is trusted with running code: opens pickles and other types, too.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If anything is not as it should be.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from error
    if sha256(content).hexdigest() != digest:
        raise ModelFileError(
            f"{path} is not the file that {described_in} describes (its SHA-256 differs): it was "
            "changed or damaged; copy the folder again, whole"
        )
    if path.name != JOBLIB_FILE:
        return _load_skops(content, path, described_in, types, trusted)
    if not trusted:
        raise ModelFileError(
            f"{path} is a pickle, which can run any code when it is opened. If you trust who "
            "wrote it, load it with trusted=True (--trusted)"
        )
    model: BaseEstimator = joblib.load(io.BytesIO(content))
    return model


def _load_skops(
    content: bytes, path: Path, described_in: str, types: Sequence[str], trusted: bool
) -> BaseEstimator:
    import skops.io

    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(types))
        if unknown and not trusted:
            shown = ", ".join(unknown[:8]) + (", ..." if len(unknown) > 8 else "")
            raise ModelFileError(
                f"{path} contains types that are not known to be safe: {shown}. Nothing of it was "
                "run. If you trust who wrote it, load it with trusted=True (--trusted)"
            )
        model: BaseEstimator = skops.io.loads(content, trusted=[*types, *unknown])
    except ModelFileError:
        raise
    except (ImportError, AttributeError) as error:
        raise ModelFileError(
            f"{path} needs a package or version that is not installed: {error}. {described_in} "
            "lists the versions it was written with"
        ) from error
    except (BadZipFile, KeyError, ValueError, TypeError, OSError, RecursionError) as error:
        raise ModelFileError(f"{path} is not a readable skops file: {error}") from error
    return model


def check_servers(model: BaseEstimator, path: Path, *, trusted: bool) -> None:
    """Refuse a model that would send texts to a place its user has not chosen.

    Raises
    ------
    ModelFileError
        If it names a server elsewhere, and is not trusted.
    """
    servers = named_servers(model)
    if servers and not trusted:
        raise ModelFileError(
            f"{path} would send your texts to {', '.join(servers)}. If that is right, load it "
            "with trusted=True (--trusted)"
        )


def check_space(
    model: BaseEstimator, identity: ModelIdentity | None, path: Path, described_in: str
) -> None:
    """Refuse a model of another vector space than its description names.

    Raises
    ------
    ModelFileError
        If the spaces differ.
    """
    first = model.steps[0][1] if hasattr(model, "steps") else model
    if not _same_identity(getattr(first, "identity_", None), identity):
        raise ModelFileError(
            f"{path} was fitted in another vector space than {described_in} names: the files are "
            "not of one model; copy the folder again, whole"
        )


def _same_identity(a: ModelIdentity | None, b: ModelIdentity | None) -> bool:
    if a is None or b is None:
        return a is None and b is None
    mine, its = a.canary, b.canary
    if mine is None or its is None:
        return a == b and mine is its
    same_names = tuple(mine.names) == tuple(its.names)
    return a == b and same_names and np.array_equal(mine.vectors, its.vectors)
