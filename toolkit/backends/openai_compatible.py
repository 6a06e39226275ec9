"""EmbeddingGemma and others through any server with OpenAI's ``/v1/embeddings``.

llama.cpp's server, vLLM, Text Embeddings Inference (TEI), LM Studio, Ollama and others. For an
Ollama :mod:`toolkit.backends.ollama` is the better way: its own interface refuses long texts in one
request, unloads a model that went wrong and takes ``keep_alive`` and options.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.hosts import parse_host
from toolkit.backends.ollama_names import is_official
from toolkit.backends.openai_client import OpenAIClient, connect
from toolkit.backends.openai_counts import embed_whole
from toolkit.backends.openai_errors import token_counts
from toolkit.backends.openai_facts import read_facts
from toolkit.backends.openai_known import Known, embed_counted, embed_in_parts, learn
from toolkit.backends.openai_lengths import USUAL_LIMIT, find_cut
from toolkit.errors import (
    DriftWarning,
    TextTooLongError,
    UnverifiedModelError,
    UsageError,
)
from toolkit.identity import ModelIdentity
from toolkit.reference import Diagnosis

__all__ = ["OpenAIBackend", "OpenAIServer"]

_ADVICE = {
    "no_window": "texts of more than about 256 tokens get other vectors than the published "
    "model's; short texts are right. A newer version of the server may mend it",
    "causal": "the server computes it with causal attention, which is wrong for every text. A "
    "newer version of the server may mend it",
    "unknown": "another model may be loaded under this name, or its file lacks the dense layers "
    "or the tokenizer's settings. Give the model's own name with model=... (--model), or serve "
    "the published weights",
}


SPARSE = 16
"""Characters a token that hardly any text has."""


@dataclass(frozen=True)
class OpenAIBackend:
    """Settings of a server with OpenAI's ``/v1/embeddings``; its address is ``host``.

    Parameters
    ----------
    timeout : float, default=120.0
        Most seconds for one request, loading the model included.
    api_key_env : str, optional
        Name of the environment variable that holds the server's API key. It is read when
        connecting, so that no secret is in a parameter or a pickle.
    headers : mapping of str to str, optional
        Extra headers. ``${NAME}`` in a value is replaced by an environment variable.
    allow_unverified : bool, default=False
        Accept a model under EmbeddingGemma's own name whose vectors are not those of the
        published model.
    encoding_format : {"auto", "float"}, default="auto"
        "auto" asks for base64, which is smaller and exact, and takes floats from servers that
        do not have it; "float" never asks for base64.

    Examples
    --------
    >>> OpenAIBackend(api_key_env="MY_KEY").bind("embeddinggemma", "http://127.0.0.1:8080").address
    'http://127.0.0.1:8080'
    """

    timeout: float = 120.0
    api_key_env: str | None = None
    headers: Mapping[str, str] | None = None
    allow_unverified: bool = False
    encoding_format: Literal["auto", "float"] = "auto"

    def bind(self, model: str, address: str | None = None) -> OpenAIServer:
        """Return the backend for one model on one server.

        Parameters
        ----------
        model : str
            The model's name.
        address : str
            The server's address, with or without ``/v1``.

        Raises
        ------
        UsageError
            If the address is missing, or a setting cannot be used.
        """
        if not isinstance(model, str) or not model.strip():
            raise UsageError(f"model must be a model's name, not {model!r}")
        if not isinstance(self.timeout, int | float) or self.timeout <= 0:
            raise UsageError(f"timeout must be a positive number of seconds, not {self.timeout!r}")
        if self.encoding_format not in ("auto", "float"):
            raise UsageError(
                f"encoding_format must be 'auto' or 'float', not {self.encoding_format!r}"
            )
        if address is None or not address.strip():
            raise UsageError(
                "backend='openai' needs the server's address: host='http://127.0.0.1:8080' "
                "(--host). llama.cpp's server is on port 8080 by default, vLLM on 8000, LM Studio "
                "on 1234"
            )
        where = parse_host(address).removesuffix("/embeddings").removesuffix("/v1")
        if "://" not in address and not _names_port(address):
            raise UsageError(
                f"host={address!r} names no port, and these servers have no common one; give for "
                f"example 'http://{address}:8080'"
            )
        return OpenAIServer(model=model.strip(), address=where, settings=self)


_memory: dict[tuple[str, ...], Known] = {}
"""What this process has learned, by server and settings."""


@dataclass(frozen=True)
class OpenAIServer:
    """One model on one server: a :class:`~toolkit.backends.base.Backend`.

    Holds no connection and no key: those belong to the process, so an object can be pickled and
    used in other processes.

    The protocol leaves open whether vectors have length 1. Those of a server whose vectors do not
    are normalised here; zeros, NaN and infinity stay as they are for the engine to refuse. It
    also leaves open what becomes of a text that is too long: see
    :mod:`toolkit.backends.openai_lengths`, and :mod:`toolkit.backends.openai_counts` for Ollama.
    Servers but Ollama tell no digest of the weights, so their vector spaces are recognised by
    canaries alone.

    Parameters
    ----------
    model : str
        The model's name; servers with a single model ignore it.
    address : str
        Base address of the server, before ``/v1``.
    settings : OpenAIBackend
        Everything else.
    """

    model: str
    address: str
    settings: OpenAIBackend = OpenAIBackend()

    @property
    def max_tokens(self) -> int | None:
        """Most tokens of one text, special tokens included; None if the server does not tell."""
        return self._known().lengths.limit

    @property
    def preferred_batch(self) -> int:
        """32, or less where the server allows less."""
        return min(32, self._known().facts.most_texts or 32)

    @property
    def uses_prompts(self) -> bool:
        """Models behind these servers get their prompt from the client."""
        return True

    @property
    def key(self) -> tuple[str, ...]:
        """What the process-wide memory of identities goes by."""
        settings = json.dumps(vars(self.settings), sort_keys=True, default=dict)
        return ("openai", self.address, self.model, settings)

    def identify(self) -> ModelIdentity:
        """Return what makes the vectors, as far as the server tells.

        A few texts are embedded, one of them longer than the model's limit.

        Raises
        ------
        ServerUnavailableError
            If no server answers.
        ModelNotFoundError
            If the server does not have the model, or it makes no embeddings.
        """
        known = self._learn()
        facts = known.facts
        return ModelIdentity(
            backend="openai",
            model=self.model,
            dimension=known.dimension,
            digest=facts.digest,
            weights=known.weights,
            engine=facts.engine,
            engine_version=facts.version,
            quantization=facts.quantization,
            context_length=known.lengths.limit,
            provenance=facts.details,
        )

    def fingerprint(self) -> str:
        """Return a text that changes when the server or its model may have.

        That is when it tells something else of itself, or was away since :meth:`identify`: it
        may have come back with another model. One to three requests of about a millisecond, none
        to a server that tells nothing.
        """
        known, client = self._known(), self._client()
        if client.breaks != known.breaks:
            return f"{known.facts} away {client.breaks} times"
        engine = known.facts.engine
        now = read_facts(client.get, self.model, engine) if engine else known.facts
        return f"{now.version} {now.digest}" if now == known.facts else f"{now}"

    def verify(self, diagnosis: Diagnosis) -> None:
        """Accept or refuse the model by what its vectors are nearest to.

        Only names of EmbeddingGemma itself promise the published model: ``embeddinggemma`` with
        any tag, and Google's own on Hugging Face.

        Raises
        ------
        UnverifiedModelError
            If such a model is of the causal build or of none that is known, unless
            ``allow_unverified`` is set.

        Warns
        -----
        DriftWarning
            If it is the windowless build: short texts are right, long ones are not.
        """
        official = is_official(self.model) or self.model.lower().startswith("google/embeddinggemma")
        if not official or diagnosis.build == "right":
            return
        message = (
            f"{self.model} on {self.address} is not the published model: {diagnosis.summary()}: "
            f"{_ADVICE[diagnosis.build]}."
        )
        if diagnosis.build == "no_window" or self.settings.allow_unverified:
            warnings.warn(message, DriftWarning, stacklevel=2)
            return
        raise UnverifiedModelError(
            f"{message} To use these vectors all the same: OpenAIBackend(allow_unverified=True)."
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors, shape (n, d), of rendered texts, in their order.

        Raises
        ------
        TextTooLongError
            If a text is over the model's context, whether the server says so or cuts it.
        BackendError
            Anything else, by kind (:mod:`toolkit.backends.openai_errors`).
        """
        known = self._known()
        client, model = self._client(), self.model
        if known.counts is not None and texts:
            return embed_whole(partial(embed_counted, client, model, known), texts, known.counts)
        again = partial(embed_in_parts, client, model, known)
        vectors = again(texts)
        cut, lengths = find_cut(again, texts, vectors, known.lengths)
        if lengths != known.lengths:
            _memory[self.key] = replace(known, lengths=lengths)
        if cut:
            raise TextTooLongError(
                f"a text is longer than the model's context, and the server at {self.address} "
                "cut it without saying so"
            )
        return vectors

    def embed_truncated(self, text: str) -> NDArray[np.float32]:
        """Return the vector, shape (d,), of as much of a text's beginning as fits.

        A server that cuts does it, at a token; for one that refuses, the text is shortened by
        the counts in its refusals, or else by halves and in the end by twentieths.
        """
        known, client = self._known(), self._client()
        kept = len(text)
        while True:
            try:
                part = [text[:kept]]
                vector: NDArray[np.float32] = embed_in_parts(client, self.model, known, part)[0]
                return vector
            except TextTooLongError as refusal:
                if kept <= 1:
                    raise
                given, limit = token_counts(str(refusal))
                far = kept > SPARSE * (limit or known.lengths.limit or USUAL_LIMIT)
                share = 0.5 if far else 0.95
                if given and limit and given > limit:
                    share = limit / given
                kept = min(int(kept * share), kept - 1)

    # --- inside ----------------------------------------------------------------------------------

    def _known(self) -> Known:
        known = _memory.get(self.key)
        return self._learn() if known is None else known

    def _learn(self) -> Known:
        known = _memory[self.key] = learn(self._client(), self.model)
        return known

    def _client(self) -> OpenAIClient:
        settings = self.settings
        headers = dict(settings.headers or {})
        if settings.api_key_env is not None:
            headers["Authorization"] = f"Bearer ${{{settings.api_key_env}}}"
        base64 = settings.encoding_format == "auto"
        return connect(self.key, self.address, float(settings.timeout), headers, base64=base64)


def _names_port(address: str) -> bool:
    try:
        return urlsplit(f"//{address.strip()}").port is not None
    except ValueError:
        return False
