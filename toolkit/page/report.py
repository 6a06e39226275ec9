"""What every report of the project can do."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from toolkit.page.files import write_text_atomic
from toolkit.page.safe_json import dump_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Report"]

PathLike = str | os.PathLike[str]


class Report(ABC):
    """Base of every report: one object that shows itself as HTML, Markdown, JSON and a frame.

    A subclass says what is in the report with four methods: :meth:`build_html`,
    :meth:`build_markdown`, :meth:`to_dict` and :meth:`to_frame`. Everything else is here.

    See Also
    --------
    toolkit.page : how to write the page.

    Examples
    --------
    >>> import pandas as pd
    >>> from toolkit.page import Page
    >>> class Counts(Report):
    ...     def build_html(self):
    ...         return Page("Counts").render()
    ...     def build_markdown(self):
    ...         return "3 apples"
    ...     def to_dict(self):
    ...         return {"apples": 3}
    ...     def to_frame(self):
    ...         return pd.DataFrame([self.to_dict()])
    >>> print(Counts().to_json(), end="")
    {
      "apples": 3
    }
    """

    @abstractmethod
    def build_html(self) -> str:
        """Return the whole page, made with :class:`toolkit.page.Page`."""

    @abstractmethod
    def build_markdown(self) -> str:
        """Return the report as Markdown."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return everything the report says as plain Python values."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the main table of the report."""

    @overload
    def to_html(self, path: None = None, *, overwrite: bool = True) -> str: ...
    @overload
    def to_html(self, path: PathLike, *, overwrite: bool = True) -> Path: ...
    def to_html(self, path: PathLike | None = None, *, overwrite: bool = True) -> str | Path:
        """Return the report as one offline HTML page, or write it to a file.

        Parameters
        ----------
        path : str or path-like, optional
            Where to write it.
        overwrite : bool, default=True
            Whether an existing file may be replaced.

        Returns
        -------
        str or pathlib.Path
            The page, or the path it was written to.

        Raises
        ------
        UsageError
            If the file exists and ``overwrite`` is False.
        """
        return _deliver(self.build_html(), path, overwrite)

    @overload
    def to_markdown(self, path: None = None, *, overwrite: bool = True) -> str: ...
    @overload
    def to_markdown(self, path: PathLike, *, overwrite: bool = True) -> Path: ...
    def to_markdown(self, path: PathLike | None = None, *, overwrite: bool = True) -> str | Path:
        """Return the report as Markdown, or write it to a file (as :meth:`to_html` does)."""
        return _deliver(self.build_markdown().rstrip() + "\n", path, overwrite)

    @overload
    def to_json(self, path: None = None, *, overwrite: bool = True) -> str: ...
    @overload
    def to_json(self, path: PathLike, *, overwrite: bool = True) -> Path: ...
    def to_json(self, path: PathLike | None = None, *, overwrite: bool = True) -> str | Path:
        """Return :meth:`to_dict` as JSON, or write it to a file (as :meth:`to_html` does)."""
        return _deliver(dump_json(self.to_dict(), indent=2) + "\n", path, overwrite)

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own so that no style leaks either way."""
        return (
            '<iframe sandbox="allow-scripts" style="width:100%;height:42rem;border:0" '
            f'title="{escape(type(self).__name__)}" srcdoc="{escape(self.build_html())}"></iframe>'
        )


def _deliver(text: str, path: PathLike | None, overwrite: bool) -> str | Path:
    return text if path is None else write_text_atomic(path, text, overwrite=overwrite)
