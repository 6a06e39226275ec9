import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tests.cache.making import DIMENSION, PROMPT, identity_of, keys_of, vectors_of
from toolkit.cache import PackSpace, bundled, packs, read_pack, write_pack
from toolkit.errors import PackError


def write(path: Path, names: object, **changes: object) -> Path:
    keys = keys_of(names)
    values = {"identity": identity_of(), "prompt": PROMPT, "provenance": "made up", **changes}
    write_pack(path, keys, values.pop("vectors", vectors_of(keys)), **values)
    return path


def header(path: Path) -> dict[str, object]:
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()[packs.METADATA_KEY])


def rewrite(path: Path, tensors: dict[str, np.ndarray] | None = None, **changes: object) -> None:
    text = json.dumps(header(path) | changes)
    save_file({**load_file(path), **(tensors or {})}, path, metadata={packs.METADATA_KEY: text})


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("n", [0, 1, 300])
def test_what_is_written_is_read(tmp_path, dtype, n):
    pack = read_pack(write(tmp_path / "a" / "p.safetensors", range(n), dtype=dtype))
    keys = keys_of(range(n + 2))
    vectors, found = pack.get(keys)
    assert found.tolist() == [True] * n + [False] * 2
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, vectors_of(keys[:n]), atol=1e-6 if dtype == "float32" else 1.3e-4)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert pack.identity == identity_of()
    assert np.array_equal(pack.identity.canary.vectors, identity_of().canary.vectors)
    assert (pack.prompt, pack.provenance, len(pack), pack.dimension) == (
        PROMPT, "made up", n, DIMENSION,
    )  # fmt: skip
    assert pack.keys().tolist() == keys[:n].tolist()


@pytest.mark.parametrize("dimensions", [1, 128, 159, 160, 500])
def test_fewer_dimensions_are_cut_from_the_full_vector(tmp_path, dimensions):
    pack = read_pack(write(tmp_path / "p", range(20), dtype="float32"))
    full = vectors_of(keys_of(range(20)))[:, :dimensions]
    cut, _ = pack.get(keys_of(range(20)), dimensions)
    assert np.allclose(cut, full / np.linalg.norm(full, axis=1, keepdims=True), atol=1e-6)


def test_same_content_same_bytes(tmp_path):
    a, b = write(tmp_path / "a", range(9)), write(tmp_path / "b", range(9))
    assert a.read_bytes() == b.read_bytes()


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = write(tmp_path / "p", range(9))
    with pytest.raises(PackError):
        write(path, [1, 1])
    assert len(read_pack(path)) == 9
    write(path, range(3))
    assert len(read_pack(path)) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["p"]


def test_what_cannot_be_a_pack_is_not_written(tmp_path):
    vectors = vectors_of(keys_of(range(3)))
    for changes, words in [
        ({"vectors": vectors[:2]}, "3 keys, 3 of them distinct, and 2 vectors"),
        ({"vectors": vectors * np.float32(0.5)}, "3 of 3 vectors"),
        ({"vectors": vectors[:, :9]}, "shape"),
        ({"identity": identity_of().with_canary(None)}, "canaries"),
    ]:
        with pytest.raises(PackError, match=words):
            write(tmp_path / "p", range(3), **changes)
    with pytest.raises(PackError, match="2 of them distinct"):
        write(tmp_path / "p", [1, 2, 1])
    assert list(tmp_path.iterdir()) == []


# --- damaged files -------------------------------------------------------------------------------


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path, data):
    path = tmp_path / "p"
    if not path.exists():
        write(path, range(3), dtype="float16")
    right = path.read_bytes()
    # Half of the tries in the headers, which are a small part of the file.
    at = data.draw(st.one_of(st.integers(0, 2200), st.integers(0, len(right) - 1)))
    damaged = bytearray(right)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    broken = tmp_path / "broken"
    broken.write_bytes(damaged)
    with pytest.raises(PackError, match="broken"):
        read_pack(broken)


@pytest.mark.parametrize("keep", [0, 5, 300, -1])
def test_a_cut_off_file(tmp_path, keep):
    path = write(tmp_path / "p", range(3))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PackError, match="not a readable vector pack"):
        read_pack(path)


def test_no_file_and_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no vector pack"):
        read_pack(tmp_path / "missing")
    with pytest.raises(PackError, match="not a readable"):
        read_pack(tmp_path)
    save_file({"x": np.zeros(3)}, tmp_path / "other")
    with pytest.raises(PackError, match="not a vector pack"):
        read_pack(tmp_path / "other")


