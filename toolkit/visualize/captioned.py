"""What a map says of itself, however it is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from toolkit.provenance import model_notice

__all__ = ["Captioned", "notice_of"]


class Captioned(ABC):
    """A map that says how far to believe it, and how its vectors were made.

    Attributes
    ----------
    provenance : mapping of str to object
        How the vectors were made, for the end of the page; to be set by who knows. ``"notice"``,
        the sentence for vectors of another model than EmbeddingGemma, stands at the top of a page
        and under a picture.
    """

    provenance: Mapping[str, Any] = MappingProxyType({})

    @property
    @abstractmethod
    def caption(self) -> str:
        """What to know before believing the picture."""

    @property
    def picture_caption(self) -> str:
        """What stands under a picture that goes about without its page."""
        notice = self.provenance.get("notice")
        return f"{notice} {self.caption}" if notice else self.caption


def notice_of(*vectorizers: object) -> dict[str, str]:
    """Return the provenance that says that vectors are not EmbeddingGemma's, where they are not.

    Parameters
    ----------
    *vectorizers : transformer
        Those without ``identity_`` may be anything; of them nothing is said.
    """
    identities = (getattr(one, "identity_", None) for one in vectorizers)
    notices = (model_notice(identity) for identity in identities if identity is not None)
    notice = next((notice for notice in notices if notice), None)
    return {} if notice is None else {"notice": notice}
