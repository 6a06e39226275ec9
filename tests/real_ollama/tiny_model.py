"""A model of EmbeddingGemma's architecture with few layers, random weights and a byte tokenizer.

30 MB, written in half a second with the ``gguf`` package. One token is one character, so the limit
of 2,046 tokens comes at 2,046 characters. Its vectors mean nothing: a check against the reference
vectors has to call it unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["embedding", "chat", "damaged"]

ARCHITECTURE, CHAT_ARCHITECTURE = "gemma-embedding", "gemma3"
WIDTH = 768
FEED_FORWARD = 64
LAYERS = 6
"""Every sixth layer attends to everything; with fewer layers llama.cpp fails an assertion."""

HEADS, HEAD_WIDTH = 3, 256
DENSE = {"dense_2": (3072, WIDTH), "dense_3": (WIDTH, 3072)}
"""Rows and columns: width out, width in."""

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def tokenizer() -> tuple[list[bytes], list[int]]:
    """Return tokens and their types: control tokens, all bytes, the space sign, ASCII."""
    control = [b"<pad>", b"<eos>", b"<bos>", b"<unk>"]
    bytes_ = [f"<0x{value:02X}>".encode() for value in range(256)]
    printable = [bytes([code]) for code in range(33, 127)]
    tokens = [*control, *bytes_, "\u2581".encode(), *printable]
    types = [CONTROL, CONTROL, CONTROL, UNKNOWN, *[BYTE] * 256, *[NORMAL] * (1 + len(printable))]
    return tokens, types


def tensors(vocabulary: int, seed: int) -> dict[str, NDArray[np.float16] | NDArray[np.float32]]:
    """Return the weights by name: matrices random, norms stored as one plus weight."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, spread: float) -> NDArray[np.float16]:
        drawn = random.standard_normal((rows, columns), dtype=np.float32)
        return (drawn * np.float32(spread)).astype(np.float16)

    def norm(width: int, value: float = 1.0) -> NDArray[np.float32]:
        return np.full(width, value, dtype=np.float32)

    made: dict[str, NDArray[np.float16] | NDArray[np.float32]] = {
        "token_embd.weight": matrix(vocabulary, WIDTH, 0.02),
        "output_norm.weight": norm(WIDTH),
    }
    matrices = {
        "attn_q": (HEADS * HEAD_WIDTH, WIDTH),
        "attn_k": (HEAD_WIDTH, WIDTH),
        "attn_v": (HEAD_WIDTH, WIDTH),
        "attn_output": (WIDTH, HEADS * HEAD_WIDTH),
        "ffn_gate": (FEED_FORWARD, WIDTH),
        "ffn_up": (FEED_FORWARD, WIDTH),
        "ffn_down": (WIDTH, FEED_FORWARD),
    }
    for layer in range(LAYERS):
        for name, (rows, columns) in matrices.items():
            made[f"blk.{layer}.{name}.weight"] = matrix(rows, columns, columns**-0.5)
        for name in ("attn_norm", "ffn_norm"):
            made[f"blk.{layer}.{name}.weight"] = norm(WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            made[f"blk.{layer}.{name}.weight"] = norm(HEAD_WIDTH)
        for name in ("post_attention_norm", "post_ffw_norm"):
            # Small, or the residual stream is drowned by six random layers.
            made[f"blk.{layer}.{name}.weight"] = norm(WIDTH, 0.3)
    for name, (rows, columns) in DENSE.items():
        made[f"{name}.weight"] = matrix(rows, columns, columns**-0.5)
    return made


def write(path: Path, *, kind: Kind = "embedding", seed: int = 0) -> None:
    """Write a model.

    ``chat`` is of the architecture that EmbeddingGemma comes from, without pooling: it loads, and
    cannot embed. ``damaged`` lacks a tensor, which only the engine finds out.
    """
    import gguf

    chat = kind == "chat"
    architecture = CHAT_ARCHITECTURE if chat else ARCHITECTURE
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_sliding_window(512)
    writer.add_rope_freq_base(1e6)
    if chat:
        writer.add_float32(f"{architecture}.rope.local.freq_base", 1e4)
    else:
        writer.add_float32(f"{architecture}.rope.freq_base_swa", 1e4)
        writer.add_uint32(f"{architecture}.pooling_type", 1)
        for name, (out, into) in DENSE.items():
            writer.add_uint32(f"{architecture}.{name}_feat_in", into)
            writer.add_uint32(f"{architecture}.{name}_feat_out", out)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    tokens, types = tokenizer()
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(types)
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
    if not chat:
        writer.add_add_space_prefix(False)  # the engine's default is true for this tokenizer
    for name, weights in tensors(len(tokens), seed).items():
        left_out = (chat and name.startswith("dense_")) or (
            kind == "damaged" and name == "output_norm.weight"
        )
        if not left_out:
            writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