def test_newer_format_says_how_to_update(tmp_path):
    path = write(tmp_path / "p", range(3))
    rewrite(path, format=packs.FORMAT + 1)
    with pytest.raises(PackError, match="pip install --upgrade"):
        read_pack(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "1"}, "no format"),
        ({"count": 4}, "says it has 4 vectors, and has 3"),
        ({"count": None}, "damaged"),
        ({"checksum": "0" * 64}, "checksum"),
        ({"prompt": "other {text}"}, "checksum"),
        ({"identity": {}}, "checksum"),
    ],
)
def test_a_changed_header(tmp_path, changes, words):
    path = write(tmp_path / "p", range(3))
    rewrite(path, **changes)
    with pytest.raises(PackError, match=words):
        read_pack(path)


def test_wrong_content_is_refused_even_with_the_right_checksum(tmp_path):
    """A pack made by a tool that checks nothing."""
    path = write(tmp_path / "p", range(3))
    good = load_file(path)
    no_canary = {"identity": {**header(path)["identity"], "canary": []}}
    for tensors, changes, words in [
        ({"vectors": good["vectors"] * np.float16(0.9)}, {}, "3 of 3 vectors"),
        ({"vectors": np.ascontiguousarray(good["vectors"][:, :9])}, {}, "shape"),
        ({}, {"dimension": 9}, "shape"),
        ({}, no_canary, "contradicts"),
        ({}, {"identity": {"canary": []}}, "damaged"),
        ({}, {"identity": 3}, "damaged"),
        ({"keys": good["keys"][[0, 0, 1]]}, {}, "repeat"),
        ({"keys": np.ascontiguousarray(good["keys"][:, :8])}, {}, "damaged"),
    ]:
        write(path, range(3))
        bare = header(path) | changes
        del bare["checksum"]
        checksum = packs._checksum(bare, good | tensors)
        rewrite(path, tensors, **changes, checksum=checksum)
        with pytest.raises(PackError, match=words):
            read_pack(path)


# --- several packs, and the bundled ones ---------------------------------------------------------


def test_packs_of_one_identity_read_as_one_space(tmp_path):
    names = [range(10), range(5, 30), range(40, 41)]
    parts = [write(tmp_path / f"{i}", n, dtype="float32") for i, n in enumerate(names)]
    space = PackSpace(tuple(read_pack(path) for path in parts))
    keys = keys_of([40, "missing", *range(29, -1, -1)])
    vectors, found = space.get(keys)
    assert found.tolist() == [True, False] + [True] * 30
    assert np.allclose(vectors, vectors_of(keys[found]), atol=1e-6)
    assert space.read(space.lookup(keys[found]), 128).shape == (31, 128)
    assert space.lookup(keys_of([7])).tolist() == [7]  # the first pack answers
    assert len(space) == len(space.keys()) == 36
    assert np.array_equal(space.lookup(space.keys())[10:15], np.arange(5, 10))
    assert space.identity == identity_of()
    assert space.dimension == DIMENSION
    assert space.id.startswith("pack-embeddinggemma-")


def test_packs_of_different_identities_stay_apart(tmp_path):
    a = read_pack(write(tmp_path / "a", range(3)))
    b = read_pack(write(tmp_path / "b", range(3), identity=identity_of(weights="cd" * 32)))
    with pytest.raises(PackError, match="different models"):
        PackSpace((a, b))
    with pytest.raises(PackError, match="at least one"):
        PackSpace(())


def test_one_identity_with_other_canaries_is_another_space(tmp_path):
    a = read_pack(write(tmp_path / "a", range(3)))
    b = read_pack(write(tmp_path / "b", range(3), identity=identity_of("two")))
    with pytest.raises(PackError, match="different models"):
        PackSpace((a, b))


def test_bundled_spaces_are_grouped_by_identity(tmp_path, monkeypatch):
    for name, kind in [("x/1", "one"), ("x/2", "one"), ("y/3", "two")]:
        write(tmp_path / f"{name}.safetensors", [name], identity=identity_of(kind))
    monkeypatch.setattr(bundled, "data_root", lambda: tmp_path)
    spaces = bundled.bundled_spaces()
    assert [len(space) for space in spaces] == [2, 1]
    assert bundled.bundled_spaces()[0] is spaces[0]
    assert len({space.id for space in spaces}) == 2


def test_what_is_bundled_is_sound():
    assert len(bundled.bundled_packs()) == 4
    (space,) = bundled.bundled_spaces()
    assert space.dimension == 768
    assert (space.lookup(space.keys()) >= 0).all()
    assert bundled.data_root().joinpath("sdg", "sdg.csv.gz").is_file()
