"""Spaces are told apart by their canaries and weights, never by a name."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from toolkit.identity import (
    CANARY_NAMES,
    Canary,
    ModelIdentity,
    canary_cosines,
    canary_texts,
    compatible,
    same_space,
)
from toolkit.reference import BUILDS, diagnose, reference_vectors


def identity(build="right", *, noise=0.0, backend="ollama", **known):
    rng = np.random.default_rng(0)
    vectors = {}
    for name in CANARY_NAMES:
        vector = reference_vectors(build)[name].astype(np.float64)
        vector = vector + noise * rng.standard_normal(768) / np.sqrt(768)
        vectors[name] = vector / np.linalg.norm(vector)
    return ModelIdentity(backend, "embeddinggemma", 768, canary=Canary.of(vectors), **known)


def test_canaries_cover_short_foreign_and_long_texts():
    texts = canary_texts()
    assert list(texts) == list(CANARY_NAMES)
    assert min(len(t) for t in texts.values()) < 30
    assert 1500 < max(len(t) for t in texts.values()) < 2000
    assert sum(not t.isascii() for t in texts.values()) >= 3


def test_one_model_after_a_harmless_change_stays_one_space():
    # bfloat16 against float32 is about 0.9999.
    a, b = identity(engine_version="0.30.0"), identity(engine_version="0.32.15", noise=0.014)
    assert 0.9995 < min(canary_cosines(a, b).values()) < 0.99995
    assert compatible(a, b)
    assert same_space(a, b)


@pytest.mark.parametrize("build", ["no_window", "causal"])
def test_a_wrong_build_is_another_space_under_the_same_digest(build):
    a, b = identity(weights="a" * 64), identity(build, weights="a" * 64)
    assert not compatible(a, b)
    assert not same_space(a, b)


def test_only_the_long_canary_shows_the_missing_window():
    cosines = canary_cosines(identity(), identity("no_window"))
    assert {name for name, cosine in cosines.items() if cosine < 0.9995} == {"long-250"}


def test_other_weights_are_another_space_though_a_model_may_be_used_there():
    a, b = identity(weights="a" * 64), identity(weights="b" * 64, noise=0.02)
    assert compatible(a, b)
    assert not same_space(a, b)


def test_unknown_weights_join_by_canaries_but_not_across_kinds_of_backend():
    assert same_space(identity(weights="a" * 64), identity())
    assert compatible(identity(backend="pack"), identity())
    assert not same_space(identity(backend="pack"), identity())


def test_without_canaries_nothing_is_known():
    bare = ModelIdentity("ollama", "embeddinggemma", 768, weights="a" * 64)
    assert not compatible(bare, bare)
    assert canary_cosines(bare, identity()) == {}


def test_identity_survives_json_and_pickle():
    one = identity(digest="d" * 64, weights="w" * 64, engine="ollama", engine_version="0.32.15")
    for other in (
        ModelIdentity.from_dict(json.loads(json.dumps(one.to_dict()))),
        pickle.loads(pickle.dumps(one)),
        ModelIdentity.from_dict(one.to_dict() | {"of a later version": 1}),
    ):
        assert other == one
        assert np.array_equal(other.canary.vectors, one.canary.vectors)


def test_a_pickled_identity_is_small():
    assert len(pickle.dumps(identity())) < 15_000


@pytest.mark.parametrize("build", BUILDS)
def test_diagnosis_names_the_build(build):
    assert diagnose(reference_vectors(build)).build == build
    canaries = {name: reference_vectors(build)[name] for name in CANARY_NAMES}
    assert diagnose(canaries).build == build


def test_diagnosis_of_foreign_vectors():
    rng = np.random.default_rng(0)
    foreign = {name: rng.standard_normal(768) for name in CANARY_NAMES}
    found = diagnose(foreign, skipped=2)
    assert found.build == "unknown"
    assert "ollama pull embeddinggemma" in found.advice
    assert "2 refused as too long" in found.summary()
    assert diagnose({}).build == "unknown"
    assert diagnose({"sky": np.ones(512)}).compared == 0


def moved(build, cosine, shared=0.5):
    """Vectors of a build at a cosine from its own, as other weights would move them: partly all
    the same way, partly each its own."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal(768) / 768**0.5
    vectors = {}
    for name in CANARY_NAMES:
        own = reference_vectors(build)[name].astype(np.float64)
        away = shared * common + (1 - shared) * rng.standard_normal(768) / 768**0.5
        away -= (away @ own) * own
        away *= np.sqrt(1 - cosine**2) / np.linalg.norm(away)
        vectors[name] = cosine * own + away
    return vectors


@pytest.mark.parametrize("cosine", [0.9997, 0.99, 0.95, 0.9, 0.85])
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("quantization", ["Q8_0", "Q4_0", "unknown", None])
def test_few_bits_are_told_from_wrong_builds(build, cosine, quantization):
    found = diagnose(moved(build, cosine), quantization=quantization)
    assert found.build == build
    assert found.exact == (cosine >= 0.99)
    if build == "right":
        near = "those of the published model" if found.exact else "as quantised weights' are"
        assert near in found.summary()


@pytest.mark.parametrize("quantization", ["BF16", "F16", "all F32", "float16"])
def test_weights_in_sixteen_bits_have_no_excuse(quantization):
    assert diagnose(moved("right", 0.9999), quantization=quantization).build == "right"
    assert diagnose(moved("right", 0.97), quantization=quantization).build == "unknown"


def test_what_is_near_nothing_or_between_two_is_unknown_with_few_bits_too():
    assert diagnose(moved("right", 0.75), quantization="Q4_0").build == "unknown"
    right, causal = reference_vectors("right"), reference_vectors("causal")
    between = {name: right[name] + causal[name] for name in CANARY_NAMES}
    assert diagnose(between, quantization="Q4_0").build == "unknown"
    # Without its dense layers a model's vectors lie in another basis altogether.
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((768, 768)))[0]
    other = {name: turned @ right[name] for name in CANARY_NAMES}
    assert diagnose(other, quantization="Q4_0").build == "unknown"


def test_the_model_cards_similarities():
    vectors = reference_vectors()
    found = [
        float(vectors["red-planet-query"] @ vectors[f"red-planet-{planet}"])
        for planet in ("venus", "mars", "jupiter", "saturn")
    ]
    assert found == pytest.approx([0.3011, 0.6359, 0.4930, 0.4889], abs=5e-4)
