from __future__ import annotations

import numpy as np
import pytest

from toolkit.visualize.palette import PALETTE, linear_rgb, oklab, on_dark, spread_colors

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def least_distance(colors: tuple[str, ...], eyes: str) -> float:
    seen = np.clip(linear_rgb(colors) @ np.asarray(EYES[eyes]).T, 0, 1)
    lab = oklab(seen)
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    return float(distances[np.triu_indices(len(colors), 1)].min())


# For comparison: the closest pair of matplotlib's tab20 has 0.035 under normal eyes, 0.003 under
# deuteranopia.
@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(
    ("k", "light", "dark"),
    [(6, 0.12, 0.1), (10, 0.09, 0.065), (12, 0.065, 0.065), (17, 0.045, 0.05), (50, 0.025, 0.022)],
)
def test_colours_stay_apart_on_light_and_on_dark_paper(
    eyes: str, k: int, light: float, dark: float
) -> None:
    assert least_distance(PALETTE[:k], eyes) > light
    assert least_distance(tuple(on_dark(color) for color in PALETTE[:k]), eyes) >= dark


def test_dots_on_dark_paper_have_the_contrast_of_graphics() -> None:
    # 3 to 1, WCAG 2.2, success criterion 1.4.11; the paper is that of the map's stage.
    weights = np.array([0.2126, 0.7152, 0.0722])
    paper = (linear_rgb(("#1a2024",)) @ weights).item()
    dots = linear_rgb(tuple(on_dark(color) for color in PALETTE)) @ weights
    assert ((dots + 0.05) / (paper + 0.05)).min() > 3


def test_a_partner_on_dark_paper_has_the_colours_hue() -> None:
    ours = oklab(linear_rgb(PALETTE))
    partners = oklab(linear_rgb(tuple(on_dark(color) for color in PALETTE)))
    turn = np.arctan2(ours[:, 2], ours[:, 1]) - np.arctan2(partners[:, 2], partners[:, 1])
    assert np.abs((np.rad2deg(turn) + 180) % 360 - 180).max() < 26


def test_colours_show_on_light_and_dark_paper() -> None:
    light = oklab(linear_rgb(PALETTE))[:, 0]
    assert light.min() > 0.4
    assert light.max() < 0.81
    dark = oklab(linear_rgb(tuple(on_dark(color) for color in PALETTE)))[:, 0]
    assert dark.min() > 0.52
    assert len(set(PALETTE)) == 50


def test_side_by_side_is_far_apart_in_colour() -> None:
    spots = np.random.default_rng(3).uniform(size=(30, 2))
    colors = tuple(spread_colors(spots))
    assert sorted(colors) == sorted(PALETTE[:30])

    def cost(order: tuple[str, ...]) -> float:
        lab = oklab(linear_rgb(order))
        alike = 1 / (np.linalg.norm(lab[:, None] - lab[None], axis=2) + 0.02)
        near = 1 / (np.linalg.norm(spots[:, None] - spots[None], axis=2) + 0.05) ** 2
        return float((alike * near)[np.triu_indices(30, 1)].sum())

    rng = np.random.default_rng(0)
    dealt = [cost(tuple(rng.permutation(PALETTE[:30]))) for _ in range(200)]
    assert cost(colors) < min(dealt)


def test_more_groups_than_colours() -> None:
    colors = spread_colors(np.random.default_rng(0).uniform(size=(120, 2)))
    assert len(colors) == 120
    assert set(colors) == set(PALETTE)
    assert spread_colors(np.zeros((0, 2))) == []
    assert len(set(spread_colors(np.zeros((5, 2))))) == 5
