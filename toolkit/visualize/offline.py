"""A map as one offline page, returned or written to a file."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from toolkit.page import write_text_atomic
from toolkit.visualize.captioned import Captioned

__all__ = ["OfflineMap"]


class OfflineMap(Captioned):
    """What writes itself as a page; a subclass says what is on it."""

    @abstractmethod
    def build_html(self, color_by: str | None = None) -> str:
        """Return the whole page, made with :class:`toolkit.page.Page`."""

    def _made(self, projection: Mapping[str, Any]) -> dict[str, Any]:
        """Return the template's variables on how the map was made."""
        told = {k: v for k, v in self.provenance.items() if k != "notice" and v is not None}
        return {"notice": self.provenance.get("notice"), "made": told | dict(projection)}

    @overload
    def to_html(
        self, path: None = None, *, overwrite: bool = True, color_by: str | None = None
    ) -> str: ...
    @overload
    def to_html(
        self, path: str | os.PathLike[str], *, overwrite: bool = True, color_by: str | None = None
    ) -> Path: ...
    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = True,
        color_by: str | None = None,
    ) -> str | Path:
        """Return what is mapped as one offline page, or write it to a file.

        The page has search, groups to single out, lasso, the text under the pointer and the one
        clicked, a list and a table; it makes no request of any kind.

        Parameters
        ----------
        path : str or path-like, optional
            Where to write it.
        overwrite : bool, default=True
            Whether an existing file may be replaced.
        color_by : str, optional
            As for ``fragment``.

        Returns
        -------
        str or pathlib.Path
            The page, or the path it was written to.
        """
        html = self.build_html(color_by)
        return html if path is None else write_text_atomic(path, html, overwrite=overwrite)
