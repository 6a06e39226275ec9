"""Prompts are data: every string is what the model card says, and nothing in a text is code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import PromptError
from toolkit.prompts import ALIASES, FAMILIES, TASKS, Prompt, find_family, resolve_prompt

GEMMA = {
    "classification": "task: classification | query: {text}",
    "clustering": "task: clustering | query: {text}",
    "similarity": "task: sentence similarity | query: {text}",
    "retrieval_query": "task: search result | query: {text}",
    "retrieval_document": "title: {title} | text: {text}",
    "question_answering": "task: question answering | query: {text}",
    "fact_checking": "task: fact checking | query: {text}",
    "code_retrieval": "task: code retrieval | query: {text}",
    "summarization": "task: summarization | query: {text}",
}


def test_embeddinggemma_prompts_are_those_of_its_card():
    assert {task: resolve_prompt("embeddinggemma", task).template for task in TASKS} == GEMMA


def test_the_second_model_differs_in_summarization_alone():
    second = {task: resolve_prompt("embeddinggemma-2", task).template for task in TASKS}
    assert {task for task in TASKS if second[task] != GEMMA[task]} == {"summarization"}
    assert second["summarization"] == GEMMA["similarity"]


@pytest.mark.parametrize("alias", ALIASES)
def test_every_name_of_the_models_own_configuration_is_an_alias(alias):
    assert resolve_prompt("embeddinggemma", alias).template == GEMMA[ALIASES[alias]]


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("embeddinggemma", "embeddinggemma"),
        ("embeddinggemma:300m", "embeddinggemma"),
        ("embeddinggemma:300m-qat-q4_0", "embeddinggemma"),
        ("test/embeddinggemma", "embeddinggemma"),
        ("hf.co/unsloth/embeddinggemma-300m-GGUF:Q8_0", "embeddinggemma"),
        ("EmbeddingGemma", "embeddinggemma"),
        ("embeddinggemma-2:270m-q8_0-text", "embeddinggemma-2"),
        ("me/embeddinggemma-2", "embeddinggemma-2"),
        ("embeddinggemma-270m", "embeddinggemma"),
        ("nomic-embed-text:v1.5", "nomic-embed-text"),
        ("qwen3-embedding:0.6b", "qwen3-embedding"),
        ("jeffh/intfloat-multilingual-e5-large", None),
        ("multilingual-e5-large", "multilingual-e5"),
        ("snowflake-arctic-embed2", "snowflake-arctic-embed2"),
        ("snowflake-arctic-embed", None),
        ("mxbai-embed-large", "mxbai-embed-large"),
        ("bge-m3", "bge-m3"),
        ("all-minilm:33m", "all-minilm"),
        ("llama3.2", None),
    ],
)
def test_family_by_ollama_name(model, family):
    found = find_family(model)
    assert (found.name if found else None) == family


def test_other_families():
    assert resolve_prompt("nomic-embed-text", "clustering").template == "clustering: {text}"
    assert resolve_prompt("nomic-embed-text", "retrieval_query").template == "search_query: {text}"
    assert resolve_prompt("multilingual-e5-large", "classification").template == "query: {text}"
    assert resolve_prompt("mxbai-embed-large", "classification").template == "{text}"
    assert resolve_prompt("qwen3-embedding", "retrieval_document").template == "{text}"
    assert resolve_prompt("qwen3-embedding", "STS").template.startswith("Instruct: ")
    assert {resolve_prompt("bge-m3", task).template for task in TASKS} == {"{text}"}
    assert all(set(family.templates) == set(TASKS) for family in FAMILIES)


def test_an_unknown_model_with_a_task_says_how_to_give_a_prompt():
    with pytest.raises(PromptError, match=r"prompt='my instruction: \{text\}'.*task=None"):
        resolve_prompt("my-own-model", "classification")
    assert resolve_prompt("my-own-model", None).template == "{text}"
    assert resolve_prompt("my-own-model", "classification", "x: {text}").template == "x: {text}"


def test_an_unknown_task_lists_the_known_ones():
    with pytest.raises(PromptError, match="classification, clustering"):
        resolve_prompt("embeddinggemma", "clasification")


@pytest.mark.parametrize(
    "template", ["", "no place", "{text} {text}", "{text} {title}", "{title}{title}{text}"]
)
def test_a_template_must_have_one_place_for_the_text(template):
    with pytest.raises(PromptError, match=r"\{(text|title)\}"):
        Prompt(template)


@given(st.text(), st.text())
def test_a_text_is_never_interpreted(text, title):
    assert Prompt("a {b} {text} {0}").render(text) == "a {b} " + text + " {0}"
    assert Prompt("t: {title} | {text}").render(text, title) == f"t: {title} | {text}"


def test_untitled_documents():
    prompt = resolve_prompt("embeddinggemma", "retrieval_document")
    assert prompt.render("x") == "title: none | text: x"
    assert prompt.takes_title


def test_slips_of_the_pen_are_recognised():
    with pytest.raises(PromptError, match="Did you mean 'classification'"):
        resolve_prompt("embeddinggemma", "clasification")
    with pytest.raises(PromptError, match="Did you mean 'embeddinggemma'"):
        resolve_prompt("embedinggemma", "classification")
    with pytest.raises(PromptError) as caught:
        resolve_prompt("llama3", "classification")
    assert "Did you mean" not in str(caught.value)
    assert "--task none" in str(caught.value)
