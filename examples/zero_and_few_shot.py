"""
Labels without training rows: zero-shot and few-shot
====================================================

``ZeroShotClassifier`` gives a text the label whose description, or whose examples, it is nearest
to. Zero-shot needs vectors of the descriptions, so that part runs on the small built-in model
(extra ``embedded``), which is not EmbeddingGemma and not as good. Few-shot runs on EmbeddingGemma's
vectors that come with the project. With Ollama running, leave out ``vectorizer=`` in both.
"""

import numpy as np

from toolkit import EmbeddingGemmaVectorizer, ZeroShotClassifier
from toolkit.datasets import load

# %%
# Zero-shot: nothing but a sentence for each label; the texts may be in other languages. Below the
# threshold the answer is the empty label, never a guess.
descriptions = {
    "timer": "set, pause or stop a timer",
    "weather": "what the weather will be",
    "light": "turn a lamp on or off",
    "shopping": "add something to the shopping list",
}
zero_shot = ZeroShotClassifier(
    descriptions, vectorizer=EmbeddingGemmaVectorizer(backend="embedded"), threshold=0.5
)
zero_shot.fit()
commands = [
    "cancel the egg timer",
    "Wird es morgen regnen?",
    "allume la lampe du salon",
    "put milk on my list",
    "asdf 12",
]
probabilities = zero_shot.predict_proba(commands).max(axis=1)
for command, label, probability in zip(
    commands, zero_shot.predict(commands), probabilities, strict=True
):
    print(f"{command:26} {label or '(not sure)':11} {probability:.2f}")

# %%
# Few-shot: five English examples of each intent, tested in three languages.
intents = load("assist_intents", subset=["en", "de", "zh-CN"])
rng = np.random.default_rng(0)
chosen = np.concatenate(
    [
        rng.choice(np.flatnonzero((intents.lang == "en") & (intents.target == label)), 5, False)
        for label in intents.target_names
    ]
)
examples = {
    label: intents.data[chosen][intents.target[chosen] == label].tolist()
    for label in intents.target_names
}
few_shot = ZeroShotClassifier(examples, vectorizer=EmbeddingGemmaVectorizer(backend="cache"))
few_shot.fit()
print("\nfive English examples of each of 19 intents:")
others = np.ones(len(intents.data), dtype=bool)
others[chosen] = False
for language in ("en", "de", "zh-CN"):
    rows = others & (intents.lang == language)
    print(f"  {language:5} accuracy {few_shot.score(intents.data[rows], intents.target[rows]):.3f}")

# %%
# A few labelled rows make the probabilities honest: they set the temperature, and change no answer.
rows = np.flatnonzero(others & (intents.lang == "de"))
rng.shuffle(rows)
calibrated = few_shot.fit(intents.data[rows[:50]], intents.target[rows[:50]])
sure = calibrated.predict_proba(intents.data[rows[50:]]).max(axis=1)
right = calibrated.predict(intents.data[rows[50:]]) == intents.target[rows[50:]]
print(f"\ncalibrated on 50 German rows: temperature {calibrated.temperature_:.3f}")
print(f"mean probability {sure.mean():.2f}, share right {right.mean():.2f}")
