"""
Find labels that are wrong
==========================

Twenty-five labels are made wrong on purpose, and looked for: by a model that was not trained on the
row it judges (confident learning), and by near-duplicates that contradict each other. Then the same
on the labels as they are, to be looked at by somebody who knows the matter. The vectors come with
the project.
"""

import numpy as np

from toolkit import EmbeddingGemmaVectorizer
from toolkit.classify import find_label_problems
from toolkit.datasets import load

intents = load("assist_intents", subset="en")
vectors = EmbeddingGemmaVectorizer(task="classification", backend="cache").transform(intents.data)

# %%
# Spoil every 20th label.
rng = np.random.default_rng(0)
labels = intents.target.copy()
spoilt = rng.choice(len(labels), len(labels) // 20, replace=False)
for row in spoilt:
    others = [label for label in intents.target_names if label != labels[row]]
    labels[row] = rng.choice(others)

found = find_label_problems(intents.data, labels, vectors)
print(found.summary())
unlikely = [one for one in found if one.problem == "unlikely_label"][: len(spoilt)]
hits = sum(one.row in spoilt for one in unlikely)
restored = sum(one.suggested_label == intents.target[one.row] for one in unlikely)
print(f"\n{len(spoilt)} labels were spoilt; of the {len(spoilt)} most unlikely, {hits} are spoilt,")
print(f"and {restored} have their own label suggested")

# %%
# One line for each problem: the row, what it is called, what it should be called, and why.
print()
for one in unlikely[:3]:
    print(f"row {one.row}: {one.text!r}\n  {one.label} -> {one.suggested_label}: {one.reason}")

# %%
# The labels as they are.
as_they_are = find_label_problems(intents.data, intents.target, vectors)
print("\nthe labels as they are:", as_they_are.summary(), sep="\n")
