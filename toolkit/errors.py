"""Every exception and warning the project raises, in one hierarchy.

A message says what happened, where (position in the input), and the command or parameter that
mends it. ``except ToolkitError`` catches everything that is not a programming mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = [
    "BackendError",
    "CacheCorruptedError",
    "CacheError",
    "CacheMissError",
    "ClusterNameWarning",
    "DataError",
    "DoublePrefixWarning",
    "DriftWarning",
    "EmbeddingError",
    "EmbeddingWarning",
    "InputTypeError",
    "InvalidVectorsError",
    "MissingTextError",
    "ModelDriftError",
    "ModelFileError",
    "ModelNotFoundError",
    "OptionalDependencyError",
    "PackError",
    "PromptError",
    "ServerTooOldError",
    "ServerUnavailableError",
    "TextTooLongError",
    "ToolkitError",
    "ToolkitWarning",
    "UnverifiedModelError",
    "UsageError",
]


class ToolkitError(Exception):
    """Base of every error of this project."""


class UsageError(ToolkitError, ValueError):
    """A parameter, option, column or file name that cannot be used as given."""


class InputTypeError(ToolkitError, TypeError):
    """The input is not a collection of texts."""


class DataError(ToolkitError, ValueError):
    """The data cannot be used: unreadable file, wrong columns, too few rows."""


class MissingTextError(DataError):
    """Some texts are missing (None, NaN, NA, null).

    Attributes
    ----------
    positions : tuple of int
        The positions of the missing texts in the input, counted from 0.
    """

    def __init__(self, message: str, positions: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.positions = tuple(positions)


class PromptError(UsageError):
    """A task or prompt that does not exist or cannot be rendered."""


class OptionalDependencyError(ToolkitError, ImportError):
    """A feature needs a package that is not installed; the message has the pip line."""


# --- servers and models --------------------------------------------------------------------------


class BackendError(ToolkitError):
    """A backend could not embed.

    Parameters
    ----------
    message : str
        What happened.
    retryable : bool, default=False
        Whether the same request may succeed a moment later.
    fatal : bool, default=False
        Whether every other request would fail the same way (the model is gone, access is
        denied), so that looking for one guilty text would be pointless.
    retry_after : float, optional
        Seconds the server asked to wait.
    broken : bool, default=False
        Whether the connection broke, as it does while a server is being restarted.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        fatal: bool = False,
        retry_after: float | None = None,
        broken: bool = False,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.fatal = fatal
        self.retry_after = retry_after
        self.broken = broken

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by Exception's own pickling, and errors cross process
        # borders with joblib and dask.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[BackendError], args: tuple[object, ...], state: Mapping[str, object]
) -> BackendError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ServerUnavailableError(BackendError, ConnectionError):
    """No server answers at the address."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class ModelNotFoundError(BackendError, LookupError):
    """The server does not have the model, or it is not an embedding model."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fatal=True)


class ServerTooOldError(BackendError):
    """The server's version is known to give wrong vectors for this model."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fatal=True)


class UnverifiedModelError(BackendError):
    """The vectors of an official model name are not those of the published model."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fatal=True)


class TextTooLongError(BackendError, ValueError):
    """At least one text of a request is longer than the model's context."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InvalidVectorsError(BackendError):
    """A response whose vectors cannot belong to the texts: wrong number, length or values."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class EmbeddingError(ToolkitError):
    """Some texts could not be embedded; everything else was, and is in the cache.

    Attributes
    ----------
    failed : dict of int to str
        The reason by position in the input.
    completed : int
        How many texts of the input have a vector (in the cache, when there is one).
    """

    def __init__(
        self, message: str, failed: Mapping[int, str] | None = None, completed: int = 0
    ) -> None:
        super().__init__(message)
        self.failed = dict(failed or {})
        self.completed = completed

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.failed, self.completed)


class ModelDriftError(ToolkitError):
    """The vectors at hand are of another space than those a model was fitted on."""


# --- the cache and packs -------------------------------------------------------------------------


class CacheError(ToolkitError):
    """The embedding cache cannot be used as it is."""


class CacheCorruptedError(CacheError):
    """The cache's files contradict each other or their checksums."""


class RowsMovedError(CacheError):
    """Rows were looked up before their space was pruned, and are numbered anew since then."""


class CacheMissError(CacheError, LookupError):
    """Texts are not in the cache, and there is no server to ask.

    Attributes
    ----------
    positions : tuple of int
        The positions of the missing texts in the input, counted from 0.
    """

    def __init__(self, message: str, positions: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.positions = tuple(positions)


class PackError(CacheError, ValueError):
    """A vector pack is unreadable, damaged or does not fit."""


class ModelFileError(ToolkitError):
    """A saved model cannot be loaded: damaged, of another version, or not to be trusted."""


# --- warnings ------------------------------------------------------------------------------------


class ToolkitWarning(UserWarning):
    """Base of every warning of this project."""


class EmbeddingWarning(ToolkitWarning):
    """Something about the embedded texts that the user should know."""


class DriftWarning(ToolkitWarning):
    """The vector space is not, or may not be, the one expected."""


class DoublePrefixWarning(ToolkitWarning):
    """A text already begins with a task prefix."""


class ClusterNameWarning(ToolkitWarning):
    """Clusters that a chat model should have named keep their keywords as names."""
