"""What differs between Ollama's versions, for those the double can pretend to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.ollama_double import errors

DEFAULT_VERSION = "0.32.15"


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of one version; a development build (0.0.0) is taken for the newest."""

    version: str = DEFAULT_VERSION

    @property
    def number(self) -> tuple[int, int, int]:
        match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", self.version)
        if match is None:
            raise ValueError(f"not a version: {self.version!r}")
        number = (int(match[1]), int(match[2]), int(match[3]))
        return number if any(number) else (999, 0, 0)

    def since(self, *number: int) -> bool:
        return self.number >= number

    @property
    def build(self) -> str:
        """Which of the three builds of EmbeddingGemma the version has in it."""
        if self.since(0, 30, 0):
            return "right"
        return "no_window" if self.since(0, 12, 7) else "causal"

    @property
    def has_llama_server(self) -> bool:
        return self.since(0, 30, 0)

    @property
    def has_dimensions(self) -> bool:
        return self.since(0, 11, 11)

    @property
    def has_base64(self) -> bool:
        return self.since(0, 12, 7)

    @property
    def has_source_suffixes(self) -> bool:
        """``model:local`` and ``model:cloud``."""
        return self.since(0, 18, 0)

    @property
    def runner_error_status(self) -> int:
        return 400 if self.since(0, 13, 3) else 500

    @property
    def too_long(self) -> str:
        if self.since(0, 13, 3):
            return "the input length exceeds the context length"
        if self.since(0, 12, 7):
            return "input exceeds maximum context length"
        return "input length exceeds maximum context length"

    @property
    def not_an_embedder(self) -> errors.ApiError:
        if self.has_llama_server:
            return errors.ApiError(501, errors.NOT_AN_EMBEDDER_0_30)
        return errors.ApiError(501 if self.since(0, 13, 3) else 500, errors.NOT_AN_EMBEDDER_OLD)
