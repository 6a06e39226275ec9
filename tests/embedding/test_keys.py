from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.embedding.keys import encode_text, hash_texts, unique_texts
from toolkit.embedding.long_texts import variant_keys
from toolkit.prompts import Prompt

RAW = Prompt("{text}")


@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=20), max_size=30))
def test_keys_tell_texts_apart_as_the_server_does(texts):
    keys = hash_texts(texts, RAW)
    as_sent = [encode_text(text) for text in texts]
    assert len({bytes(k) for k in keys.tolist()}) == len(set(as_sent))
    first, inverse = unique_texts(keys)
    assert [as_sent[first[i]] for i in inverse] == as_sent
    assert list(first) == sorted(first)


def test_a_prompt_is_never_confused_with_a_text():
    a = hash_texts(["b c"], Prompt("a {text}"))
    b = hash_texts(["c"], Prompt("a b {text}"))
    c = hash_texts(["a b c"], RAW)
    assert len({bytes(k[0]) for k in (a.tolist(), b.tolist(), c.tolist())}) == 3


def test_titles_are_part_of_the_key():
    prompt = Prompt("title: {title} | text: {text}")
    keys = hash_texts(["x", "x", "x"], prompt, ["a", None, "none"]).tolist()
    assert keys[0] != keys[1]
    assert keys[1] == keys[2], "an untitled text is sent as `none`"
    assert hash_texts(["x"], prompt).tolist()[0] == keys[1]


def test_keys_do_not_change_between_versions():
    # A change here makes every cache and every shipped pack useless.
    keys = hash_texts(["why is the sky blue?"], Prompt("task: classification | query: {text}"))
    assert keys.tolist()[0].hex() == "61278384042cdf34734dd5b8828baf33"


def test_variants_of_long_texts_never_share_a_key():
    keys = hash_texts(["a", "b"], RAW)
    every = [*keys.tolist(), *variant_keys(keys, "mean").tolist()]
    every += variant_keys(keys, "truncate").tolist()
    assert len(set(every)) == 6
