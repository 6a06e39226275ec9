"""What a process learns of an OpenAI-compatible server, and its vectors in the light of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from toolkit.backends.openai_answers import has_direction, is_unit, normalised
from toolkit.backends.openai_client import OpenAIClient
from toolkit.backends.openai_counts import TokenCounts, learn_counts
from toolkit.backends.openai_facts import ServerFacts, read_facts, read_weights
from toolkit.backends.openai_lengths import USUAL_LIMIT, Lengths, learn_lengths
from toolkit.errors import InvalidVectorsError

__all__ = ["Known", "embed_counted", "embed_in_parts", "learn"]


@dataclass(frozen=True)
class Known:
    """What is known of a server.

    Parameters
    ----------
    facts : ServerFacts
        What it tells.
    dimension : int
        Length of a vector.
    unit : bool
        Whether its vectors have length 1.
    lengths : Lengths
        What it does with long texts.
    breaks : int
        How often it had been away when this was learned.
    weights : str, optional
        Digest of the weights.
    counts : TokenCounts, optional
        How it counts, if it is an Ollama that cuts.
    """

    facts: ServerFacts
    dimension: int
    unit: bool
    lengths: Lengths
    breaks: int
    weights: str | None = None
    counts: TokenCounts | None = None


def learn(client: OpenAIClient, model: str) -> Known:
    """Ask a server what it is, and try what it does.

    Raises
    ------
    BackendError
        If it does not answer, does not have the model, or gives no good vector.
    """
    breaks = client.breaks
    facts = read_facts(client.get, model)
    short, _ = client.embed(model, ["why is the sky blue?"])
    if not has_direction(short):
        raise InvalidVectorsError(f"{client.address} sends vectors that are zero or not finite")
    known = Known(facts, short.shape[1], is_unit(short), Lengths(), breaks)
    if facts.engine == "ollama":
        ask = partial(embed_counted, client, model, known)
        counts = learn_counts(ask, facts.limit or USUAL_LIMIT)
        known = replace(known, weights=read_weights(client.get, model), counts=counts)
    if known.counts is not None:
        return replace(known, lengths=Lengths(known.counts.limit))
    embed = partial(embed_in_parts, client, model, known)
    return replace(known, lengths=learn_lengths(embed, facts.limit))


def embed_in_parts(
    client: OpenAIClient, model: str, known: Known, texts: Sequence[str]
) -> NDArray[np.float32]:
    """Return vectors of length 1, shape (n, d), in requests the server allows."""
    if not texts:
        return np.empty((0, known.dimension), dtype=np.float32)
    most = known.facts.most_texts or len(texts)
    starts = range(0, len(texts), most)
    vectors = [client.embed(model, texts[start : start + most])[0] for start in starts]
    if len({part.shape[1] for part in vectors}) > 1:
        raise InvalidVectorsError(f"the server at {client.address} sent unequal vectors")
    return _of_length_one(np.concatenate(vectors), known)


def embed_counted(
    client: OpenAIClient, model: str, known: Known, texts: Sequence[str]
) -> tuple[NDArray[np.float32], int | None]:
    """Return vectors of length 1 of one request, and how many tokens were read."""
    vectors, tokens = client.embed(model, texts)
    return _of_length_one(vectors, known), tokens


def _of_length_one(vectors: NDArray[np.float32], known: Known) -> NDArray[np.float32]:
    # From a server whose vectors have length 1, another one is a fault for the engine to see.
    return vectors if known.unit else normalised(vectors)
